"""Measurements of the stream: ours beside others, on the same marks and broker."""
