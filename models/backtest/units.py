"""Who is walked: a student's run of consent within one school year, for what was known before it is not kept."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.backtest.history import Flags, History, Ints
from models.backtest.ledger import Small
from models.school_year import first_day, last_day, year_of

NOWHERE = -1


@dataclass(frozen=True, slots=True)
class Units:
    """One row per run of consent and school year, by household."""

    student: Ints
    household: Ints
    first: Ints
    last: Ints
    """Inclusive ordinals."""
    school: Small
    """Units by columns: the school at which the day counts, or NOWHERE."""

    def active(self, day: int) -> Flags:
        """Per unit: whether its run holds on the day."""
        return np.asarray((self.first <= day) & (day <= self.last))

    def of_students(self, day: int) -> Ints:
        """Per student: the unit whose run holds on the day, or NOWHERE."""
        result = np.full(int(self.student.max(initial=-1)) + 1, NOWHERE, dtype=np.int32)
        found = np.flatnonzero(self.active(day)).astype(np.int32)
        result[self.student[found]] = found
        return result

    def siblings(self) -> list[Ints]:
        """Arrays per unit that together hold all units of the household's other students; NOWHERE fills them up."""
        count = len(self.household)
        result: list[Ints] = []
        for apart in range(1, count):
            same = self.household[apart:] == self.household[:-apart]
            if not same.any():
                break
            others = same & (self.student[apart:] != self.student[:-apart])
            at = np.flatnonzero(others).astype(np.int32)
            for one, other in ((at, at + apart), (at + apart, at)):
                column = np.full(count, NOWHERE, dtype=np.int32)
                column[one] = other
                result.append(column)
        return result


def make_units(history: History, columns: Ints) -> Units:
    """The units of a history; days are columns."""
    rows = [
        (int(student), max(int(first), first_day(year)), min(int(last), last_day(year)))
        for student, first, last in zip(history.runs.student, history.runs.first, history.runs.last, strict=True)
        for year in _years(columns, int(first), int(last))
    ]
    student, first, last = np.array(rows, dtype=np.int32).reshape(-1, 3).T
    order = np.lexsort((first, student, history.household[student]))
    student, first, last = student[order], first[order], last[order]
    school = _schools(history, columns, student, first, last)
    return Units(student, history.household[student], first, last, school)


def _years(columns: Ints, first: int, last: int) -> list[int]:
    """The school years of the history in which a run has days."""
    years = range(year_of(int(columns[0])), year_of(int(columns[-1])) + 1) if len(columns) else range(0)
    return [year for year in years if first <= last_day(year) and first_day(year) <= last]


def _schools(history: History, columns: Ints, student: Ints, first: Ints, last: Ints) -> Small:
    """A day inside two spans counts at the school entered later (`models.enrollment.segments`)."""
    spans = history.spans
    order = np.lexsort((spans.school, spans.exit, spans.entry, spans.student))
    of = spans.student[order]
    starts, ends = np.searchsorted(of, student), np.searchsorted(of, student, side="right")
    result = np.full((len(student), len(columns)), NOWHERE, dtype=np.int16)
    for rank in range(int((ends - starts).max(initial=0))):
        unit = np.flatnonzero(starts + rank < ends)
        span = order[starts[unit] + rank]
        from_ = np.searchsorted(columns, np.maximum(spans.entry[span], first[unit]))
        to = np.searchsorted(columns, np.minimum(spans.exit[span], last[unit]), side="right")
        at = np.arange(len(columns))
        inside = (from_[:, None] <= at) & (at < to[:, None])
        part = result[unit]
        result[unit] = np.where(inside, spans.school[span].astype(np.int16)[:, None], part)
    return result
