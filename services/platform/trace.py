"""The trace that a request or an import leaves: one id in the headers of every record that comes of it.

The header is `traceparent` of W3C Trace Context, so that any tool can read it. It says nothing of anybody.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from contextvars import ContextVar
from typing import Final

HEADER: Final = "traceparent"
Headers = list[tuple[str, bytes]]

_FORM: Final = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_TRACE_BYTES, _SPAN_BYTES = 16, 8
_current: ContextVar[str | None] = ContextVar("trace", default=None)


def begin(given: str | None = None) -> None:
    """From now on this task works for the caller's trace, when one is given in due form, else for a new one."""
    known = given is not None and _FORM.fullmatch(given)
    _current.set(given if known else f"00-{secrets.token_hex(_TRACE_BYTES)}-{secrets.token_hex(_SPAN_BYTES)}-01")


def headers() -> Headers:
    """What to send with a record; nothing when this task works for no trace."""
    return headers_of(_current.get())


def headers_of(trace: str | None) -> Headers:
    """What to send with a record of this trace."""
    return [] if trace is None else [(HEADER, trace.encode())]


def trace_in(received: Iterable[tuple[str, bytes]]) -> str | None:
    """The trace that a record came with."""
    for name, value in received:
        if name == HEADER:
            text = value.decode("ascii", "replace")
            return text if _FORM.fullmatch(text) else None
    return None
