"""How long to wait before an API is asked again: as long as it says, else ever longer, and never all at once."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from tenacity import RetryCallState, wait_random_exponential

_LONGEST: Final = 300.0
"""Seconds; an API that asks for more is asked after these."""
_GROWING: Final = wait_random_exponential(multiplier=0.5, max=30)


def retry_after(header: str | None, now: datetime | None = None) -> float | None:
    """The seconds that the header `Retry-After` asks for, as a number or a date; None when it says nothing."""
    if not header:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        return min(float(text), _LONGEST)
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    until = until.replace(tzinfo=UTC) if until.tzinfo is None else until
    return min(max((until - (now or datetime.now(UTC))).total_seconds(), 0.0), _LONGEST)


def wait_for(state: RetryCallState) -> float:
    """Seconds until the next try."""
    error = state.outcome.exception() if state.outcome else None
    asked = getattr(error, "seconds", None)
    growing = _GROWING(state)
    return asked + growing * 0.1 if isinstance(asked, float) else growing
