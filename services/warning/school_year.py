"""A partition's students in one school year: their columns, and who has which row."""

from __future__ import annotations

from bisect import bisect_left
from calendar import monthrange
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import NamedTuple

import numpy as np

from models.arrays import Flags, Places, grown
from models.engine.cohort import Cohort
from models.engine.levels import Levels, Strategy
from models.engine.marks import Marks
from models.engine.scores import Since
from models.enrollment import Segment
from models.policy import Policy
from models.school_year import FIRST_MONTH, year_of
from services.warning.student import NO_ROW, Student

BLOCK = 32
"""Rows that are stored together."""
MONTHS = 13
"""Calendar months by number; 0 is none."""


class Sealed(NamedTuple):
    """What is stored of a student, still sealed."""

    pseudonym: str
    value: bytes


class SchoolYear:
    """Rows are given out once; a row whose student left stays empty."""

    def __init__(
        self,
        policy: Policy,
        year: int,
        strategy: Strategy,
        models: Sequence[Since],
        state_of: Callable[[str, int], tuple[int, bool]],
    ) -> None:
        self.year = year
        self.cohort = Cohort(policy, year, [strategy], models)
        self.cohort.register.state_of = state_of
        self.marks = Marks(self.cohort)
        self.rows: dict[str, int] = {}
        """By pseudonym."""
        self.students: list[Student | None] = []
        """By row."""
        self._known: set[str] = set()
        """Schools whose closed days are all columns."""
        self.sealed: dict[tuple[int, int], Sealed] = {}
        """By row and month: days that no key opens, as they are stored."""
        self.changed: Flags = np.zeros((0, MONTHS), np.bool_)
        """Blocks by months: what must be written."""

    @property
    def levels(self) -> Levels:
        """The levels of the one strategy."""
        return self.cohort.levels[0]

    def enter(self, student: Student) -> None:
        """Give the student a row."""
        student.row = self.cohort.add()
        self.students.append(student)
        self.rows[student.pseudonym] = student.row
        self.grow()

    def grow(self) -> None:
        """Room for every row beside the columns."""
        room = len(self.cohort.register.first)
        self.changed = grown(self.changed, -(-room // BLOCK), MONTHS)

    def leave(self, student: Student) -> None:
        """Take the student's row back, with all that is in it."""
        self.empty(student.row)
        self.students[student.row] = None
        del self.rows[student.pseudonym]
        student.row, student.segments = NO_ROW, ()

    def empty(self, row: int) -> None:
        """Forget the days of a row."""
        register = self.cohort.register
        self.note(np.full(register.columns, row, np.intp), register.ordinals)
        self.cohort.clear(row)
        self.marks.clear(row)

    def drop_sealed(self, pseudonym: str) -> None:
        """Forget the days of a student that no key opens."""
        for row, month in [place for place, cell in self.sealed.items() if cell.pseudonym == pseudonym]:
            del self.sealed[row, month]
            self.changed[row // BLOCK, month] = True

    def know(self, school: str, closed: Iterable[int]) -> None:
        """Make columns of the days that a school has closed: on these, who has no mark was present."""
        if school not in self._known:
            self._known.add(school)
            for day in sorted(day for day in closed if year_of(day) == self.year):
                self.cohort.column(day)

    def belong(self, student: Student, agency: int) -> None:
        """Whose thresholds hold for the student: an agency's number."""
        if self.levels.agency[student.row] != agency:
            self.levels.agency[student.row] = agency
            self.cohort.forget_days(student.row)

    def place(self, student: Student, segments: tuple[Segment, ...]) -> None:
        """Where the student's days count."""
        if segments == student.segments:
            return
        student.segments = segments
        self.cohort.register.place(student.row, segments)
        self.cohort.forget_days(student.row)

    def columns_of(self, month: int) -> range:
        """The columns of a calendar month."""
        calendar_year = self.year if month >= FIRST_MONTH else self.year + 1
        first = date(calendar_year, month, 1).toordinal()
        last = first + monthrange(calendar_year, month)[1]
        days = self.cohort.register.days
        return range(bisect_left(days, first), bisect_left(days, last))

    def note_one(self, row: int, day: int) -> None:
        """A row's day is to be written."""
        self.changed[row // BLOCK, date.fromordinal(day).month] = True

    def note(self, rows: Places, days: Sequence[int] | np.ndarray[tuple[int], np.dtype[np.int32]]) -> None:
        """These rows' days are to be written."""
        dates = (np.asarray(days, np.int64) - _EPOCH).astype("datetime64[D]")
        months = dates.astype("datetime64[M]").astype(np.int64) % 12 + 1
        self.changed[np.asarray(rows) // BLOCK, months] = True


_EPOCH = date(1970, 1, 1).toordinal()
"""1 January 1970 as an ordinal."""
