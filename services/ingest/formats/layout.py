"""How a table lies in its file: which sign parts its fields, and in which line its header is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice
from typing import Final, NamedTuple

from services.ingest.formats.base import ReadLog
from services.ingest.formats.csv_records import MAX_LINE, SEPARATORS, CsvRecord, records_of
from services.ingest.formats.inputs import Input
from services.ingest.formats.lines import Line, Lines, physical_lines, utf8

_LINES: Final = 20
"""So many lines may a header come after: titles, dates of export, `sep=;`."""

Header = Sequence[str]
Fits = Callable[[Header], bool]


class Layout(NamedTuple):
    """Where the header is, what it says (trimmed, in lower case), and what parts the fields."""

    separator: str
    line: int
    header: list[str]


class Beginning:
    """The first lines of a file, whose layout is to be found."""

    def __init__(self, source: Input) -> None:
        """Raises `OSError`, and `BrokenFileError`."""
        lines = physical_lines(utf8(source.chunks(ReadLog())), MAX_LINE)
        self._lines: list[Line] = list(islice(lines, _LINES))

    def layout(self, fits: Fits) -> Layout | None:
        """The layout by which a header fits, the first such line of the file; None when no line does."""
        found = (self._first(separator, fits) for separator in SEPARATORS)
        return min((layout for layout in found if layout is not None), key=lambda one: one.line, default=None)

    def likeliest(self) -> Layout:
        """A layout when no header is known: the first line, parted by what gives the most fields."""
        layouts = (self._first(separator, lambda _: True) for separator in SEPARATORS)
        found = [layout for layout in layouts if layout is not None]
        return max(found, key=lambda one: len(one.header), default=Layout(",", 1, []))

    def _first(self, separator: str, fits: Fits) -> Layout | None:
        for record in records_of(Lines(iter(self._lines)), separator):
            if record.fault is None and fits(header := header_of(record)):
                return Layout(separator, record.line, header)
        return None


def header_of(record: CsvRecord) -> list[str]:
    """The names of a header's columns, trimmed, in lower case."""
    return [name.strip().lower() for name in record.fields]
