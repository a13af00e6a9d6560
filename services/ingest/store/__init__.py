"""Ingest's SQL: plain functions over a connection; a caller's transaction commits at its edge."""
