"""How a repeated mark is known again, without keeping the mark."""

from __future__ import annotations

from datetime import datetime
from hashlib import blake2b

_BYTES = 8
"""Enough: a digest is looked up among the few marks of one student and date."""
_EVENT_BYTES = 16
_BETWEEN = "\x1f"


def mark_digest(school_id: str, status: str, excused: bool | None, section: str, recorded_at: datetime | None) -> int:
    """A signed 64-bit digest of what makes two marks of one student and date the same one.

    `recorded_at` is the one that was given (with an offset), None when none was.
    """
    recorded = "" if recorded_at is None else repr(recorded_at.timestamp())
    text = _BETWEEN.join((school_id, status, str(excused), section, recorded))
    return int.from_bytes(blake2b(text.encode(), digest_size=_BYTES).digest(), signed=True)


def event_digest(event_id: str, agency: str) -> bytes:
    """A 16-byte digest of a sender's own id of an event, as one agency gets it."""
    return blake2b(_BETWEEN.join((agency, event_id)).encode(), digest_size=_EVENT_BYTES).digest()
