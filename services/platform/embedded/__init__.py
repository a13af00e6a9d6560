"""Kafka, PostgreSQL and a mail sink as child processes, with all their data under one folder."""
