"""One strategy on its way through a history: what it emitted, and its thresholds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from models.arrays import Codes, Ints, Places
from models.backtest.district import District, Year
from models.backtest.emitted import EmittedLevels
from models.capacity import RECENT_WEEKS, WEEK, WeekCounts, count_week, next_threshold
from models.engine.levels import Levels, Strategy
from models.policy import ELEVATED, NONE, URGENT, WATCH, Household, Policy
from models.school_year import year_of


class Runner:
    """A strategy that emits and, with a model, fills the capacity. `place` is that of its levels in the cohorts."""

    def __init__(
        self,
        strategy: Strategy,
        place: int,
        district: District,
        policy: Policy,
        capacity: int | None,
        early: Sequence[float],
    ) -> None:
        self._strategy = strategy
        self._place = place
        self._district = district
        self._capacity = capacity if strategy.model else None
        self._early = early
        self._household = next((rule for rule in policy.rules if isinstance(rule, Household)), None)
        self.emitted = EmittedLevels(len(district.units.student))
        self.found: list[float] = []
        """Every week's threshold, log-odds."""
        self._weeks: list[WeekCounts] = []
        self._closed = 0
        self._year = 0

    def levels(self, year: Year) -> Levels:
        """The strategy's levels of a school year."""
        return year.cohort.levels[self._place]

    def standing(self, year: Year, rows: Places) -> tuple[Codes, Codes]:
        """Levels with the household's rule, and their sources, of rows by household."""
        levels = self.levels(year)
        level = np.where(year.cohort.ledger.length[rows] > 0, levels.level[rows], NONE).astype(np.uint8)
        if self._household is None or not self._strategy.rules:
            return level, levels.source[rows]
        lowest = ELEVATED if self._strategy.model else WATCH
        household = self._district.units.household[rows + year.first]
        return lifted(level, levels.raised[rows], household, self._household.days, lowest), levels.source[rows]

    def emit(self, year: Year, day: int, position: int) -> None:
        """Emit the levels at a day's end; a consent that has ended ends its alert."""
        units = self._district.units
        ended = np.flatnonzero(units.last + 1 == day)
        none = np.zeros(len(ended), dtype=np.uint8)
        self.emitted.emit(ended, units.student[ended], position, none, none, none > 0, year=year_of(day))
        rows = self._district.active(year, day)
        level, source = self.standing(year, rows)
        unit = rows + year.first
        shock = year.cohort.shock_on_last_day(rows)
        self.emitted.emit(unit, units.student[unit], position, level, source, shock, year=year_of(day))

    def close_week(self, year: Year, monday: int, rows: Places) -> None:
        """Find the next week's threshold."""
        if self._capacity is None:
            return
        if year_of(monday) != self._year:
            self._year, self._weeks, self._closed = year_of(monday), [], 0
        standing = year.cohort.standing(rows, self.levels(year))
        self._weeks.append(count_week(self.emitted.entered[self._year], *standing))
        self._weeks = self._weeks[-RECENT_WEEKS:]
        self._closed += 1
        threshold = next_threshold(self._weeks, self._closed, self._capacity, self._early)
        for each in self._district.years.values():
            self.levels(each).thresholds[0].by_week[monday + WEEK] = threshold
        self.found.append(threshold)


def lifted(level: Codes, raised: Ints, household: Ints, days: int, lowest: int) -> Codes:
    """One level up where a sibling's alert stands that was raised within `days`; rows are by household.

    As `models.engine.episodes.with_household`, on the present day; `raised` are ordinals.
    """
    result = np.zeros(len(level), dtype=np.bool_)
    apart = 1
    while apart < len(level):
        same = household[apart:] == household[:-apart]
        if not same.any():
            break
        near = same & (level[apart:] > 0) & (level[:-apart] > 0)
        near &= np.abs(raised[apart:] - raised[:-apart]) <= days
        result[apart:] |= near
        result[:-apart] |= near
        apart += 1
    return np.where(result & (level >= lowest), np.minimum(level + 1, URGENT), level).astype(np.uint8)
