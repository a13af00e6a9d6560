"""Shared plumbing: settings, Kafka and database clients, logging, HTTP edges, the embedded stack."""
