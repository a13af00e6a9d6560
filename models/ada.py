"""Average daily attendance by school, grade and month: attended student-days by days of school.

The usual definition: the days that students attended, by the days on which school was held; beside it average daily
membership, the days on which they were enrolled by the same. A tardy, an early departure and a partial day count as
attended.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from models.attendance import EXCUSED, UNEXCUSED
from models.engagement.days import ReportedDays, SchoolDay
from models.enrollment import Segment

UNKNOWN_GRADE = ""
_LONGEST_MONTH = 30
"""Days after its first."""
Marks = Callable[[SchoolDay], int | None]
"""The code of a student's school day (`models.attendance.day_code`); None when nothing was said of it."""


class SchoolMonth(NamedTuple):
    """A calendar month."""

    year: int
    month: int

    def __str__(self) -> str:
        return f"{self.year}-{self.month:02}"


class CellKey(NamedTuple):
    """Of whom an average is, and of when."""

    school: str
    grade: str
    """Empty when it is unknown."""
    month: SchoolMonth


class StudentDay(NamedTuple):
    """A reported school day on which a student was enrolled."""

    school: str
    day: date
    absent: bool


@dataclass(frozen=True, slots=True)
class AdaCell:
    """One average, or the place of one that is not shown: then all but its key and the days of school are None."""

    key: CellKey
    school_days: int
    """On which the school held school, and said who was absent."""
    students: int | None
    membership_days: int | None
    attended_days: int | None

    @property
    def suppressed(self) -> bool:
        """Whether it is of too few students to be shown."""
        return self.students is None

    @property
    def average_daily_attendance(self) -> float | None:
        """Students who attended on a day of school, on average."""
        return None if self.attended_days is None else self.attended_days / self.school_days

    @property
    def average_daily_membership(self) -> float | None:
        """Students who were enrolled on a day of school, on average."""
        return None if self.membership_days is None else self.membership_days / self.school_days

    @property
    def attendance_rate(self) -> float | None:
        """The share of the days enrolled that were attended, 0-1."""
        if self.attended_days is None or not self.membership_days:
            return None
        return self.attended_days / self.membership_days


@dataclass(slots=True)
class _Sum:
    students: int = 0
    membership: int = 0
    absent: int = 0


class AttendanceSums:
    """Sums over students, each added once."""

    def __init__(self) -> None:
        self._sums: defaultdict[CellKey, _Sum] = defaultdict(_Sum)

    def add(self, grade: str | None, days: Iterable[StudentDay]) -> None:
        """Add a student's days; one that is told by several disclosures counts once, as the first told it."""
        mine: defaultdict[CellKey, _Sum] = defaultdict(_Sum)
        seen: set[date] = set()
        for school, day, absent in days:
            if day in seen:
                continue
            seen.add(day)
            of_month = mine[CellKey(school, grade or UNKNOWN_GRADE, SchoolMonth(day.year, day.month))]
            of_month.membership += 1
            of_month.absent += absent
        for key, of_month in mine.items():
            total = self._sums[key]
            total.students += 1
            total.membership += of_month.membership
            total.absent += of_month.absent

    def cells(self, calendars: Sequence[ReportedDays], small_cell: int) -> list[AdaCell]:
        """The averages in order; of fewer students than `small_cell` none is shown.

        A school's days are those of the first of the `calendars` that has any.
        """
        return [
            AdaCell(key, days, total.students, total.membership, total.membership - total.absent)
            if total.students >= small_cell
            else AdaCell(key, days, None, None, None)
            for key, total in sorted(self._sums.items())
            if (days := next((found for one in calendars if (found := _school_days(key, one))), 0))
        ]


def days_of(parts: Sequence[Segment], code: Marks, reported: ReportedDays) -> Iterator[StudentDay]:
    """A student's days in disjoint segments: those that the school has reported. Without a mark one was attended."""
    for part in parts:
        for day in reported.between(part):
            yield StudentDay(part.school, day, code((part.school, day)) in (EXCUSED, UNEXCUSED))


def _school_days(key: CellKey, reported: ReportedDays) -> int:
    """By the school's own calendar."""
    first = date(*key.month, 1).toordinal()
    whole = reported.between(Segment(first, first + _LONGEST_MONTH, key.school))
    return sum((day.year, day.month) == key.month for day in whole)
