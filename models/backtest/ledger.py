"""Every student's counted days as running totals, one column a student: what `models.track.Track` keeps, in arrays.

Totals are by position: row 0 is the state before the first day, row n that after n days. Days are added at
the end; whoever goes back to an earlier day adds the days after it anew.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from models.attendance import EARLY_DEPARTURE, EXCUSED, PARTIAL, TARDY, UNEXCUSED
from models.backtest.history import Codes, Flags, Ints
from models.features import INPUTS, KINDS, NO_MOVE, WINDOWS, Inputs

Small = npt.NDArray[np.int16]
Places = npt.NDArray[np.intp]

_NOWHERE = -1
_CODES = {"unexcused": (UNEXCUSED,), "excused": (EXCUSED,), "late": (TARDY,), "left": (EARLY_DEPARTURE, PARTIAL)}
_KIND = np.full(256, len(KINDS), dtype=np.int16)
"""By code: the position in `KINDS`, one more for present."""
for _place, _name in enumerate(KINDS):
    _KIND[list(_CODES[_name])] = _place


class Ledger:
    """Totals of `students` students over at most `days` days."""

    def __init__(self, students: int, days: int) -> None:
        self.students = students
        self.length = np.zeros(students, dtype=np.intp)
        """Per student: how many days count so far."""
        shape = (days + 1) * students
        self.column = np.full(shape, _NOWHERE, dtype=np.int16)
        """Per day: which column of the calendar it is."""
        self.counts = np.zeros((len(KINDS), shape), dtype=np.int16)
        """Days of each of `KINDS` so far; a shock day is of none."""
        self.absent = np.zeros(shape, dtype=np.int16)
        """Absences for any reason, shock days too."""
        self.shock_absent = np.zeros(shape, dtype=np.int16)
        """Absences on shock days since the last ordinary absence."""
        self.shock = np.zeros(shape, dtype=np.bool_)
        self.streak = np.zeros(shape, dtype=np.int16)
        self.moves = np.zeros(shape, dtype=np.int16)
        self.moved_at = np.full(shape, -1, dtype=np.int16)
        self.school = np.full(shape, _NOWHERE, dtype=np.int16)
        self.ordinary = np.zeros(shape, dtype=np.int16)
        """Days that are neither excused nor shock."""
        self.ordinary_unexcused = np.zeros(shape, dtype=np.int16)
        """By number of ordinary days: the unexcused ones among them."""

    def at(self, student: Places, length: Places) -> Places:
        """Where the totals after so many days lie."""
        return np.asarray(length, dtype=np.intp) * self.students + student

    def cut(self, student: Places, first: Small) -> Flags:
        """Take back each student's days from a column on; whether a later one was among them."""
        later = self.column[self.at(student, self.length[student])] > first
        self.length[student] = self.before(student, first)
        return np.asarray(later)

    def before(self, student: Places, column: Small | Ints) -> Places:
        """How many days each has before a column."""
        length = self.length[student]
        last = self.column[self.at(student, length)]  # NOWHERE before the first day
        while (wrong := last >= column).any():
            length = length - wrong
            last = self.column[self.at(student, length)]
        return length

    def append(self, student: Places, column: Ints, code: Codes, shock: Flags, school: Small) -> Places:
        """Add a day to each of these distinct students; where their totals now lie."""
        before = self.at(student, self.length[student])
        now = before + self.students
        kind = np.where(shock, len(KINDS), _KIND[code])
        for place in range(len(KINDS)):
            self.counts[place, now] = self.counts[place, before] + (kind == place)
        absent = (code == UNEXCUSED) | (code == EXCUSED)
        unexcused, neutral = kind == 0, shock | (code == EXCUSED)
        self.column[now] = column
        self.shock[now] = shock
        self.absent[now] = self.absent[before] + absent
        aside = self.shock_absent[before]
        self.shock_absent[now] = np.where(absent, np.where(shock, aside + 1, 0), aside)
        streak = self.streak[before]
        self.streak[now] = np.where(unexcused, streak + 1, np.where(neutral, streak, 0))
        moved = (self.school[before] != school) & (self.school[before] != _NOWHERE)
        self.moves[now] = self.moves[before] + moved
        self.moved_at[now] = np.where(moved, self.length[student], self.moved_at[before])
        self.school[now] = school
        ordinary = self.ordinary[before] + ~neutral
        self.ordinary[now] = ordinary
        self.ordinary_unexcused[self.at(student, ordinary)] = self.counts[0, now]
        self.length[student] += 1
        return now

    def inputs(self, student: Places) -> Inputs:
        """The model's inputs of these students as of their last day."""
        length = self.length[student]
        now = self.at(student, length)
        starts = [self.at(student, np.maximum(length - window, 0)) for window in WINDOWS]
        result = np.empty((len(INPUTS), len(student)), dtype=np.int32)
        result[0] = length
        row = 1
        for place in range(len(KINDS)):
            until_now = self.counts[place, now]
            for start in starts:
                np.subtract(until_now, self.counts[place, start], out=result[row], casting="unsafe")
                row += 1
        for place in range(len(KINDS)):
            result[row] = self.counts[place, now]
            row += 1
        result[row] = self.streak[now]
        moved_at = self.moved_at[now]
        result[row + 1] = np.where(moved_at < 0, NO_MOVE, np.minimum(length - 1 - moved_at, NO_MOVE))
        return result.T

    def window(self, place: int, student: Places, days: int) -> Small:
        """Days of a kind (a position in `KINDS`) among the last so many."""
        length = self.length[student]
        start = self.at(student, np.maximum(length - days, 0))
        counts = self.counts[place]
        return np.asarray(counts[self.at(student, length)] - counts[start])

    def ordinary_window(self, student: Places, days: int) -> tuple[Small, Small]:
        """Unexcused absences among the last so many days that are neither excused nor shock, and how many there are."""
        ordinary = self.ordinary[self.at(student, self.length[student])].astype(np.intp)
        of = np.minimum(ordinary, days)
        last = self.ordinary_unexcused[self.at(student, ordinary)]
        first = self.ordinary_unexcused[self.at(student, ordinary - of)]
        return np.asarray(last - first), of.astype(np.int16)
