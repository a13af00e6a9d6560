"""What is known of each student-day, moved forward a day at a time, handed to the engine."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from models.arrays import Flags, Ints, Places
from models.backtest.facts import Facts
from models.backtest.history import History
from models.backtest.units import NOWHERE, Units, make_units, spans_of
from models.engine.cohort import Cohort
from models.engine.levels import Strategy
from models.engine.register import LIVE
from models.engine.scores import Since
from models.enrollment import segments
from models.policy import Policy
from models.school_year import year_of


class Year:
    """The units of a school year, and their cohort: unit `first` is its row 0."""

    def __init__(self, cohort: Cohort, first: int) -> None:
        self.cohort = cohort
        self.first = first


class District:
    """The cohorts of a history, by school year."""

    def __init__(
        self, history: History, policy: Policy, strategies: Sequence[Strategy] = (), models: Sequence[Since] = ()
    ) -> None:
        self._history = history
        self.facts = Facts(history, policy)
        self.columns: Ints = self.facts.columns()
        """Every day that can count for somebody, as ordinals."""
        self.open: Flags = self.facts.open(self.columns)
        self.units: Units = make_units(history, self.columns)
        self._met = 0
        """The last day on which siblings were looked for; 0 before the first."""
        self.years = {
            year: self._year(year, policy, strategies, models)
            for year in sorted({year_of(day) for day in self.columns.tolist()})
        }

    def learn(self, day: int) -> Year | None:
        """Take what was handed in on a day; the school year that it concerns, None without any."""
        year = self.years.get(year_of(day))
        changed = self.facts.learn(day)
        if year is None:
            return None
        self._meet(year, day)
        register = year.cohort.register
        for school, on in changed:
            if register.has(on):
                number, column = register.number(self._history.schools[school]), register.column(on)
                if register.look_up_all(number, column):
                    rows = register.at_school(self._history.schools[school], on)
                    year.cohort.touch(rows[self._active(year, rows, day)], column)
        self._take_marks(year, day)
        return year

    def active(self, year: Year, day: int) -> Places:
        """The rows of the units whose run holds on the day."""
        rows = np.arange(year.cohort.register.rows)
        return rows[self._active(year, rows, day)]

    def enrolled(self, day: int) -> Flags:
        """Per student: whether enrolled somewhere on a calendar day."""
        spans = self._history.spans
        result = np.zeros(len(self._history.student_ids), dtype=np.bool_)
        result[spans.student[(spans.entry <= day) & (day <= spans.exit)]] = True
        return result

    def had_school(self, first: int, last: int) -> bool:
        """Whether any school has closed a day from first through last."""
        return any(day in school.closed for school in self.facts.schools for day in range(first, last + 1))

    def _year(self, number: int, policy: Policy, strategies: Sequence[Strategy], models: Sequence[Since]) -> Year:
        units = self.units.of_year(number)
        year = Year(Cohort(policy, number, strategies, models, moments=False), units.start)
        cohort, register = year.cohort, year.cohort.register
        register.state_of = self.facts.state
        cohort.add(units.stop - units.start)
        register.rows = units.stop - units.start
        for school in self._history.assumed:
            register.assume(self._history.schools[school], assumed=True)
        for day in self.columns.tolist():
            if year_of(day) == number:
                cohort.column(day)
        first, last = self.units.first[units].tolist(), self.units.last[units].tolist()
        for row, spans in enumerate(spans_of(self._history, self.units.student[units])):
            register.place(row, segments(spans, first[row], last[row]))
        return year

    def _meet(self, year: Year, day: int) -> None:
        """Who shares in whose scores: of the household's other students those whose run holds."""
        units, rows = self.units, np.arange(year.cohort.register.rows) + year.first
        if self._met == 0:
            began = units.first[rows] <= day
        else:
            began = (units.first[rows] > self._met) & (units.first[rows] <= day)
        ended = (units.last[rows] >= self._met) & (units.last[rows] < day)
        self._met = day
        homes = set(units.household[rows[began | ended]].tolist())
        if not homes:
            return
        active = self._active(year, rows - year.first, day)
        by_home: defaultdict[int, list[int]] = defaultdict(list)
        for row in np.flatnonzero(np.isin(units.household[rows], list(homes))).tolist():
            by_home[int(units.household[row + year.first])].append(row)
        for home in by_home.values():
            there = [row for row in home if active[row]]
            for row in home if len(home) > 1 else ():
                year.cohort.scores.siblings.set(row, [other for other in there if other != row] if active[row] else ())

    def _active(self, year: Year, rows: Places, day: int) -> Flags:
        unit = rows + year.first
        return np.asarray((self.units.first[unit] <= day) & (day <= self.units.last[unit]))

    def _take_marks(self, year: Year, day: int) -> None:
        marks, register = self._history.marks, year.cohort.register
        rows = slice(*np.searchsorted(marks.known_on, (day, day + 1)).tolist())
        unit = self.units.of_students(day)[marks.student[rows]]
        column = np.searchsorted(register.ordinals, marks.day[rows])
        ours = np.flatnonzero(unit != NOWHERE)
        ours = ours[(column[ours] < register.columns)]
        ours = ours[register.ordinals[column[ours]] == marks.day[rows][ours]]
        row, column, code = unit[ours] - year.first, column[ours], marks.code[rows][ours]
        numbers = np.array([register.number(school) for school in self._history.schools], np.uint16)
        school = numbers[marks.school[rows][ours]]
        here = np.flatnonzero(register.school_of(row, column) == school)
        row, column = row[here], column[here]
        register.said[row, column], register.said_at[row, column] = code[here] | LIVE, school[here]
        if len(row):
            year.cohort.touch(row, column)
