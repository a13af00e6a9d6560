"""Pulling from an Ed-Fi ODS/API: what changed since the last time, taken as an import's rows are."""
