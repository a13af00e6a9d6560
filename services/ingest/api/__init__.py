"""Ingest's HTTP edge: bodies into rows, outcomes into answers."""
