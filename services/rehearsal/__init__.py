"""A history replayed through a stack of its own, and what is seen of it on the way. Knows no command."""
