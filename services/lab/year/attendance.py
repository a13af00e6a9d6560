"""attendance.csv as columns of numbers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import polars as pl

from models.arrays import Codes, Flags, Ints
from models.attendance import NO_TIME, RETRACTED, code_of
from services.contracts.packed import microseconds
from services.ingest.classification.classify import Horizon
from services.ingest.formats import FormatError, Item, Rejection, district
from services.ingest.formats.base import ReadLog
from services.ingest.formats.csv_table import CsvReader
from services.ingest.formats.reader import Reader
from services.ingest.imports.reading import chunks
from services.ingest.imports.replayer import handed_in_on
from services.ingest.rows.outcomes import NOT_YET, NOT_YET_RECORDED
from services.ingest.rows.parse import STATUSES, MarkRow, RowError, to_utc
from services.lab.year.blocks import Blocks, TableBlock
from services.lab.year.columns import BAD, Column, Places
from services.lab.year.folder import Folder
from services.lab.year.moments import Moments, error, recorded

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
"""In which ingest looks at the fields: the first that is wrong is the one named."""
_CODES: Final = np.array([[code_of(status, excused) for excused in (False, True)] for status in _STATUSES], np.uint8)


_ROWS: Final = 20_000
_DAY_BITS: Final = 22
"""Any ordinal of a date has no more."""
Positions = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class AttendanceRows:
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

    def take(self, which: Flags | Positions) -> AttendanceRows:
        """Some of the rows."""
        return AttendanceRows(*(getattr(self, name)[which] for name in self.__slots__))


@dataclass(frozen=True, slots=True)
class Attendance:
    """The usable rows, and the texts for which their numbers stand."""

    rows: AttendanceRows
    students: list[str]
    schools: list[str]
    read: int
    """Rows in the file, usable or not."""

    def reported(self) -> dict[str, set[date]]:
        """By school: the days of which any row says something."""
        said = self.rows.code != RETRACTED
        pairs = np.unique(self.rows.school[said].astype(np.int64) << _DAY_BITS | self.rows.day[said])
        found: defaultdict[str, set[date]] = defaultdict(set)
        for pair in pairs.tolist():
            found[self.schools[pair >> _DAY_BITS]].add(date.fromordinal(pair & ((1 << _DAY_BITS) - 1)))
        return found


Part = tuple[AttendanceRows, int, int]
"""Some rows, how many there were with those that cannot be used, and how many bytes of the file have been read."""


class AttendanceReader:
    """Reads attendance, whatever it is in; tables of the district's set, which may be long, in columns."""

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
        self._horizon = Horizon.of(datetime.now(default).date(), default)

    def read(self, progress: Callable[[str, int, int], None] | None) -> Attendance:
        """All rows; those that cannot be used are noted in the folder by line. Raises `FormatError`."""
        readers = self._folder.source.readers.attendance
        parts: list[AttendanceRows] = []
        read, done, size = 0, 0, sum(reader.source.size for reader in readers)
        for reader in readers:
            if isinstance(reader, CsvReader) and reader.table is district.ATTENDANCE:
                found = self._of_table(reader)
            else:
                found = self._of_reader(reader)
            for rows, number, end in found:
                parts.append(rows)
                read += number
                if progress is not None:
                    progress(reader.source.name, done + end, size)
            done += reader.source.size
        self._folder.rejected += sorted(self._refused, key=lambda one: (one.file, one.line))
        if not any(len(part) for part in parts):
            raise FormatError(
                f"{self._folder.path} holds no attendance row that can be used: there is no history to walk through."
            )
        rows = AttendanceRows(
            *(np.concatenate([getattr(part, name) for part in parts]) for name in AttendanceRows.__slots__)
        )
        return Attendance(rows, self._students.texts(), self._schools.texts(), read)

    def _of_table(self, reader: CsvReader[MarkRow]) -> Iterator[Part]:
        """The rows of a table of the district's set, many at once."""
        types = {**{column.field: column.type for column in self._columns}, "recorded_at": pl.String()}
        with closing(Blocks(reader, types, self._folder.source.log)) as blocks:
            for block in blocks:
                rows = self._rows(block, reader)
                yield rows, len(block.lines) + len(block.faulty), min(block.end, reader.source.size)
            if blocks.broken is not None:
                self._refused.append(Rejection(reader.source.name, blocks.lines + 1, None, blocks.broken))

    def _of_reader(self, reader: Reader[MarkRow]) -> Iterator[Part]:
        """The rows of any other reader, one by one."""
        log = ReadLog()
        for chunk in chunks(reader.read(log), _ROWS):
            judged = [one if isinstance(one, Rejection) else self._refused_ahead(one) or one for one in chunk]
            rows = [one.row for one in judged if isinstance(one, Item)]
            self._refused += [one for one in judged if isinstance(one, Rejection)]
            yield self._single_rows(rows), len(chunk), log.bytes_read
        for warning in log.warnings:
            self._folder.source.log.warn(warning)

    def _refused_ahead(self, item: Item[MarkRow]) -> Rejection | None:
        recorded_at = item.row.recorded_at
        zone = self._zones[self._zone_of.get(item.row.school_id, 0)]
        ahead = self._horizon.refuses(item.row.date, None if recorded_at is None else to_utc(recorded_at, zone))
        return None if ahead is None else Rejection(item.file, item.line, ahead.field, ahead.reason or "")

    def _single_rows(self, rows: Sequence[MarkRow]) -> AttendanceRows:
        zones = [self._zones[self._zone_of.get(row.school_id, 0)] for row in rows]
        moments = [
            None if row.recorded_at is None else to_utc(row.recorded_at, zone)
            for row, zone in zip(rows, zones, strict=True)
        ]
        return AttendanceRows(
            np.array([self._students.of(row.student_id) for row in rows], np.int32),
            np.array([self._schools.of(row.school_id) for row in rows], np.int32),
            np.array([row.date.toordinal() for row in rows], np.int32),
            np.array([code_of(row.status, row.excused) for row in rows], np.uint8),
            np.array([self._sections.of(row.section_id) for row in rows], np.int32),
            np.array([self._events.of(row.event_id) for row in rows], np.int32),
            np.array([NO_TIME if moment is None else microseconds(moment) for moment in moments], np.int64),
            np.array([handed_in_on(row, zone).toordinal() for row, zone in zip(rows, zones, strict=True)], np.int32),
        )

    def _rows(self, block: TableBlock, reader: CsvReader[MarkRow]) -> AttendanceRows:
        header = reader.layout.header
        given = {header[int(place)]: block.columns[place] for place in block.columns.columns}
        nothing = np.zeros(len(block.lines), np.int32)
        numbers = [
            column.numbers(given[column.field]) if column.field in given else nothing for column in self._columns
        ]
        student, school, day, status, excused, section, _, event = numbers
        zone = np.array([self._zone_of.get(one, 0) for one in [*self._schools.texts(), ""]], np.int32)[school]
        moments = given.get("recorded_at", pl.Series([None], dtype=pl.String).new_from_index(0, len(block.lines)))
        when = recorded(moments, zone, self._zones)
        ahead = (day > self._horizon.day.toordinal()) | (when.utc >= microseconds(self._horizon.moment))
        bad = when.bad | (np.minimum.reduce(numbers) == BAD) | ahead
        self._refuse(block, reader, given, bad, day)
        handed_in = np.maximum(day, when.day)
        rows = AttendanceRows(student, school, day, _CODES[status, excused], section, event, when.utc, handed_in)
        return rows.take(~bad) if bad.any() else rows

    def _refuse(
        self, block: TableBlock, reader: CsvReader[MarkRow], given: Mapping[str, pl.Series], bad: Flags, days: Ints
    ) -> None:
        which = np.flatnonzero(bad)
        places = zip(block.lines[which].tolist(), days[which].tolist(), strict=True)
        for (line, day), wrong in zip(places, self._errors(given, which), strict=True):
            refused = wrong or self._ahead(day)
            self._refused.append(Rejection.of(refused, reader.source.name, line))
        self._refused += map(reader.refused, block.faulty)

    def _ahead(self, day: int) -> RowError:
        """What is wrong with a row that is sound but for being dated or recorded too far ahead."""
        outcome = NOT_YET if day > self._horizon.day.toordinal() else NOT_YET_RECORDED
        return RowError(outcome.field, outcome.reason or "")

    def _errors(self, given: Mapping[str, pl.Series], which: Positions) -> Iterator[RowError | None]:
        """The first error of each row, by ingest's order of the fields; None when its fields are sound."""
        found = {one.field: one.errors(given[one.field][which]) for one in self._columns if one.field in given}
        if "recorded_at" in given:
            found["recorded_at"] = [error(text) for text in given["recorded_at"][which]]
        columns = [found[field] for field in _ORDER if field in found]
        for errors in zip(*columns, strict=True):
            yield next((one for one in errors if one is not None), None)
