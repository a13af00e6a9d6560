"""The members of a JSON array or of NDJSON, one at a time, whatever the size of the file."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from services.ingest.formats.base import ReadLog
from services.ingest.formats.lines import BOM, physical_lines

MAX_ITEM: Final = 1024 * 1024
"""The longest item of an array in characters, and the longest NDJSON line in bytes."""
_CHUNK: Final = 64 * 1024
_SPACE: Final = " \t\r\n"

_NOT_JSON: Final = f"expected one JSON object of at most {MAX_ITEM} bytes in UTF-8 on each line"
_MALFORMED: Final = (
    f"expected a JSON array of objects of at most {MAX_ITEM} characters, in UTF-8; "
    "what comes before was read and the rest skipped: export the file again"
)


class JsonItem(NamedTuple):
    """A JSON value and the line (NDJSON) or number from 1 (array) at which it stands; a `fault` has no value."""

    line: int
    value: object
    fault: str | None = None


def json_items(path: Path, log: ReadLog) -> Iterator[JsonItem]:
    """The items of an array (when the file begins with `[`) or of NDJSON. Raises `OSError`."""
    with path.open("rb") as file:
        head = file.read(_CHUNK).removeprefix(BOM)
    return _array_items(path, log) if head.lstrip().startswith(b"[") else _line_items(path, log)


def _line_items(path: Path, log: ReadLog) -> Iterator[JsonItem]:
    for number, data in physical_lines(path, log, MAX_ITEM):
        if data is None:
            yield JsonItem(number, None, _NOT_JSON)
        elif data.strip():
            try:
                yield JsonItem(number, json.loads(data.decode()))
            except (ValueError, RecursionError):
                yield JsonItem(number, None, _NOT_JSON)


def _array_items(path: Path, log: ReadLog) -> Iterator[JsonItem]:
    """Items are decoded out of a buffer that is filled as needed; after a fault there is no safe place to go on."""
    number = 0
    try:
        with path.open("rb") as file:
            text = _Text(iter(lambda: file.read(_CHUNK), b""), log)
            text.take("[")
            if text.peek() == "]":
                return
            while True:
                number += 1
                yield JsonItem(number, text.value())
                if text.peek() == "]":
                    return
                text.take(",")
    except (ValueError, RecursionError):
        yield JsonItem(max(number, 1), None, _MALFORMED)


class _Text:
    """A window on decoded text. Every method raises `ValueError` when the text is not as it should be."""

    def __init__(self, chunks: Iterator[bytes], log: ReadLog) -> None:
        self._chunks = chunks
        self._log = log
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._json = json.JSONDecoder()
        self._buffer = ""
        self._position = 0
        self._ended = False

    def peek(self) -> str:
        """The next character that is no space, or nothing at the end."""
        while True:
            while self._position < len(self._buffer):
                if self._buffer[self._position] not in _SPACE:
                    return self._buffer[self._position]
                self._position += 1
            if self._ended:
                return ""
            self._fill()

    def take(self, character: str) -> None:
        """Step over the character that must come next."""
        if self.peek() != character:
            raise ValueError
        self._position += 1

    def value(self) -> object:
        """The JSON value that comes next."""
        self.peek()
        while True:
            try:
                value, end = self._json.raw_decode(self._buffer, self._position)
            except ValueError:
                if self._ended or len(self._buffer) - self._position > MAX_ITEM:
                    raise
            else:
                # A number at the buffer's end may go on.
                if end < len(self._buffer) or self._ended:
                    self._position = end
                    return value
            self._fill()

    def _fill(self) -> None:
        chunk = next(self._chunks, b"")
        self._log.bytes_read += len(chunk)
        self._ended = not chunk
        self._buffer = self._buffer[self._position :] + self._decoder.decode(chunk, final=self._ended)
        self._position = 0
