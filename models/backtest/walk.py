"""Walks a history day by day, knowing on each day only what had been handed in, and keeps what is to be measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from models.arrays import Floats, Ints
from models.backtest.district import District, Year
from models.backtest.evidence import LevelChanges, Raised, Truth, WeekEnds
from models.backtest.history import History
from models.backtest.measures import Walked
from models.backtest.runner import Runner
from models.backtest.truth import find_truth
from models.backtest.week_ends import WeekEndRows
from models.capacity import DAYS_TO_SUNDAY, monday_of
from models.engine.levels import Strategy
from models.engine.scores import Since
from models.features import Inputs
from models.policy import Policy
from models.risk_model import RiskModel, probability

STRATEGIES: Final[dict[Walked, Strategy]] = {
    "both": Strategy(rules=True, model=True),
    "rules": Strategy(rules=True, model=False),
    "model": Strategy(rules=False, model=True),
}
Progress = Callable[[int, int], None]
"""Called with how many days of how many have been walked."""
DayScores = tuple[int, Ints, Floats]
"""An instructional day's ordinal, the students enrolled on it, and their probabilities."""


@dataclass(frozen=True, slots=True)
class Walk:
    """What a walk leaves."""

    truth: Truth
    week_ends: WeekEnds
    raised: dict[Walked, Raised]
    changes: dict[Walked, LevelChanges]
    first_threshold: float | None
    """Probability from which a student entered elevated in the first week that had one; None without a model."""
    last_threshold: float | None


class Walker:
    """A history on its way. With a model there must be a capacity; one that claims to see nothing takes no places."""

    def __init__(
        self,
        history: History,
        policy: Policy,
        model: RiskModel | None,
        capacity: int | None,
        *,
        claims: bool = True,
        early: Sequence[float] = (),
    ) -> None:
        strategies = {name: each for name, each in STRATEGIES.items() if model is not None or not each.model}
        models = [] if model is None else [Since(0, model)]
        self.district = District(history, policy, list(strategies.values()), models)
        self.truth = find_truth(history, self.district)
        self._history = history
        self._scored = model is not None
        self._runners = {
            name: Runner(strategy, place, self.district, policy, capacity if claims else None, early)
            for place, (name, strategy) in enumerate(strategies.items())
        }
        self._weeks = WeekEndRows(self.district, scored=model is not None)

    def run(
        self,
        progress: Progress | None = None,
        on_scores: Callable[[DayScores], None] | None = None,
        on_week_end: Callable[[Inputs], None] | None = None,
    ) -> Walk:
        """Walk every day; `on_scores` is given each instructional day's scores, `on_week_end` the model's inputs."""
        days = self._days()
        week_ends = set(self.truth.week_ends.tolist())
        position = -1
        for number, day in enumerate(days):
            year = self.district.learn(day)
            if position + 1 < len(self.truth.dates) and self.truth.dates[position + 1] == day:
                position += 1
            if year is not None:
                year.cohort.evaluate_all()
                ends_week = position in week_ends and bool(self.truth.dates[position] == day)
                self._look(year, day, position, on_scores, on_week_end if ends_week else None, ends_week=ends_week)
            if progress is not None:
                progress(number + 1, len(days))
        return self._walk()

    def _look(
        self,
        year: Year,
        day: int,
        position: int,
        on_scores: Callable[[DayScores], None] | None,
        on_week_end: Callable[[Inputs], None] | None,
        *,
        ends_week: bool,
    ) -> None:
        if on_scores is not None and self._scored and position >= 0 and self.truth.dates[position] == day:
            on_scores(self._day_scores(year, day))
        for runner in self._runners.values():
            runner.emit(year, day, max(position, 0))
        if ends_week:
            self._weeks.add(year, day, position, self._runners["rules"])
            if on_week_end is not None:
                on_week_end(year.cohort.inputs(self._weeks.enrolled(year, day)))
        if day - monday_of(day) == DAYS_TO_SUNDAY:
            self._close_week(year, day)

    def _days(self) -> range:
        """Calendar days from the first handing in to the last, or the last instructional day."""
        known = np.concatenate((self._history.marks.known_on, self._history.closes.known_on, self.truth.dates))
        return range(int(known.min()), int(known.max()) + 1) if len(known) else range(0)

    def _day_scores(self, year: Year, day: int) -> DayScores:
        rows = self._weeks.in_school(year, day)
        return day, self.district.units.student[rows + year.first], probability(year.cohort.now(rows))

    def _close_week(self, year: Year, sunday: int) -> None:
        monday = monday_of(sunday)
        if not self.district.had_school(monday, sunday):
            return
        enrolled = self.district.enrolled(sunday)
        rows = self.district.active(year, sunday)
        rows = rows[enrolled[self.district.units.student[rows + year.first]]]
        rows = rows[year.cohort.ledger.length[rows] > 0]
        for runner in self._runners.values():
            runner.close_week(year, monday, rows)

    def _walk(self) -> Walk:
        thresholds = self._runners["both"].found if "both" in self._runners else []
        shown = [float(probability(np.array([found]))[0]) for found in thresholds if np.isfinite(found)]
        return Walk(
            truth=self.truth,
            week_ends=self._weeks.rows(),
            raised={name: runner.emitted.raised() for name, runner in self._runners.items()},
            changes={name: runner.emitted.changes() for name, runner in self._runners.items()},
            first_threshold=shown[0] if shown else None,
            last_threshold=shown[-1] if shown else None,
        )
