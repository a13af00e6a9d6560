"""A row of a file or an entry by HTTP: its fields, what becomes of it."""
