"""Readers of the files that districts have: `open_sources` gives everything in some paths as one `Source`."""

from __future__ import annotations

from services.ingest.formats.base import FormatError, Found, Item, NotRead, Rejection
from services.ingest.formats.detect import SUPPORTED, open_sources
from services.ingest.formats.sources import Source

__all__ = ["SUPPORTED", "FormatError", "Found", "Item", "NotRead", "Rejection", "Source", "open_sources"]
