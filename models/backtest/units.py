"""Who is walked: a student's run of consent within one school year, for what was known before it is not kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.arrays import Flags, Ints
from models.backtest.history import History, Spans
from models.engine.register import NOT_SHARED
from models.engine.scores import MOST_AT_HOME
from models.enrollment import Span
from models.school_year import first_day, last_day, year_of

NOWHERE = -1


@dataclass(frozen=True, slots=True)
class Units:
    """One row per run of consent and school year, by school year, then household."""

    student: Ints
    household: Ints
    first: Ints
    last: Ints
    """Inclusive ordinals."""

    def active(self, day: int) -> Flags:
        """Per unit: whether its run holds on the day."""
        return np.asarray((self.first <= day) & (day <= self.last))

    def of_students(self, day: int) -> Ints:
        """Per student: the unit whose run holds on the day, or NOWHERE."""
        result = np.full(int(self.student.max(initial=-1)) + 1, NOWHERE, dtype=np.int32)
        found = np.flatnonzero(self.active(day)).astype(np.int32)
        result[self.student[found]] = found
        return result

    def of_year(self, year: int) -> slice:
        """The units of a school year."""
        years = np.array([year_of(int(first)) for first in self.first])
        found = np.flatnonzero(years == year)
        begins, ends = (int(found[0]), int(found[-1]) + 1) if len(found) else (0, 0)
        return slice(begins, ends)


def make_units(history: History, columns: Ints) -> Units:
    """The units of a history; days are columns."""
    rows = [
        (int(student), max(int(first), first_day(year)), min(int(last), last_day(year)))
        for student, first, last in zip(history.runs.student, history.runs.first, history.runs.last, strict=True)
        for year in _years(columns, int(first), int(last))
    ]
    student, first, last = np.array(rows, dtype=np.int32).reshape(-1, 3).T
    year = np.array([year_of(day) for day in first.tolist()], dtype=np.int32)
    order = np.lexsort((first, student, history.household[student], year))
    student, first, last = student[order], first[order], last[order]
    household = history.household[student]
    crowded = np.flatnonzero(np.bincount(history.household)[household] > MOST_AT_HOME)
    household[crowded] = int(history.household.max(initial=0)) + 1 + student[crowded]
    return Units(student, household, first, last)


def _years(columns: Ints, first: int, last: int) -> list[int]:
    """The school years of the history in which a run has days."""
    years = range(year_of(int(columns[0])), year_of(int(columns[-1])) + 1) if len(columns) else range(0)
    return [year for year in years if first <= last_day(year) and first_day(year) <= last]


def spans_of(history: History, student: Ints) -> list[list[Span]]:
    """The enrollment spans of each of these students, also those where nothing is shared."""
    shared = _by_student(history.spans, history.schools, student)
    if history.unshared is None:
        return shared
    elsewhere = _by_student(history.unshared, (NOT_SHARED,), student)
    return [mine + others for mine, others in zip(shared, elsewhere, strict=True)]


def _by_student(spans: Spans, schools: Sequence[str], student: Ints) -> list[list[Span]]:
    order = np.argsort(spans.student, kind="stable")
    starts, ends = (np.searchsorted(spans.student[order], student, side=side) for side in ("left", "right"))
    entry, exit_ = spans.entry[order].tolist(), spans.exit[order].tolist()
    school = [schools[number] for number in spans.school[order].tolist()]
    calendar = spans.calendar or ("",) * len(school)
    follows = [calendar[place] for place in order.tolist()]
    return [
        [Span(entry[at], exit_[at], school[at], follows[at]) for at in range(start, end)]
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True)
    ]
