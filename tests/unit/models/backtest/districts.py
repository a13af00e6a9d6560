"""A small district: the rows of each day of handing in, and the history that they make."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from typing import NamedTuple

import numpy as np

from models.attendance import NO_TIME, DayMarks, SectionMark, code_of, day_code, with_mark
from models.backtest import history as columns
from models.backtest.history import History
from models.enrollment import FOREVER, Segment, Span, school_on, segments
from services.contracts.marks import AttendanceStatus
from services.ingest.reporting.schools import Reporting, SchoolReport

FIRST = date(2016, 9, 6).toordinal()
BEFORE = FIRST - 400
OTHERS = 24
"""Students a school whose families did not consent: they are in the head counts alone."""
MONDAY = 1
"""An ordinal's remainder by 7."""


class Row(NamedTuple):
    """A row of `attendance.csv`."""

    student: str
    school: str
    day: int
    status: AttendanceStatus
    excused: bool | None = None
    section: str | None = None
    recorded_at: datetime | None = None

    @property
    def handed_in(self) -> int:
        """The date of `recorded_at`, never before the marked one."""
        return self.day if self.recorded_at is None else max(self.day, self.recorded_at.toordinal())


class Child(NamedTuple):
    """A student, consented at some time."""

    name: str
    household: str | None
    spans: tuple[Span, ...]
    runs: tuple[tuple[int, int], ...]
    """Days with a consent in force, both ends inclusive."""

    def school_on(self, day: int) -> str | None:
        return school_on(_segments(self.spans), day)

    def seen(self, unshared: frozenset[str]) -> tuple[Span, ...]:
        """The spans; when some are at schools that are not shared, none that overlap."""
        if not any(span.school in unshared for span in self.spans):
            return self.spans
        return tuple(Span(*segment) for segment in _segments(self.spans))

    def run_on(self, day: int) -> tuple[int, int] | None:
        return next((run for run in self.runs if run[0] <= day <= run[1]), None)


@cache
def _segments(spans: tuple[Span, ...]) -> tuple[Segment, ...]:
    return segments(spans, BEFORE, FOREVER)


class Heads(NamedTuple):
    """The head counts of a school's day."""

    absent: int
    seen: int


@dataclass
class District:
    """Rows by the day of their handing in."""

    calendar: dict[str, dict[int, bool]]
    """Of each school; empty for one that gave none."""
    children: list[Child] = field(default_factory=list)
    rows: defaultdict[int, list[Row]] = field(default_factory=lambda: defaultdict(list))
    unshared: frozenset[str] = frozenset()
    """Schools of which only this is known: when children are there."""

    def without(self, school: str) -> District:
        """The district as who gets nothing of the school has it."""
        rows: defaultdict[int, list[Row]] = defaultdict(list)
        for day, mine in self.rows.items():
            rows[day] = [row for row in mine if row.school != school]
        calendar = {name: days for name, days in self.calendar.items() if name != school}
        return District(calendar, self.children, rows, frozenset({school}))

    def days(self) -> range:
        """From the first day of handing in to the last."""
        return range(min(self.rows), max(self.rows) + 1)

    def passed(self, day: int) -> list[Row]:
        """Rows handed in on a day that pass the gate: one run holds both that day and the marked one."""
        children = {child.name: child for child in self.children}
        found = []
        for row in self.rows.get(day, ()):
            child = children.get(row.student)
            run = child.run_on(day) if child else None
            if run is not None and run[0] <= row.day:
                found.append(row)
        return found

    def expected(self, school: str, day: int) -> int:
        """Students enrolled at a school, by any span."""
        spans = [span for child in self.children for span in child.spans]
        return OTHERS + sum(span.school == school and span.entry <= day <= span.exit for span in spans)

    def reporting(self) -> Reporting:
        """What ingest keeps of the schools' reports, before the first row."""
        return Reporting(
            {
                school: SchoolReport({date.fromordinal(day): open_ for day, open_ in days.items()})
                for school, days in self.calendar.items()
            }
        )


