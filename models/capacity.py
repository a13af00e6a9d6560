"""Capacity: how high a score must be in a week, so that the year's new alerts are K a week.

At each week's close the threshold of the next is steered by what has been raised so far and by what the scores
did lately, never by what comes later. Partitions add up their counts, so their number changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from models.risk_model import Floats

LOWEST: Final = -9.0
"""The lower end of the grid of log-odds on which thresholds lie: about 0.01%."""
STEP: Final = 0.02
BINS: Final = 650
"""Up to log-odds of 4, 98%."""
RECENT_WEEKS: Final = 4
"""So many weeks say how many scores rise past a threshold in a week."""
AHEAD: Final = 2
"""At most so many weeks' places are given in one, so that no week floods the team."""
WEEK: Final = 7
WEEK_DAYS: Final = 5
"""Counted days in a week."""
NEVER: Final = float("inf")
"""The threshold of a week without places."""

Histogram = npt.NDArray[np.int64]


class WeekCounts(NamedTuple):
    """What the scores of some students did in a week."""

    entered: int
    """Students who entered elevated or urgent from below since the school year began."""
    waiting: Histogram
    """By bin of the score now: students who are below elevated and could enter."""
    passed: Histogram
    """By bin: students whose score rose from below the bin to it or past it within the week."""

    def __add__(self, other: object) -> WeekCounts:
        """The counts of both."""
        assert isinstance(other, WeekCounts)
        return WeekCounts(self.entered + other.entered, self.waiting + other.waiting, self.passed + other.passed)


NOTHING: Final = WeekCounts(0, np.zeros(BINS, np.int64), np.zeros(BINS, np.int64))


def bins(logits: Floats) -> npt.NDArray[np.int64]:
    """The bins of these log-odds; those outside the grid are in the outermost."""
    return np.clip(np.floor((logits - LOWEST) / STEP), 0, BINS - 1).astype(np.int64)


def edge(number: int) -> float:
    """The lower edge of a bin, log-odds."""
    return LOWEST + STEP * number


def count_week(entered: int, now: Floats, before: Floats, peak: Floats, can_enter: npt.NDArray[np.bool_]) -> WeekCounts:
    """Counts over students in force; an array per field of `Standing`."""
    waiting = np.bincount(bins(now[can_enter]), minlength=BINS)
    low, high = bins(before), bins(peak)
    risen = high > low
    starts = np.bincount(low[risen] + 1, minlength=BINS + 1)
    ends = np.bincount(high[risen] + 1, minlength=BINS + 1)
    return WeekCounts(entered, waiting, np.cumsum(starts - ends)[:BINS])


def next_threshold(recent: Sequence[WeekCounts], closed: int, capacity: int) -> float:
    """The log-odds from which a student enters next week, or `NEVER`.

    `recent` are the last weeks of the school year, at most `RECENT_WEEKS` are used; `closed` says how many there were.
    """
    now = recent[-1]
    wanted = min(capacity * (closed + 1) - now.entered, AHEAD * capacity)
    if wanted <= 0:
        return NEVER
    stock = np.cumsum(now.waiting[::-1])[::-1]
    flow = np.mean([week.passed for week in recent[-RECENT_WEEKS:]], axis=0)
    enough = np.flatnonzero(stock + flow <= wanted)
    return edge(int(enough[0])) if len(enough) else NEVER


class Standing(NamedTuple):
    """One student at a week's close."""

    now: float
    """The score, log-odds."""
    before: float
    """A week of counted days ago."""
    peak: float
    """The highest of that week."""
    can_enter: bool
    """Takes a place next week if the score suffices: has none, or one that ends by then."""


class Thresholds:
    """The thresholds in force, by the Monday from which each holds."""

    def __init__(self, by_week: dict[int, float] | None = None) -> None:
        self.by_week: dict[int, float] = dict(by_week or {})

    def on(self, day: int) -> float:
        """The threshold (log-odds) of an ordinal day; `NEVER` before the first."""
        monday = monday_of(day)
        found = self.by_week.get(monday)
        if found is None:
            earlier = max((week for week in self.by_week if week < monday), default=None)
            found = NEVER if earlier is None else self.by_week[earlier]
        return found


def monday_of(day: int) -> int:
    """The Monday of the day's week, as an ordinal."""
    return day - (day - 1) % WEEK
