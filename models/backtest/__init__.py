"""Walks a history day by day as the stream would, and measures what rules, model and both are worth.

It may import `engine` and the plain modules of `models`; nothing that learns.
"""
