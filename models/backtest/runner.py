"""One strategy on its way through a history: its levels, what it told, and its thresholds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from models.backtest.district import District
from models.backtest.history import Codes, Ints
from models.backtest.ledger import Ledger, Places
from models.backtest.levels import Levels, Strategy, lifted
from models.backtest.scores import Scores
from models.backtest.told import Told
from models.capacity import RECENT_WEEKS, WEEK, WEEK_DAYS, WeekCounts, count_week, next_threshold
from models.policy import ELEVATED, NONE, WATCH, Household, Policy
from models.school_year import year_of


class Runner:
    """A strategy that decides, tells and, with a model, fills the capacity."""

    def __init__(
        self,
        strategy: Strategy,
        district: District,
        ledger: Ledger,
        policy: Policy,
        capacity: int | None,
        early: Sequence[float],
    ) -> None:
        self._district = district
        self._ledger = ledger
        self._capacity = capacity if strategy.model else None
        self._early = early
        self._household = next((rule for rule in policy.rules if isinstance(rule, Household)), None)
        self.levels = Levels(strategy, ledger, policy.calm_days)
        self.told = Told(len(district.units.student))
        self.found: list[float] = []
        """Every week's threshold, log-odds."""
        self._weeks: list[WeekCounts] = []
        self._closed = 0
        self._year = 0

    def standing(self, unit: Places) -> tuple[Codes, Codes]:
        """Levels with the household's rule, and their sources, of units by household."""
        now = self.levels.now(unit)
        level = np.where(self._ledger.length[unit] > 0, now["level"], NONE).astype(np.uint8)
        if self._household is None or not self.levels.strategy.rules:
            return level, now["source"]
        raised: Ints = self._district.columns[now["raised"]]
        lowest = ELEVATED if self.levels.strategy.model else WATCH
        household = self._district.units.household[unit]
        return lifted(level, raised, household, self._household.days, lowest), now["source"]

    def tell(self, day: int, position: int) -> None:
        """Tell the levels at a day's end; a consent that has ended ends its alert."""
        units = self._district.units
        ended = np.flatnonzero(units.last + 1 == day)
        none = np.zeros(len(ended), dtype=np.uint8)
        self.told.tell(ended, units.student[ended], position, none, none, none > 0, year=year_of(day))
        unit = np.flatnonzero(units.active(day))
        level, source = self.standing(unit)
        last = self._ledger.at(unit, self._ledger.length[unit])
        shock = self._ledger.shock[last]
        self.told.tell(unit, units.student[unit], position, level, source, shock, year=year_of(day))

    def close_week(self, monday: int, unit: Places, scores: Scores) -> None:
        """Find the next week's threshold."""
        if self._capacity is None:
            return
        if year_of(monday) != self._year:
            self._year, self._weeks, self._closed = year_of(monday), [], 0
        now, before, peak = scores.now(unit), scores.back(unit, WEEK_DAYS), scores.peak(unit)
        self._weeks.append(count_week(self.told.entered[self._year], now, before, peak, self.levels.can_enter(unit)))
        self._weeks = self._weeks[-RECENT_WEEKS:]
        self._closed += 1
        threshold = next_threshold(self._weeks, self._closed, self._capacity, self._early)
        self.levels.thresholds.by_week[monday + WEEK] = threshold
        self.found.append(threshold)
