"""Levels of many students at once: what `models.episodes` decides for one, in arrays; a test holds that they agree."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from models.backtest.history import Codes, Flags, Ints
from models.backtest.ledger import Ledger, Places
from models.capacity import NEVER, WEEK_DAYS, Thresholds
from models.episodes import KEEP, PLACE_DAYS
from models.policy import ELEVATED, URGENT, WATCH
from models.rules import ALWAYS
from models.track import NEVER_ENTERED

Floats = npt.NDArray[np.float64]

RULE, MODEL = 1, 2
"""What gives a level, as bits."""
_DAY = np.dtype(
    [
        ("level", np.uint8),
        ("source", np.uint8),
        ("quiet_days", np.uint8),
        ("highest", np.uint8),
        ("highest_source", np.uint8),
        ("raised", np.int16),
        ("entered", np.int32),
        ("bar", np.float64),
    ]
)
"""The hysteresis after a day; `raised` is the column of the day on which the present alert was raised."""


class _Wanted(NamedTuple):
    """What a day comes to, before the hysteresis."""

    level: Codes
    source: Codes
    falls: Flags
    """The place is over, and nothing else holds the student there: the level falls at once."""


class Strategy(NamedTuple):
    """What raises alerts."""

    rules: bool
    model: bool
    """With a model the capacity holds: elevated and urgent are its places."""


class Levels:
    """One strategy's levels, by student and number of days, as the ledger's totals."""

    def __init__(self, strategy: Strategy, ledger: Ledger, calm_days: int) -> None:
        self.strategy = strategy
        self.thresholds = Thresholds()
        self._ledger = ledger
        self._calm_days = calm_days
        self._state = np.zeros(len(ledger.column), dtype=_DAY)
        self._state["entered"][: ledger.students] = NEVER_ENTERED

    def decide(self, student: Places, length: Places, day: int, assessed: Codes, logits: Floats, shock: Flags) -> None:
        """Decide the last of each student's first `length` days, which all are on the same calendar day."""
        before = self._state.take(self._ledger.at(student, length - 1))  # much quicker than by [] for records
        decided = self._wanted(before, length - 1, day, assessed, logits)
        level = np.where(shock, np.minimum(decided.level, before["level"]), decided.level)
        now = before.copy()
        risen, same = level > before["level"], level == before["level"]
        now["level"] = np.where(risen, level, before["level"])
        now["source"] = np.where(risen, decided.source, before["source"])
        now["quiet_days"] = np.where(risen | same, 0, before["quiet_days"] + 1)
        higher = level >= before["highest"]
        now["highest"] = np.where(risen | same, 0, np.where(higher, level, before["highest"]))
        now["highest_source"] = np.where(higher, decided.source, before["highest_source"])
        raised = risen & (before["level"] == 0)
        now["raised"] = np.where(raised, self._ledger.column[self._ledger.at(student, length)], before["raised"])
        if self.strategy.model:
            entered = risen & (before["level"] < ELEVATED) & (level >= ELEVATED)
            threshold = self.thresholds.on(day)
            now["entered"] = np.where(entered, length - 1, before["entered"])
            now["bar"] = np.where(entered, np.minimum(threshold, logits) - KEEP, before["bar"])
        now["highest"] = np.where(decided.falls, decided.level, now["highest"])
        now["highest_source"] = np.where(decided.falls, decided.source, now["highest_source"])
        fallen = (now["quiet_days"] >= self._calm_days) | decided.falls
        now["level"] = np.where(fallen, now["highest"], now["level"])
        now["source"] = np.where(fallen, np.where(now["highest"] > 0, now["highest_source"], 0), now["source"])
        now["quiet_days"] = np.where(fallen, 0, now["quiet_days"])
        now["highest"] = np.where(fallen, 0, now["highest"])
        self._state.put(self._ledger.at(student, length), now)

    def _wanted(
        self, before: npt.NDArray[np.void], position: Places, day: int, assessed: Codes, logits: Floats
    ) -> _Wanted:
        level = assessed % ALWAYS if self.strategy.rules else np.zeros_like(assessed)
        source = np.where(level > 0, RULE, 0).astype(np.uint8)
        if not self.strategy.model:
            return _Wanted(level, source, np.zeros(len(level), dtype=np.bool_))
        elevated, over = before["level"] >= ELEVATED, position - before["entered"] >= PLACE_DAYS
        to_enter = np.where(over, self.thresholds.on(day), NEVER)
        by_score = (logits >= np.where(elevated, before["bar"], to_enter)) & ~(elevated & over)
        placed = by_score | (assessed // ALWAYS >= ELEVATED) if self.strategy.rules else by_score
        level = np.where(placed, np.maximum(level, ELEVATED), np.minimum(level, WATCH))
        source = source | np.where(by_score, MODEL, 0).astype(np.uint8)
        return _Wanted(level.astype(np.uint8), source, elevated & over & ~placed)

    def now(self, student: Places) -> npt.NDArray[np.void]:
        """The state of these students after their last day."""
        return self._state.take(self._ledger.at(student, self._ledger.length[student]))

    def can_enter(self, student: Places) -> Flags:
        """Who can take a place next week (`models.episodes.standing`)."""
        now = self.now(student)
        since = self._ledger.length[student] - now["entered"]
        placed = now["level"] >= ELEVATED
        return np.asarray((since >= PLACE_DAYS - WEEK_DAYS) & (~placed | (since < PLACE_DAYS)))


def lifted(level: Codes, raised: Ints, household: Ints, days: int, lowest: int) -> Codes:
    """One level up where a sibling's alert stands that was raised within `days`; rows are by household.

    As `models.episodes.with_household`, on the present day.
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
