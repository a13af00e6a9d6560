"""What the schools have reported, day by day: closes, head counts, shock days; by the same `School` as the stream's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from models.backtest.history import Flags, History, Ints
from models.policy import Policy
from models.school import School
from models.shock import HeadCount


class Changed(NamedTuple):
    """A school's day of which something became known."""

    school: int
    day: int


class Facts:
    """The schools of a history as they are known on a day that is moved forward."""

    def __init__(self, history: History, policy: Policy) -> None:
        self._history = history
        self._rule = policy.shock
        self.schools = [School() for _ in history.schools]
        rows = (
            history.calendar.school.tolist(),
            history.calendar.day.tolist(),
            history.calendar.instructional.tolist(),
        )
        for school, day, instructional in zip(*rows, strict=True):
            self.schools[school].set_calendar(day, self._rule, instructional=instructional)

    def columns(self) -> Ints:
        """Every day that can count for somebody: instructional by a calendar, marked or closed."""
        history = self._history
        by_calendar = history.calendar.day[history.calendar.instructional]
        return np.unique(np.concatenate((by_calendar, history.closes.day, history.marks.day))).astype(np.int32)

    def open(self, columns: Ints) -> Flags:
        """Schools by columns: whether the day is instructional there."""
        days = columns.tolist()
        return np.array([[school.is_instructional(day) for day in days] for school in self.schools], dtype=np.bool_)

    def learn(self, known_on: int) -> tuple[list[Changed], list[Changed]]:
        """Take what was handed in on a day; the days that were closed by it, and those whose shock test turned."""
        turned: list[Changed] = []
        for school, day, head_count in self._counts(known_on):
            turned += self._count(school, day, head_count)
        closed: list[Changed] = []
        for school, day, expected in self._closes(known_on):
            if self.schools[school].close(day, history=False):
                closed.append(Changed(school, day))
                if day not in self.schools[school].counts:
                    turned += self._count(school, day, HeadCount(0, 0, expected))
        return closed, turned

    def _count(self, school: int, day: int, head_count: HeadCount) -> list[Changed]:
        return [Changed(school, turned) for turned in self.schools[school].set_counts(day, head_count, self._rule)]

    def _counts(self, known_on: int) -> Iterator[tuple[int, int, HeadCount]]:
        counts = self._history.counts
        for row in _rows(counts.known_on, known_on):
            head_count = HeadCount(int(counts.absent[row]), int(counts.seen[row]), int(counts.expected[row]))
            yield int(counts.school[row]), int(counts.day[row]), head_count

    def _closes(self, known_on: int) -> Iterator[tuple[int, int, int]]:
        closes = self._history.closes
        for row in _rows(closes.known_on, known_on):
            yield int(closes.school[row]), int(closes.day[row]), int(closes.expected[row])


def _rows(known_on: Ints, day: int) -> range:
    first, last = np.searchsorted(known_on, (day, day + 1)).tolist()
    return range(first, last)
