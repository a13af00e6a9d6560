"""What the schools have reported, day by day: closes, head counts, shock days; by the same `School` as the stream's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from models.arrays import Flags, Ints
from models.backtest.history import History
from models.engine.register import OF, OPEN, REPORTED
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
            self.schools[school].set_calendar(day, instructional=instructional)
        for school, calendar, day, instructional in history.followed:
            self.schools[school].set_calendar_of(calendar, day, instructional=instructional)
        self._numbers = {school: number for number, school in enumerate(history.schools)}

    def state(self, school_id: str, day: int) -> tuple[int, bool]:
        """The state of a school's day, or of one of its calendars', and whether it is a shock day."""
        school_id, _, calendar = school_id.partition(OF)
        number = self._numbers.get(school_id)
        if number is None or not self.schools[number].is_instructional(day, calendar):
            return 0, False
        school = self.schools[number]
        return REPORTED if day in school.closed else OPEN, day in school.shocks

    def columns(self) -> Ints:
        """Every day that can count for somebody: instructional by a calendar, marked or closed."""
        history = self._history
        by_calendar = history.calendar.day[history.calendar.instructional]
        followed = np.array([day for _, _, day, instructional in history.followed if instructional], np.int32)
        days = (by_calendar, followed, history.closes.day, history.marks.day)
        return np.unique(np.concatenate(days)).astype(np.int32)

    def open(self, columns: Ints) -> Flags:
        """Schools by columns: whether the day is instructional there."""
        days = columns.tolist()
        return np.array([[school.is_instructional(day) for day in days] for school in self.schools], dtype=np.bool_)

    def learn(self, known_on: int) -> list[Changed]:
        """Take what was handed in on a day; the days of which something changed."""
        changed: list[Changed] = []
        recounted: set[int] = set()
        for school, day, head_count in self._counts(known_on):
            if self.schools[school].set_counts(day, head_count):
                recounted.add(school)
        for school, day, expected in self._closes(known_on):
            if self.schools[school].close(day, history=False):
                changed.append(Changed(school, day))
                if day not in self.schools[school].counts:
                    self.schools[school].set_counts(day, HeadCount(0, 0, expected))
                    recounted.add(school)
        for school in recounted:
            changed += [Changed(school, day) for day in sorted(self.schools[school].find_shocks(self._rule))]
        return changed

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
