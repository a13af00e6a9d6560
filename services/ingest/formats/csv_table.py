"""A table with a header as rows of known columns."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from operator import itemgetter
from typing import Final, Generic

from services.ingest.formats.base import FormatError, Found, Item, ReadLog, Rejection, RowT, RowT_co
from services.ingest.formats.csv_records import CsvRecord, records
from services.ingest.formats.inputs import Input
from services.ingest.formats.layout import Beginning, Layout
from services.ingest.rows.fields import Values
from services.ingest.rows.parse import RowError

_NAME: Final = re.compile(r"[A-Za-z_]{1,40}[0-9]{0,2}")
_LIKE: Final = 0.75
"""How much of a known column's name another must share to be taken for a slip of it."""


@dataclass(frozen=True, slots=True)
class Table(Generic[RowT_co]):
    """The columns of a file and what makes a row of them."""

    columns: Mapping[str, str]
    """Header, in lower case, to field."""
    required: frozenset[str]
    """Headers without which the file cannot be read."""
    parse: Callable[[Values], RowT_co | RowError]
    ignored: frozenset[str] = field(default=frozenset())
    """Headers that are known and not read."""

    def fits(self, header: Sequence[str]) -> bool:
        """Whether a file with this header can be read."""
        return self.required <= set(header)

    def fault(self, header: Sequence[str]) -> str | None:
        """Why a file with this header cannot be read; holds nothing of it but names of known columns."""
        missing = sorted(self.required - set(header))
        if missing:
            return f"expected the columns {', '.join(missing)}"
        twice = sorted(name for name, times in Counter(header).items() if times > 1 and name in self.columns)
        return f"expected each column once, but {', '.join(twice)} comes more often" if twice else None

    def unknown(self, header: Sequence[str]) -> list[str]:
        """The columns that are not read.

        By number where the line may be none of names, but a child's row; and where a name is none of one word.
        """
        known, named = {*self.columns, *self.ignored}, self.fits(header)
        missing = sorted(known - set(header))
        return [
            _told(name if named and _NAME.fullmatch(name) else str(position), _like(name, missing))
            for position, name in enumerate(header, start=1)
            if name and name not in known
        ]


@dataclass(frozen=True, slots=True)
class CsvReader(Generic[RowT_co]):
    """Reads the rows of one table; its header is without fault."""

    source: Input
    table: Table[RowT_co]
    layout: Layout

    def read(self, log: ReadLog) -> Iterator[Found[RowT_co]]:
        """The rows in file order."""
        file, header = self.source.name, self.layout.header
        self._warn(log)
        found = records(self.source, log, self.layout.separator, self.layout.line)
        next(found, None)  # the header
        columns, parse = self.table.columns, self.table.parse
        positions = [position for position, name in enumerate(header) if name in columns]
        names = [columns[header[position]] for position in positions]
        pick = itemgetter(*positions) if len(positions) > 1 else lambda values: (values[positions[0]],)
        width = len(header)
        wrong_width = f"expected {width} columns, as in the header"
        for record in found:
            line, values, fault, _ = record
            if fault is not None:
                yield self.refused(record)
            elif len(values) != width:
                yield Rejection(file, line, None, wrong_width)
            else:
                row = parse(dict(zip(names, pick(values), strict=True)))
                yield Rejection.of(row, file, line) if isinstance(row, RowError) else Item(row, file, line)

    def refused(self, record: CsvRecord) -> Rejection:
        """The rejection of a record with a fault."""
        header = self.layout.header
        at_fault = header[record.column] if record.column is not None and record.column < len(header) else None
        name = self.table.columns.get(at_fault) if at_fault is not None else None
        reason = record.fault or f"expected {len(header)} columns, as in the header"
        return Rejection(self.source.name, record.line, name, f"{name}: {reason}" if name else reason)

    def _warn(self, log: ReadLog) -> None:
        if self.layout.line > 1:
            log.warn(f"{self.source.name}: the header is in line {self.layout.line}; what is before it was not read")
        unknown = self.table.unknown(self.layout.header)
        if unknown:
            log.warn(f"{self.source.name}: not read are the unknown columns {', '.join(unknown)}")


def sound_layout(source: Input, table: Table[RowT]) -> Layout:
    """How a table that must be this one lies in its file. Raises `FormatError` when its header cannot be used."""
    beginning = Beginning(source)
    return sound(source, table, beginning.layout(table.fits) or beginning.likeliest())


def sound(source: Input, table: Table[RowT], layout: Layout) -> Layout:
    """The layout, of whose header nothing is wrong. Raises `FormatError`, in which no unknown name is repeated."""
    fault, unknown = table.fault(layout.header), table.unknown(layout.header)
    if fault is None:
        return layout
    also = f" Unknown there are the columns {', '.join(unknown)}." if unknown else ""
    raise FormatError(
        f"{source.name}, line {layout.line}: header: {fault}.{also} "
        "Nothing was imported: correct the header, and run it again."
    )


def _like(name: str, missing: Sequence[str]) -> str | None:
    return next(iter(get_close_matches(name, missing, n=1, cutoff=_LIKE)), None)


def _told(name: str, like: str | None) -> str:
    return name if like is None else f"{name} (is it {like}?)"
