"""Capacity: how high a score must be in a week, so that the year's new alerts are K a week.

At each week's close the threshold of the next is steered by what has been raised so far and by what the scores
did lately, never by what comes later. Partitions add up their counts, so their number changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from models.arrays import Floats

LOWEST: Final = -9.0
"""The lower end of the grid of log-odds on which thresholds lie: about 0.01%."""
STEP: Final = 0.02
BINS: Final = 650
"""Up to log-odds of 4, 98%."""
RECENT_WEEKS: Final = 4
"""So many weeks say how many scores rise past a threshold in a week."""
AHEAD: Final = 2
"""At most so many weeks' places are given in one, so that no week floods the team."""
CATCH_UP_WEEKS: Final = 3
"""What was raised too much or too little is made up for over so many weeks."""
WEEK: Final = 7
WEEK_DAYS: Final = 5
"""Counted days in a week."""
DAYS_TO_SUNDAY: Final = WEEK - 1
"""From the week's Monday to its last day."""
PLACE_DAYS: Final = 30
"""Counted days that a place lasts: then the student needs another, and until then takes no other."""
NO_THRESHOLD: Final = float("inf")
"""The threshold of a week without places: nobody reaches it."""

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
    """Counts over students in force: now, a week of counted days ago, the highest of that week, whether with room."""
    waiting = np.bincount(bins(now[can_enter]), minlength=BINS)
    low, high = bins(before), bins(peak)
    risen = high > low
    starts = np.bincount(low[risen] + 1, minlength=BINS + 1)
    ends = np.bincount(high[risen] + 1, minlength=BINS + 1)
    return WeekCounts(entered, waiting, np.cumsum(starts - ends)[:BINS])


def next_threshold(recent: Sequence[WeekCounts], closed: int, capacity: int, early: Sequence[float] = ()) -> float:
    """The log-odds from which a student enters next week, or `NO_THRESHOLD`.

    `recent` are the last weeks of the school year, at most `RECENT_WEEKS` are used; `closed` says how many there were.
    `early` is what a model's first weeks are like (`early_weeks`): it stands for weeks that are not there yet.
    """
    now = recent[-1]
    wanted = min(capacity + (capacity * closed - now.entered) / CATCH_UP_WEEKS, AHEAD * capacity)
    if wanted <= 0:
        return NO_THRESHOLD
    stock = np.cumsum(now.waiting[::-1])[::-1]
    enough = np.flatnonzero(stock + _flow(recent, closed, early) <= wanted)
    return edge(int(enough[0])) if len(enough) else NO_THRESHOLD


def _flow(recent: Sequence[WeekCounts], closed: int, early: Sequence[float]) -> Floats:
    """By bin: how many scores are expected to rise past it in a week."""
    # In a year's first week there is nothing yet that a score could have risen from.
    known = recent[-min(RECENT_WEEKS, closed - 1) :] if closed > 1 else []
    if not early:
        return np.asarray(np.mean([week.passed for week in known or recent], axis=0))
    stand_in = (RECENT_WEEKS - len(known)) * recent[-1].waiting.sum() * np.array(early)
    return np.asarray(sum((week.passed for week in known), stand_in) / RECENT_WEEKS)


def early_weeks(now: Floats, before: Floats) -> tuple[float, ...]:
    """By bin: the share of students whose score rises past it in one of a year's first weeks.

    Rows are students at a week's end, with the score of the week's end before.
    """
    none = np.zeros(len(now), dtype=np.bool_)
    passed = count_week(0, now, before, np.maximum(now, before), none).passed
    return tuple((passed / max(len(now), 1)).round(6).tolist())


class Thresholds:
    """The thresholds in force, by the Monday from which each holds."""

    def __init__(self, by_week: dict[int, float] | None = None) -> None:
        self.by_week: dict[int, float] = dict(by_week or {})

    def on(self, day: int) -> float:
        """The threshold (log-odds) of an ordinal day; `NO_THRESHOLD` before the first."""
        monday = monday_of(day)
        found = self.by_week.get(monday)
        if found is None:
            earlier = max((week for week in self.by_week if week < monday), default=None)
            found = NO_THRESHOLD if earlier is None else self.by_week[earlier]
        return found


def monday_of(day: int) -> int:
    """The Monday of the day's week, as an ordinal."""
    return day - (day - 1) % WEEK
