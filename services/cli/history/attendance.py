"""attendance.csv as columns of numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import polars as pl

from models.arrays import Codes, Flags, Ints
from models.attendance import code_of
from services.cli.history.blocks import Block, Blocks
from services.cli.history.columns import BAD, Column, Places
from services.cli.history.folder import Folder
from services.cli.history.moments import Moments, error, recorded
from services.ingest.formats import FormatError, Rejection, district
from services.ingest.formats.csv_records import Record
from services.ingest.rows import STATUSES, RowError

_STATUSES: Final = tuple(STATUSES)
_ORDER: Final = (
    "student_id",
    "school_id",
    "date",
    "status",
    "excused",
    "section_id",
    "minutes_missed",
    "recorded_at",
    "event_id",
)
"""In which ingest looks at the fields: the first that is wrong is the one told."""
_CODES: Final = np.array([[code_of(status, excused) for excused in (False, True)] for status in _STATUSES], np.uint8)


Positions = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Rows:
    """The usable rows in file order. Students, schools, sections and events are places in lists of texts."""

    student: Ints
    school: Ints
    day: Ints
    code: Codes
    section: Ints
    event: Ints
    """0 for a row without a sender's own id."""
    recorded: Moments
    """In UTC; `models.attendance.NO_TIME` when not given."""
    handed_in: Ints
    """The day: that of `recorded`, school-local, never before `day`."""

    def __len__(self) -> int:
        return len(self.student)

    def take(self, which: Flags | Positions) -> Rows:
        """Some of the rows."""
        return Rows(*(getattr(self, name)[which] for name in self.__slots__))


@dataclass(frozen=True, slots=True)
class Attendance:
    """The usable rows, and the texts for which their numbers stand."""

    rows: Rows
    students: list[str]
    schools: list[str]
    read: int
    """Rows in the file, usable or not."""


class AttendanceReader:
    """Reads attendance.csv."""

    def __init__(self, folder: Folder, zones: Mapping[str, ZoneInfo], default: ZoneInfo) -> None:
        """`zones` are those of the schools that name one, `default` is the others'."""
        self._folder = folder
        self._zones = list(dict.fromkeys([default, *zones.values()]))
        self._zone_of = {school: self._zones.index(zone) for school, zone in zones.items()}
        self._students, self._schools, self._sections, self._events = Places(), Places(), Places(""), Places("")
        self._columns = (
            Column("student_id", lambda row: self._students.of(row.student_id)),
            Column("school_id", lambda row: self._schools.of(row.school_id)),
            Column("date", lambda row: row.date.toordinal()),
            Column("status", lambda row: _STATUSES.index(row.status)),
            Column("excused", lambda row: int(row.excused is True)),
            Column("section_id", lambda row: self._sections.of(row.section_id)),
            Column("minutes_missed", lambda row: row.minutes_missed or 0),
            Column("event_id", lambda row: self._events.of(row.event_id)),
        )
        self._refused: list[Rejection] = []

    def read(self, progress: Callable[[str, int, int], None] | None) -> Attendance:
        """All rows; those that cannot be used are noted in the folder by line. Raises `FormatError`."""
        next(self._folder.found("attendance.csv", district.ATTENDANCE), None)  # looks at the header
        file = self._folder.file("attendance.csv")
        types = {**{column.field: column.type for column in self._columns}, "recorded_at": pl.String()}
        parts: list[Rows] = []
        read = 0
        with closing(Blocks(file, types)) as blocks:
            for block in blocks:
                parts.append(self._rows(block, blocks.header))
                read += len(block.lines) + len(block.faulty)
                if progress is not None:
                    progress("attendance.csv", block.end, blocks.size)
        self._folder.rejected += sorted(self._refused, key=lambda one: one.line)
        if not any(len(part) for part in parts):
            raise FormatError(f"{file} holds no row that can be used: there is no history to walk through.")
        rows = Rows(*(np.concatenate([getattr(part, name) for part in parts]) for name in Rows.__slots__))
        return Attendance(rows, self._students.texts(), self._schools.texts(), read)

    def _rows(self, block: Block, header: list[str]) -> Rows:
        given = {header[int(place)]: block.columns[place] for place in block.columns.columns}
        nothing = np.zeros(len(block.lines), np.int32)
        numbers = [
            column.numbers(given[column.field]) if column.field in given else nothing for column in self._columns
        ]
        student, school, day, status, excused, section, _, event = numbers
        zone = np.array([self._zone_of.get(one, 0) for one in [*self._schools.texts(), ""]], np.int32)[school]
        moments = given.get("recorded_at", pl.Series([None], dtype=pl.String).new_from_index(0, len(block.lines)))
        when = recorded(moments, zone, self._zones)
        bad = when.bad | (np.minimum.reduce(numbers) == BAD)
        self._refuse(block, header, given, bad)
        handed_in = np.maximum(day, when.day)
        rows = Rows(student, school, day, _CODES[status, excused], section, event, when.utc, handed_in)
        return rows.take(~bad) if bad.any() else rows

    def _refuse(self, block: Block, header: list[str], given: Mapping[str, pl.Series], bad: Flags) -> None:
        name = self._folder.file("attendance.csv").name
        which = np.flatnonzero(bad)
        for line, wrong in zip(block.lines[which].tolist(), self._errors(given, which), strict=True):
            self._refused.append(Rejection.of(wrong, name, line))
        self._refused += [_refusal(record, header, name) for record in block.faulty]

    def _errors(self, given: Mapping[str, pl.Series], which: Positions) -> Iterator[RowError]:
        """The first error of each row, by ingest's order of the fields."""
        found = {one.field: one.errors(given[one.field][which]) for one in self._columns if one.field in given}
        if "recorded_at" in given:
            found["recorded_at"] = [error(text) for text in given["recorded_at"][which]]
        columns = [found[field] for field in _ORDER if field in found]
        for errors in zip(*columns, strict=True):
            yield next(one for one in errors if one is not None)


def _refusal(record: Record, header: Sequence[str], name: str) -> Rejection:
    """As ingest's `CsvReader` words it."""
    if record.fault is None:
        return Rejection(name, record.line, None, f"expected {len(header)} columns, as in the header")
    known = record.column is not None and record.column < len(header)
    field = header[record.column] if known and record.column is not None else None
    if field not in district.ATTENDANCE.columns:
        return Rejection(name, record.line, None, record.fault)
    return Rejection(name, record.line, field, f"{field}: {record.fault}")
