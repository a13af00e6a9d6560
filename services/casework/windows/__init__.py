"""A student's window, asked of the worker that owns it."""
