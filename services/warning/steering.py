"""Keeps new alerts within the capacity: each partition counts its week, partition 0 finds the next threshold. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from uuid import UUID

import msgspec
import numpy as np

from models.artifact import Artifact
from models.capacity import (
    NEVER,
    NOTHING,
    RECENT_WEEKS,
    WEEK,
    Standing,
    Thresholds,
    WeekCounts,
    count_week,
    next_threshold,
)
from models.reasons import Risk
from models.school_year import year_of
from services.contracts.risk import ThresholdSet, WeekCounted

OWNER = 0
"""The partition that finds the threshold."""

_Counts = tuple[int, list[int], list[int]]


class StoredSteering(msgspec.Struct, array_like=True):
    """What must survive a restart. Thresholds and weeks are by their Monday."""

    thresholds: dict[int, float | None] = {}
    entered: dict[int, int] = {}
    """By school year."""
    open_weeks: dict[int, dict[int, _Counts]] = {}
    """The owner's: what the partitions have counted of weeks that others have not."""
    recent: list[_Counts] = []
    closed: int = 0
    """Weeks of the school year that all partitions have counted."""
    last: bytes = b""
    """The last threshold found, as JSON."""


class Steering:
    """One partition's part. Without a model or a capacity there is nothing to steer, and the rules' levels hold."""

    def __init__(self, artifact: Artifact | None, capacity: int | None) -> None:
        self._artifact = artifact
        self._capacity = capacity
        self._early = artifact.early_weeks if artifact is not None else ()
        self._stored = StoredSteering()
        self.risk: Risk | None = None
        self.restore(self._stored)

    def restore(self, stored: StoredSteering) -> None:
        """Go on from what was stored."""
        self._stored = stored
        if self._artifact is None:
            return
        thresholds = {week: NEVER if at is None else at for week, at in stored.thresholds.items()}
        self.risk = Risk(self._artifact, None if self._capacity is None else Thresholds(thresholds))

    def dump(self) -> StoredSteering:
        """What must survive a restart."""
        return self._stored

    @property
    def steers(self) -> bool:
        """Whether there are thresholds to find: a capacity, and a model that claims to see anything."""
        return self._capacity is not None and self._artifact is not None and self._artifact.signal

    @property
    def last(self) -> ThresholdSet | None:
        """The last threshold that this partition found; None when it is not the owner, or has found none."""
        return ThresholdSet.model_validate_json(self._stored.last) if self._stored.last else None

    def entered(self, year: int) -> None:
        """A student entered elevated or urgent from below, in this school year."""
        self._stored.entered[year] = self._stored.entered.get(year, 0) + 1

    def count(
        self, week: date, students: Iterable[Standing], *, partition: int, partitions: int, token: UUID
    ) -> WeekCounted:
        """What this partition's scores did in the week."""
        entered = self._stored.entered.get(year_of(week.toordinal()), 0)
        rows = np.array([tuple(student) for student in students], dtype=np.float64).reshape(-1, len(Standing._fields))
        counts = count_week(entered, rows[:, 0], rows[:, 1], rows[:, 2], rows[:, 3] > 0)
        return WeekCounted(
            week=week,
            partition=partition,
            partitions=partitions,
            token=token,
            entered=counts.entered,
            waiting=counts.waiting.tolist(),
            passed=counts.passed.tolist(),
        )

    def take_count(self, counted: WeekCounted) -> ThresholdSet | None:
        """The owner hears of a partition's week; the threshold, when all have been heard. A repeat is told the same."""
        stored, monday, last = self._stored, counted.week.toordinal(), self.last
        if not self.steers or self._capacity is None:
            return None
        if last is not None and last.week.toordinal() - WEEK >= monday:
            return last if last.week.toordinal() - WEEK == monday else None
        heard = stored.open_weeks.setdefault(monday, {})
        heard[counted.partition] = (counted.entered, counted.waiting, counted.passed)
        if len(heard) < counted.partitions:
            return None
        if last is not None and year_of(last.week.toordinal() - WEEK) != year_of(monday):
            stored.recent, stored.closed = [], 0
        whole = sum((_read(counts) for counts in heard.values()), NOTHING)
        stored.closed += 1
        stored.recent = [*stored.recent, _written(whole)][-RECENT_WEEKS:]
        stored.open_weeks = {week: counts for week, counts in stored.open_weeks.items() if week > monday}
        recent, early = [_read(counts) for counts in stored.recent], self._early
        threshold = next_threshold(recent, stored.closed, self._capacity, early)
        found = ThresholdSet(
            week=date.fromordinal(monday + WEEK),
            threshold=None if threshold == NEVER else threshold,
            capacity=self._capacity,
            entered=whole.entered,
            weeks=stored.closed,
            token=counted.token,
        )
        stored.last = found.model_dump_json().encode()
        return found

    def take_threshold(self, told: ThresholdSet) -> int | None:
        """A threshold holds; the first day whose levels may change by it, or None when it says nothing new."""
        if self.risk is None or self.risk.thresholds is None:
            return None
        week, threshold = told.week.toordinal(), NEVER if told.threshold is None else told.threshold
        if self.risk.thresholds.by_week.get(week) == threshold:
            return None
        self.risk.thresholds.by_week[week] = threshold
        self._stored.thresholds[week] = told.threshold
        return week


def _read(counts: _Counts) -> WeekCounts:
    entered, waiting, passed = counts
    return WeekCounts(entered, np.array(waiting, np.int64), np.array(passed, np.int64))


def _written(counts: WeekCounts) -> _Counts:
    return counts.entered, counts.waiting.tolist(), counts.passed.tolist()
