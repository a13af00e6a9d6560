"""Reads the district export set, all at once, as what the stream would have known on each day."""

from __future__ import annotations

from services.lab.year.reader import ReadHistory, agencies_of, read_history

__all__ = ["ReadHistory", "agencies_of", "read_history"]
