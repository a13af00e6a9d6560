"""What is known of each student-day, moved forward a day at a time: marks, closes and shock days, as columns."""

from __future__ import annotations

import numpy as np

from models.attendance import PRESENT
from models.backtest.facts import Changed, Facts
from models.backtest.history import Codes, Flags, History, Ints
from models.backtest.ledger import Places
from models.backtest.units import NOWHERE, Units, make_units
from models.policy import Policy

UNMARKED = 0
NEVER = np.iinfo(np.int16).max


class District:
    """Cells of units by columns. `learn` says from which column on a unit's days must be told anew."""

    def __init__(self, history: History, policy: Policy) -> None:
        self._history = history
        self.facts = Facts(history, policy)
        self.columns: Ints = self.facts.columns()
        self.open: Flags = self.facts.open(self.columns)
        self.units: Units = make_units(history, self.columns)
        shape = (len(self.units.student), len(self.columns))
        self._marked: Codes = np.full(shape, UNMARKED, dtype=np.uint8)
        self.counted: Flags = np.zeros(shape, dtype=np.bool_)
        self.newest = 0
        """The last column that counts for anybody so far."""
        self.shock: Flags = np.zeros(self.open.shape, dtype=np.bool_)
        """Schools by columns."""

    def learn(self, day: int) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
        """Take what was handed in on a day; per unit, the first column of which something changed, else `NEVER`."""
        changed = np.full(len(self.units.student), NEVER, dtype=np.int16)
        active = self.units.active(day)
        closed, turned = self.facts.learn(day)
        self._take_marks(day, changed)
        for column, schools in self._by_column(closed).items():
            at = self._at(column, schools) & active & ~self.counted[:, column]
            self._count(np.flatnonzero(at), column, changed)
        for column, perhaps in self._by_column(turned).items():
            schools = [school for school in perhaps if self.shock[school, column] != self._is_shock(school, column)]
            self.shock[schools, column] ^= True
            units = np.flatnonzero(self._at(column, schools) & self.counted[:, column] & active)
            changed[units] = np.minimum(changed[units], np.int16(column))
        return changed

    def codes(self, unit: Places, column: Ints) -> Codes:
        """What these days came to; an unmarked one of a closed day was a day of presence."""
        marked = self._marked[unit, column]
        return np.where(marked == UNMARKED, np.uint8(PRESENT), marked)

    def enrolled(self, day: int) -> Flags:
        """Per student: whether enrolled somewhere on a calendar day."""
        spans = self._history.spans
        result = np.zeros(len(self._history.student_ids), dtype=np.bool_)
        result[spans.student[(spans.entry <= day) & (day <= spans.exit)]] = True
        return result

    def had_school(self, first: int, last: int) -> bool:
        """Whether any school has closed a day from first through last."""
        return any(day in school.closed for school in self.facts.schools for day in range(first, last + 1))

    def _take_marks(self, day: int, changed: np.ndarray[tuple[int], np.dtype[np.int16]]) -> None:
        marks = self._history.marks
        rows = slice(*np.searchsorted(marks.known_on, (day, day + 1)).tolist())
        unit = self.units.of_students(day)[marks.student[rows]]
        column = np.searchsorted(self.columns, marks.day[rows])
        ours = unit != NOWHERE
        ours[ours] &= self.units.school[unit[ours], column[ours]] == marks.school[rows][ours]
        unit, column, code = unit[ours], column[ours].astype(np.int16), marks.code[rows][ours]
        new = self._marked[unit, column] != code
        unit, column, code = unit[new], column[new], code[new]
        told_the_same = self.counted[unit, column] & (self.codes(unit, column) == code)
        self._marked[unit, column] = code
        counts = self.open[self.units.school[unit, column], column] & ~told_the_same
        unit, column = unit[counts], column[counts]
        self.counted[unit, column] = True
        self.newest = max(self.newest, int(column.max(initial=0)))
        np.minimum.at(changed, unit, column)

    def _count(self, units: Places, column: int, changed: np.ndarray[tuple[int], np.dtype[np.int16]]) -> None:
        self.counted[units, column] = True
        self.newest = max(self.newest, column)
        changed[units] = np.minimum(changed[units], np.int16(column))

    def _is_shock(self, school: int, column: int) -> bool:
        """As it is known now: several counts of one day may have turned it to and fro."""
        return int(self.columns[column]) in self.facts.schools[school].shocks

    def _at(self, column: int, schools: list[int]) -> Flags:
        at = np.zeros(len(self.open) + 1, dtype=np.bool_)
        at[schools] = True
        return np.asarray(at[self.units.school[:, column]])

    def _by_column(self, changes: list[Changed]) -> dict[int, list[int]]:
        """Schools by column, of days that can count."""
        result: dict[int, list[int]] = {}
        for school, day in changes:
            column = int(np.searchsorted(self.columns, day))
            if column < len(self.columns) and self.columns[column] == day and self.open[school, column]:
                result.setdefault(column, []).append(school)
        return result
