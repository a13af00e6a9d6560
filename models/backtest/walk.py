"""Walks a history day by day, knowing on each day only what had been handed in, and keeps what is to be measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from models.backtest.district import NEVER, District
from models.backtest.evidence import Changes, Raised, Truth, WeekEnds
from models.backtest.history import History, Ints
from models.backtest.ledger import Ledger, Small
from models.backtest.levels import Floats, Strategy
from models.backtest.measures import Walked
from models.backtest.rule_columns import RuleColumns
from models.backtest.runner import Runner
from models.backtest.scores import Scores
from models.backtest.steps import steps
from models.backtest.truth import find_truth
from models.backtest.week_ends import WeekEndRows
from models.capacity import WEEK, monday_of
from models.features import Inputs
from models.policy import Policy
from models.risk_model import RiskModel, probability
from models.school_year import year_of

STRATEGIES: Final[dict[Walked, Strategy]] = {
    "both": Strategy(rules=True, model=True),
    "rules": Strategy(rules=True, model=False),
    "model": Strategy(rules=False, model=True),
}
SUNDAY: Final = 0
"""An ordinal's remainder by 7."""

Progress = Callable[[int, int], None]
"""Told how many days of how many have been walked."""
DayScores = tuple[int, Ints, Floats]
"""An instructional day's ordinal, the students enrolled on it, and their probabilities."""


@dataclass(frozen=True, slots=True)
class Walk:
    """What a walk leaves."""

    truth: Truth
    week_ends: WeekEnds
    raised: dict[Walked, Raised]
    changes: dict[Walked, Changes]
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
        self.district = District(history, policy)
        self.truth = find_truth(history, self.district)
        self._history = history
        self._policy = policy
        self._model = model
        units, columns = self.district.units, self.district.columns
        self.ledger = Ledger(len(units.student), len(columns))
        self._scores = Scores(self.ledger, units, model)
        self._assessed = np.zeros(len(self.ledger.column), dtype=np.uint8)
        self._rules = {
            year: RuleColumns(policy, year, columns) for year in {year_of(int(day)) for day in columns.tolist()}
        }
        self._runners = {
            name: Runner(strategy, self.district, self.ledger, policy, capacity if claims else None, early)
            for name, strategy in STRATEGIES.items()
            if model is not None or not strategy.model
        }
        self._weeks = WeekEndRows(self.district, self.ledger)

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
            self._learn(day)
            if position + 1 < len(self.truth.dates) and self.truth.dates[position + 1] == day:
                position += 1
                if on_scores is not None and self._model is not None:
                    on_scores(self._day_scores(day))
            self._tell(day, position)
            if position in week_ends and self.truth.dates[position] == day:
                self._weeks.add(day, position, self._scores, self._runners["rules"])
                if on_week_end is not None:
                    on_week_end(self.ledger.inputs(self._weeks.enrolled(day)))
            if day % WEEK == SUNDAY:
                self._close_week(day)
            if progress is not None:
                progress(number + 1, len(days))
        return self._walk()

    def _days(self) -> range:
        """Calendar days from the first handing in to the last, or the last instructional day."""
        known = np.concatenate((self._history.marks.known_on, self._history.closes.known_on, self.truth.dates))
        return range(int(known.min()), int(known.max()) + 1) if len(known) else range(0)

    def _learn(self, day: int) -> None:
        changed = self.district.learn(day)
        for unit, column in steps(self.district, self.ledger, changed):
            school = self.district.units.school[unit, column]
            shock = self.district.shock[school, column]
            now = self.ledger.append(unit, column, self.district.codes(unit, column), shock, school)
            self._assessed[now] = self._rules[year_of(day)].assess(self.ledger, unit, self.district.columns[column])
            self._scores.add_day(unit)
        touched = np.flatnonzero(changed != NEVER)
        self._decide(self._scores.after(touched, changed[touched]), day)

    def _decide(self, since: Small, day: int) -> None:
        """Decide every unit's days from a column on, a day a unit at a time."""
        unit = np.flatnonzero((since != NEVER) & self.district.units.active(day))
        length = self.ledger.before(unit, since[unit]) + 1
        while len(unit := unit[at := length <= self.ledger.length[unit]]):
            length = length[at]
            now = self.ledger.at(unit, length)
            logits = self._scores.add_household(unit, length, day)
            column = self.ledger.column[now]
            for each in np.unique(column).tolist():
                on = column == each
                ordinal = int(self.district.columns[each])
                for runner in self._runners.values():
                    assessed, shock = self._assessed[now[on]], self.ledger.shock[now[on]]
                    runner.levels.decide(unit[on], length[on], ordinal, assessed, logits[on], shock)
            length = length + 1

    def _tell(self, day: int, position: int) -> None:
        for runner in self._runners.values():
            runner.tell(day, max(position, 0))

    def _day_scores(self, day: int) -> DayScores:
        unit = self._weeks.in_school(day)
        return day, self.district.units.student[unit], probability(self._scores.now(unit))

    def _close_week(self, sunday: int) -> None:
        monday = monday_of(sunday)
        if not self.district.had_school(monday, sunday):
            return
        enrolled = self.district.enrolled(sunday)
        units = self.district.units
        active = units.active(sunday) & enrolled[units.student]
        unit = np.flatnonzero(active & (self.ledger.length > 0))
        for runner in self._runners.values():
            runner.close_week(monday, unit, self._scores)

    def _walk(self) -> Walk:
        thresholds = self._runners["both"].found if "both" in self._runners else []
        shown = [float(probability(np.array([found]))[0]) for found in thresholds if np.isfinite(found)]
        return Walk(
            truth=self.truth,
            week_ends=self._weeks.rows(),
            raised={name: runner.told.raised() for name, runner in self._runners.items()},
            changes={name: runner.told.changes() for name, runner in self._runners.items()},
            first_threshold=shown[0] if shown else None,
            last_threshold=shown[-1] if shown else None,
        )
