"""The members of NDJSON, of JSON arrays and pages, one at a time, whatever the size of the file."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from services.ingest.formats.base import ReadLog
from services.ingest.formats.inputs import BrokenFileError, Input
from services.ingest.formats.lines import physical_lines, utf8

MAX_ITEM: Final = 1024 * 1024
"""The longest item in characters, and the longest NDJSON line in bytes."""
ENVELOPES: Final = frozenset({"resource", "resources", "items", "data", "value", "results", "records"})
"""Keys under which an API wraps the members of a page, in lower case."""
_SPACE: Final = " \t\r\n"
_GOES_ON: Final = (b"{", b"[", b",", b":")
"""A line that ends so is part of a value that is spread over several."""

_NOT_JSON: Final = f"expected one JSON value of at most {MAX_ITEM} bytes in UTF-8 on each line"
_MALFORMED: Final = (
    f"expected JSON objects of at most {MAX_ITEM} characters in UTF-8, in arrays or one after another; "
    "what comes before was read and the rest skipped: export the file again"
)


class JsonItem(NamedTuple):
    """A JSON value and the line (NDJSON) or number from 1 (else) at which it stands; a `fault` has no value."""

    line: int
    value: object
    fault: str | None = None
    page: str | None = None
    """In lower case, the key of the page that it is a member of."""


def json_items(source: Input, log: ReadLog, collections: frozenset[str]) -> Iterator[JsonItem]:
    """The members, of whatever shape the file is; pages are known by `ENVELOPES` and `collections` (in lower case).

    Raises `OSError`.
    """
    first = next(utf8(source.chunks(ReadLog())), b"").lstrip()
    line, newline, _ = first.partition(b"\n")
    by_line = first.startswith(b"{") and newline and not line.rstrip().endswith(_GOES_ON)
    pages = ENVELOPES | collections
    return _line_items(source, log, pages) if by_line else _value_items(source, log, pages)


def _line_items(source: Input, log: ReadLog, pages: frozenset[str]) -> Iterator[JsonItem]:
    number = 0
    try:
        for number, data in physical_lines(utf8(source.chunks(log)), MAX_ITEM):
            if data is None:
                yield JsonItem(number, None, _NOT_JSON)
            elif data.strip():
                try:
                    value = json.loads(data.decode())
                except (ValueError, RecursionError):
                    yield JsonItem(number, None, _NOT_JSON)
                else:
                    for member, page in _members(value, pages, None):
                        yield JsonItem(number, member, page=page)
    except BrokenFileError as error:
        yield JsonItem(number + 1, None, str(error))


def _value_items(source: Input, log: ReadLog, pages: frozenset[str]) -> Iterator[JsonItem]:
    """Values are decoded out of a buffer that is filled as needed; after a fault there is no safe place to go on."""
    number = 0
    try:
        for value, page in _values(_Text(utf8(source.chunks(log))), pages):
            number += 1
            yield JsonItem(number, value, page=page)
    except BrokenFileError as error:
        yield JsonItem(number + 1, None, str(error))
    except (ValueError, RecursionError):
        yield JsonItem(number + 1, None, _MALFORMED)


def _values(text: _Text, pages: frozenset[str]) -> Iterator[tuple[object, str | None]]:
    while sign := text.peek():
        if sign == "[":
            yield from _array(text, pages, None)
        elif sign == "{":
            if text.holds_value():
                yield from _members(text.value(), pages, None)
            else:
                yield from _long_page(text, pages)
        else:
            raise ValueError


def _array(text: _Text, pages: frozenset[str], page: str | None) -> Iterator[tuple[object, str | None]]:
    text.take("[")
    if text.peek() == "]":
        text.take("]")
        return
    while True:
        yield from _members(text.value(), pages, page)
        if text.peek() == "]":
            text.take("]")
            return
        text.take(",")


def _long_page(text: _Text, pages: frozenset[str]) -> Iterator[tuple[object, str | None]]:
    """The members of a page that is longer than an item may be."""
    text.take("{")
    while True:
        key = text.value()
        text.take(":")
        if isinstance(key, str) and key.lower() in pages and text.peek() == "[":
            yield from _array(text, pages, key.lower())
        else:
            text.value()
        if text.peek() == "}":
            text.take("}")
            return
        text.take(",")


def _members(value: object, pages: frozenset[str], page: str | None) -> Iterable[tuple[object, str | None]]:
    """The value, or the members of the array or page that it is."""
    if isinstance(value, list):
        for member in value:
            yield from _members(member, pages, page)
        return
    if isinstance(value, dict):
        wrapped = [key for key in value if key.lower() in pages and isinstance(value[key], list)]
        if wrapped:
            for key in wrapped:
                yield from _members(value[key], pages, key.lower())
            return
    yield value, page


class _Text:
    """A window on decoded text. Every method raises `ValueError` when the text is not as it should be."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._json = json.JSONDecoder()
        self._buffer = ""
        self._position = 0
        self._ended = False
        self._decoded: tuple[object, int] | None = None
        """The value at the position and where it ends, when it was looked at before it is taken."""

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

    def holds_value(self) -> bool:
        """Whether the JSON value that comes next is no longer than an item may be."""
        try:
            self._decoded = self._decode()
        except ValueError:
            return False
        return True

    def value(self) -> object:
        """The JSON value that comes next."""
        value, self._position = self._decoded or self._decode()
        self._decoded = None
        return value

    def _decode(self) -> tuple[object, int]:
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
                    return value, end
            self._fill()

    def _fill(self) -> None:
        chunk = next(self._chunks, b"")
        self._ended = not chunk
        self._buffer = self._buffer[self._position :] + self._decoder.decode(chunk, final=self._ended)
        self._position = 0
