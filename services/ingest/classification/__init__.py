"""Which marks are new, which repeat one, which change nothing: pure."""
