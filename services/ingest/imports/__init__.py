"""Whole files: an import, a dry run, a replay, and what is said of them."""
