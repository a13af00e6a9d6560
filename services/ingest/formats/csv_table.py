"""A CSV file with a header as rows of known columns."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from typing import Final, Generic

from services.ingest.fields import Values
from services.ingest.formats.base import Found, Item, ReadLog, Rejection, RowT_co
from services.ingest.formats.csv_records import Record, records
from services.ingest.rows import RowError

_NAME: Final = re.compile(r"[A-Za-z_]{1,40}[0-9]{0,2}")
"""A header like this can be told to the user; any other may hold anything, so only its position is."""


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

    def fits(self, header: list[str]) -> bool:
        """Whether a file with this header can be read."""
        return self.required <= set(header)


@dataclass(frozen=True, slots=True)
class CsvReader(Generic[RowT_co]):
    """Reads the rows of one CSV file."""

    path: Path
    table: Table[RowT_co]

    def read(self, log: ReadLog) -> Iterator[Found[RowT_co]]:
        """The rows, or one rejection of the header and nothing else."""
        file = self.path.name
        found = records(self.path, log)
        first = next(found, Record(1, []))
        header = header_of(first)
        fault = first.fault or self._header_fault(header)
        if fault is not None:
            yield Rejection(file, first.line, None, f"header: {fault}; the file was skipped")
            return
        self._warn_of_unknown(header, log)
        positions = [position for position, name in enumerate(header) if self._is_read(name)]
        names = [self.table.columns[header[position]] for position in positions]
        pick = itemgetter(*positions) if len(positions) > 1 else lambda values: (values[positions[0]],)
        width, parse = len(header), self.table.parse
        wrong_width = f"expected {width} columns, as in the header"
        for record in found:
            line, values, fault, _ = record
            if fault is not None:
                yield self._rejected(record, header)
            elif len(values) != width:
                yield Rejection(file, line, None, wrong_width)
            else:
                row = parse(dict(zip(names, pick(values), strict=True)))
                yield Rejection.of(row, file, line) if isinstance(row, RowError) else Item(row, file, line)

    def _is_read(self, header: str) -> bool:
        return header in self.table.columns

    def _header_fault(self, header: list[str]) -> str | None:
        missing = sorted(self.table.required - set(header))
        if missing:
            return f"expected the columns {', '.join(missing)}"
        twice = sorted(name for name, times in Counter(header).items() if times > 1 and self._is_read(name))
        return f"expected each column once, but {', '.join(twice)} comes more often" if twice else None

    def _warn_of_unknown(self, header: list[str], log: ReadLog) -> None:
        unknown = [
            name if _NAME.fullmatch(name) else f"number {position}"
            for position, name in enumerate(header, start=1)
            if not self._is_read(name) and name not in self.table.ignored
        ]
        if unknown:
            log.warn(f"{self.path.name}: ignored the unknown columns {', '.join(unknown)}")

    def _rejected(self, record: Record, header: list[str]) -> Rejection:
        known = record.column is not None and record.column < len(header) and self._is_read(header[record.column])
        name = self.table.columns[header[record.column]] if known and record.column is not None else None
        reason = record.fault or ""
        return Rejection(self.path.name, record.line, name, f"{name}: {reason}" if name else reason)


def header_of(record: Record) -> list[str]:
    """The names of a header's columns, trimmed, in lower case."""
    return [name.strip().lower() for name in record.fields]
