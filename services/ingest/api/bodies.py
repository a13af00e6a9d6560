"""Request bodies: one JSON object, an array, or a stream of NDJSON lines."""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import AsyncIterator
from typing import Final

import msgspec
from fastapi import Request

from services.platform.http import ProblemError

NDJSON: Final = "application/x-ndjson"
_NDJSON_TYPES: Final = frozenset({NDJSON, "application/ndjson", "application/jsonl"})
ENTRIES_AT_ONCE: Final = 2_000
LINES_AT_ONCE: Final = 500


class Unreadable:
    """An NDJSON line that holds no JSON."""


UNREADABLE: Final = Unreadable()
Entries = list[object]


def entries(request: Request, max_body: int, max_line: int) -> AsyncIterator[Entries]:
    """The body's entries, a bounded number at once; raises `ProblemError` when the body cannot be read.

    NDJSON is read as it arrives, and no faster than the entries before were taken.
    """
    media_type = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if media_type in _NDJSON_TYPES:
        return _lines(request.stream(), max_line)
    if media_type == "application/json":
        return _array(request, max_body)
    raise ProblemError(
        415, "Unsupported media type", f"Send application/json (an object or an array), or {NDJSON} (an object a line)."
    )


async def _array(request: Request, max_body: int) -> AsyncIterator[Entries]:
    value = _decoded(await _whole(request, max_body))
    if isinstance(value, dict):
        value = [value]
    if not isinstance(value, list):
        raise ProblemError(400, "Unreadable body", "Send one JSON object, or an array of objects.")
    for start in range(0, len(value), ENTRIES_AT_ONCE):
        yield value[start : start + ENTRIES_AT_ONCE]


async def _whole(request: Request, max_body: int) -> bytes:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > max_body:
            raise ProblemError(
                413, "Body too large", f"A JSON body has at most {max_body} bytes. Send {NDJSON}, which has no limit."
            )
    return bytes(body)


async def _lines(parts: AsyncIterator[bytes], max_line: int) -> AsyncIterator[Entries]:
    """What each part of the stream completes; a line that is too long is unreadable, and is not kept."""
    rest = b""
    skipping = False
    async for part in parts:
        *lines, rest = (rest + part).split(b"\n")
        if skipping and lines:
            lines[0], skipping = b"!", False
        if len(rest) > max_line or skipping:
            rest, skipping = b"", True
        for start in range(0, len(lines), LINES_AT_ONCE):
            found = [_entry(line, max_line) for line in lines[start : start + LINES_AT_ONCE] if line.strip()]
            if found:
                yield found
    if skipping:
        yield [UNREADABLE]
    elif rest.strip():
        yield [_entry(rest, max_line)]


def _entry(line: bytes, max_line: int) -> object:
    if len(line) > max_line:
        return UNREADABLE
    try:
        return _decoded(line)
    except ProblemError:
        return UNREADABLE


def _decoded(text: bytes) -> object:
    try:
        value: object = msgspec.json.decode(text.removeprefix(BOM_UTF8))
    except (ValueError, RecursionError):
        # The decoder's own words could quote the input.
        raise ProblemError(400, "Unreadable body", "The body is not valid JSON in UTF-8.") from None
    return value
