"""Taking in: each step reads the gate, keeps what may be kept, and publishes."""