class Counting:
    """Students seen and absent, by school and day, of all rows so far."""

    def __init__(self) -> None:
        self._seen: defaultdict[tuple[str, int], set[str]] = defaultdict(set)
        self._absent: defaultdict[tuple[str, int], set[str]] = defaultdict(set)

    def add(self, rows: Iterable[Row]) -> set[tuple[str, int]]:
        """Count the rows; the school-days whose counts they changed."""
        changed = set()
        for row in rows:
            key = (row.school, row.day)
            before = self.of(*key)
            self._seen[key].add(row.student)
            if row.status == "absent":
                self._absent[key].add(row.student)
            if self.of(*key) != before:
                changed.add(key)
        return changed

    def of(self, school: str, day: int) -> Heads:
        return Heads(len(self._absent[school, day]), len(self._seen[school, day]))


def history_of(district: District) -> History:
    """What became known on which day."""
    students = {child.name: place for place, child in enumerate(district.children)}
    schools = {school: place for place, school in enumerate(district.calendar)}
    seen = [(students[child.name], span) for child in district.children for span in child.seen(district.unshared)]
    spans = [(student, schools[span.school], span.entry, span.exit) for student, span in seen if span.school in schools]
    elsewhere = [(student, 0, span.entry, span.exit) for student, span in seen if span.school not in schools]
    marks, counts, closes = _known(district, students, schools)
    households = [child.household or child.name for child in district.children]
    names = {household: place for place, household in enumerate(dict.fromkeys(households))}
    known_on, student, at, marked, code = _columns(marks, 5)
    days = [(schools[s], day, open_) for s, given in district.calendar.items() for day, open_ in given.items()]
    school, day, open_ = _columns(days, 3)
    return History(
        student_ids=tuple(students),
        schools=tuple(schools),
        household=np.array([names[household] for household in households], np.int32),
        groups={},
        runs=columns.Runs(*_columns([(students[c.name], *run) for c in district.children for run in c.runs], 3)),
        spans=columns.Spans(*_columns(spans, 4)),
        calendar=columns.Calendar(school, day, open_.astype(np.bool_)),
        marks=columns.DayMarks(known_on, student, at, marked, code.astype(np.uint8)),
        counts=columns.Counts(*_columns(counts, 6)),
        closes=columns.Closes(*_columns(closes, 4)),
        identified_student=np.empty(0, np.int32),
        identified_day=np.empty(0, np.int32),
        rows=sum(map(len, district.rows.values())),
        unshared=columns.Spans(*_columns(elsewhere, 4)),
    )


def _columns(rows: Sequence[tuple[int, ...]], width: int) -> list[columns.Ints]:
    return list(np.array(rows, np.int32).reshape(-1, width).T.copy())


Rows = list[tuple[int, ...]]


def _known(district: District, students: dict[str, int], schools: dict[str, int]) -> tuple[Rows, Rows, Rows]:
    marks: Rows = []
    counts: Rows = []
    closes: Rows = []
    said: dict[tuple[str, int], DayMarks] = {}
    codes: dict[tuple[str, str, int], int] = {}
    counting, reporting = Counting(), district.reporting()
    for day in district.days():
        for row in district.passed(day):
            at = NO_TIME if row.recorded_at is None else round(row.recorded_at.timestamp() * 1_000_000)
            new = SectionMark(row.school, row.section or "", code_of(row.status, row.excused), at)
            said[row.student, row.day] = with_mark(said.get((row.student, row.day), ()), new)
        for key in sorted({(row.student, row.school, row.day) for row in district.passed(day)}):
            code = day_code(said[key[0], key[2]], key[1])
            if code is not None and codes.get(key) != code:
                codes[key] = code
                marks.append((day, students[key[0]], schools[key[1]], key[2], code))
        rows = district.rows.get(day, [])
        for school, on in sorted(counting.add(rows)):
            counts.append((day, schools[school], on, *counting.of(school, on), district.expected(school, on)))
        reporting.see((row.school, date.fromordinal(row.day)) for row in rows)
        for school, report in reporting.schools.items():
            due = report.due()
            report.closed.update(due)
            closes += [(day, schools[school], on.toordinal(), district.expected(school, on.toordinal())) for on in due]
    return marks, counts, closes
