"""A text's physical lines as UTF-8, bounded in length, so that no file can fill the memory."""

from __future__ import annotations

import codecs
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final, NamedTuple

BOM: Final = codecs.BOM_UTF8
_MARKS: Final = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""The longer ones first: one of them begins like a shorter one."""
_LOOKED_AT: Final = 200
_UNREADABLE: Final = b"\xff"
"""No UTF-8 has this byte: a line with it is known to hold what is no text."""


class Line(NamedTuple):
    """A physical line with its end, counted from 1; `data` is None when it is longer than the limit."""

    number: int
    data: bytes | None


class Lines:
    """Physical lines to which lines can be given back; every iteration goes on where the last one stopped."""

    def __init__(self, lines: Iterator[Line]) -> None:
        self._lines = lines
        self._returned: deque[Line] = deque()

    def __iter__(self) -> Iterator[Line]:
        while True:
            line = self._returned.popleft() if self._returned else next(self._lines, None)
            if line is None:
                return
            yield line

    def give_back(self, lines: Iterable[Line]) -> None:
        """Take back lines, given in file order, to be read again."""
        self._returned.extendleft(reversed(list(lines)))


def utf8(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """A text as UTF-8 without a byte order mark; UTF-16 and UTF-32 are known by theirs, or by their many zeros."""
    head = next(chunks, b"")
    encoding = encoding_of(head)
    if encoding is None:
        yield head.removeprefix(BOM)
        yield from chunks
        return
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    for chunk in chain([head], chunks):
        yield _encoded(decoder.decode(chunk))
    yield _encoded(decoder.decode(b"", final=True))


def physical_lines(chunks: Iterable[bytes], limit: int) -> Iterator[Line]:
    """The lines of a text, ended by LF, CR LF or CR alone; the data of one of `limit` bytes or more is None."""
    number, rest, too_long = 0, b"", False
    for chunk in chunks:
        found = (rest + chunk).splitlines(keepends=True)
        rest = b"" if not found or found[-1].endswith(b"\n") else found.pop()  # after a CR an LF may follow
        for data in found:
            number += 1
            yield Line(number, None if too_long or len(data) >= limit else data)
            too_long = False
        if len(rest) >= limit:
            rest, too_long = rest[-1:], True
    if rest:
        yield Line(number + 1, None if too_long else rest)


def encoding_of(head: bytes) -> str | None:
    """The encoding of a text that begins so; None for UTF-8."""
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    start = head[:_LOOKED_AT]
    even, odd = start[::2].count(0), start[1::2].count(0)
    if 2 * max(even, odd) > len(start) // 2 and not min(even, odd):
        return "utf-16-le" if odd else "utf-16-be"
    return None


def _encoded(text: str) -> bytes:
    return text.encode().replace("\N{REPLACEMENT CHARACTER}".encode(), _UNREADABLE)
