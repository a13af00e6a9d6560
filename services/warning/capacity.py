"""Keeps new alerts within the capacity: each partition counts its week, partition 0 finds the next threshold. Pure.

It also knows which model scores which days: another model does not judge the past anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from uuid import UUID

import msgspec
import numpy as np

from models.artifact import Artifact
from models.capacity import (
    BINS,
    NO_THRESHOLD,
    NOTHING,
    RECENT_WEEKS,
    WEEK,
    Thresholds,
    WeekCounts,
    count_week,
    next_threshold,
)
from models.engine.cohort import WeekStanding
from models.engine.scores import Since
from models.school_year import year_of
from services.contracts.risk import ThresholdSet, WeekCounted

OWNER = 0
"""The partition that finds the threshold."""

_Counts = tuple[int, list[int], list[int]]


class StoredCapacityControl(msgspec.Struct, array_like=True):
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
    models: list[tuple[int, str]] = []
    """The digests of the models in use, by the first day that each scores."""


class CapacityControl:
    """One partition's part. Without a model or a capacity there is nothing to steer, and the rules' levels hold."""

    def __init__(self, artifact: Artifact | None, capacity: int | None) -> None:
        self.artifact = artifact
        self._capacity = capacity
        self._early = artifact.early_weeks if artifact is not None else ()
        self._stored = StoredCapacityControl()
        self.thresholds: Thresholds | None = None
        """In force; None when the rules' levels hold."""
        self.models: list[Since] = []
        """The models by the first day that each scores; empty when there is none."""
        self.restore(self._stored, {}, 0)

    def restore(self, stored: StoredCapacityControl, artifacts: Mapping[str, Artifact], next_day: int) -> None:
        """Go on from what was stored; the model in use scores the days from the next one on, if it is another."""
        self._stored = stored
        if self.artifact is None:
            return
        if not stored.models or stored.models[-1][1] != self.artifact.digest:
            stored.models.append((next_day if stored.models else 0, self.artifact.digest))
        known = {**artifacts, self.artifact.digest: self.artifact}
        found = [(day, known[digest]) for day, digest in stored.models if digest in known]
        self.models = [Since(day, artifact.model, artifact) for day, artifact in found]
        if self._capacity is not None:
            weeks = {week: NO_THRESHOLD if at is None else at for week, at in stored.thresholds.items()}
            self.thresholds = Thresholds(weeks)

    def dump(self) -> StoredCapacityControl:
        """What must survive a restart."""
        return self._stored

    @property
    def capped(self) -> bool:
        """Whether a capacity holds: elevated and urgent are its places."""
        return self.thresholds is not None

    @property
    def steers(self) -> bool:
        """Whether there are thresholds to find: a capacity, and a model that claims to see anything."""
        return self._capacity is not None and self.artifact is not None and self.artifact.signal

    @property
    def last(self) -> ThresholdSet | None:
        """The last threshold that this partition found; None when it is not the owner, or has found none."""
        return ThresholdSet.model_validate_json(self._stored.last) if self._stored.last else None

    def entered(self, year: int) -> None:
        """A student entered elevated or urgent from below, in this school year."""
        self._stored.entered[year] = self._stored.entered.get(year, 0) + 1

    def count(
        self, week: date, students: Iterable[WeekStanding], *, partition: int, partitions: int, token: UUID
    ) -> WeekCounted:
        """What this partition's scores did in the week."""
        entered = self._stored.entered.get(year_of(week.toordinal()), 0)
        counts = sum((count_week(0, *standing) for standing in students), NOTHING._replace(entered=entered))
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
        """The owner hears of a partition's week; the threshold, when all have been heard. A repeat gets the same.

        Raises `ValueError` for counts of another length than this release's.
        """
        stored, monday, last = self._stored, counted.week.toordinal(), self.last
        if not self.steers or self._capacity is None:
            return None
        if last is not None and last.week.toordinal() - WEEK >= monday:
            return last if last.week.toordinal() - WEEK == monday else None
        if not len(counted.waiting) == len(counted.passed) == BINS:
            raise ValueError("counted by other bins")
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
            threshold=None if threshold == NO_THRESHOLD else threshold,
            capacity=self._capacity,
            entered=whole.entered,
            weeks=stored.closed,
            token=counted.token,
        )
        stored.last = found.model_dump_json().encode()
        return found

    def take_threshold(self, published: ThresholdSet) -> tuple[int, float, float] | None:
        """A threshold holds: from which day on, what held then before, and what does now; None for nothing new."""
        if self.thresholds is None:
            return None
        week = published.week.toordinal()
        threshold = NO_THRESHOLD if published.threshold is None else published.threshold
        if self.thresholds.by_week.get(week) == threshold:
            return None
        before = self.thresholds.on(week)
        self.thresholds.by_week[week] = threshold
        self._stored.thresholds[week] = published.threshold
        return week, before, threshold


def _read(counts: _Counts) -> WeekCounts:
    entered, waiting, passed = counts
    return WeekCounts(entered, np.array(waiting, np.int64), np.array(passed, np.int64))


def _written(counts: WeekCounts) -> _Counts:
    return counts.entered, counts.waiting.tolist(), counts.passed.tolist()
