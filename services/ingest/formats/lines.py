"""A file's physical lines, bounded in length, so that no file can fill the memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from services.ingest.formats.base import ReadLog

BOM: Final = b"\xef\xbb\xbf"


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


def physical_lines(path: Path, log: ReadLog, limit: int) -> Iterator[Line]:
    """The lines of the file; a line of `limit` bytes or more is skipped, its data None. No byte order mark is given.

    Raises `OSError`.
    """
    with path.open("rb") as file:
        number = 0
        while data := file.readline(limit):
            number += 1
            log.bytes_read += len(data)
            if len(data) < limit:
                yield Line(number, data if number > 1 else data.removeprefix(BOM))
                continue
            while data and not data.endswith(b"\n"):
                data = file.readline(limit)
                log.bytes_read += len(data)
            yield Line(number, None)
