"""Keeps new alerts within the capacity: each partition counts its week, partition 0 finds the next threshold. Pure.

It also knows which model scores which days: another model does not judge the past anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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


class Steering(msgspec.Struct, array_like=True):
    """How one agency's places are steered: what must survive a restart. Thresholds and weeks are by their Monday."""

    thresholds: dict[int, float | None] = {}
    entered: dict[int, int] = {}
    """By school year."""
    open_weeks: dict[int, dict[int, _Counts]] = {}
    """The owner's: what partitions have counted of weeks that others have not."""
    recent: list[_Counts] = []
    closed: int = 0
    """Weeks of the school year that all partitions have counted."""
    last: bytes = b""
    """The last threshold found, as JSON."""


class StoredCapacityControl(Steering, array_like=True):
    """What must survive a restart; of the students whose agency is not known, and by agency."""

    models: list[tuple[int, str]] = []
    """The digests of the models in use, by the first day that each scores."""
    agencies: dict[str, Steering] = {}
    counted: dict[int, set[int]] = {}
    """The owner's: which partitions have counted a week for every agency, while others have not."""


class CapacityControl:
    """One partition's part. Without a model or a capacity there is nothing to steer, and the rules' levels hold.

    Each agency has the same capacity, over its own students. One that is new goes on from what was steered before
    there were agencies.
    """

    def __init__(self, artifact: Artifact | None, capacity: int | None) -> None:
        self.artifact = artifact
        self._capacity = capacity
        self._early = artifact.early_weeks if artifact is not None else ()
        self._stored = StoredCapacityControl()
        self.thresholds: list[Thresholds] = []
        """In force, by an agency's number; empty when the rules' levels hold."""
        self._numbers: dict[str | None, int] = {}
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
            self.thresholds, self._numbers = [], {}
            for agency in (None, *stored.agencies):
                self.number(agency)

    def dump(self) -> StoredCapacityControl:
        """What must survive a restart."""
        return self._stored

    @property
    def capped(self) -> bool:
        """Whether a capacity holds: elevated and urgent are its places."""
        return bool(self.thresholds)

    @property
    def steers(self) -> bool:
        """Whether there are thresholds to find: a capacity, and a model that claims to see anything."""
        return self._capacity is not None and self.artifact is not None and self.artifact.signal

    @property
    def last(self) -> list[ThresholdSet]:
        """Each agency's last threshold that this partition found; none when it is not the owner, or has found none."""
        every = (ThresholdSet.model_validate_json(of.last) for _, of in self._known() if of.last)
        return list({found.agency: found for found in every}.values())

    def number(self, agency: str | None) -> int:
        """The agency's number, by which its thresholds are found; 0 when the rules' levels hold."""
        if self._capacity is None or self.artifact is None:
            return 0
        if agency not in self._numbers:
            weeks = self._steering(agency).thresholds.items()
            self._numbers[agency] = len(self.thresholds)
            self.thresholds.append(Thresholds({week: NO_THRESHOLD if at is None else at for week, at in weeks}))
        return self._numbers[agency]

    def entered(self, agency: str | None, year: int) -> None:
        """A student of the agency entered elevated or urgent from below, in this school year."""
        entered = self._steering(agency).entered
        entered[year] = entered.get(year, 0) + 1

    def count(
        self,
        week: date,
        students: Mapping[str | None, Sequence[WeekStanding]],
        *,
        partition: int,
        partitions: int,
        token: UUID,
    ) -> list[WeekCounted]:
        """What this partition's scores did in the week, by agency."""
        year = year_of(week.toordinal())
        entered = {agency: of.entered.get(year, 0) for agency, of in self._known()}
        some = [agency for agency in {**students, **entered} if students.get(agency) or entered.get(agency)]
        agencies = sorted(some, key=lambda agency: (agency is None, agency))
        found = []
        for place, agency in enumerate(agencies or [None], start=1):
            begin = NOTHING._replace(entered=entered.get(agency, 0))
            counts = sum((count_week(0, *standing) for standing in students.get(agency, ())), begin)
            found.append(
                WeekCounted(
                    week=week,
                    partition=partition,
                    partitions=partitions,
                    token=token,
                    agency=agency,
                    more=place < len(agencies),
                    entered=counts.entered,
                    waiting=counts.waiting.tolist() if agencies else [],
                    passed=counts.passed.tolist() if agencies else [],
                )
            )
        return found

    def take_count(self, counted: WeekCounted) -> list[ThresholdSet]:
        """The owner hears of a partition's week; the thresholds, when all have been heard. A repeat gets the same.

        Raises `ValueError` for counts of another length than this release's.
        """
        stored, monday = self._stored, counted.week.toordinal()
        if not self.steers:
            return []
        last = self.last
        found_of = max((each.week.toordinal() - WEEK for each in last), default=0)
        if found_of >= monday:
            again = [each for each in last if each.week.toordinal() - WEEK == monday]
            return sorted(again, key=lambda each: not each.more)
        if counted.waiting or counted.passed:
            if not len(counted.waiting) == len(counted.passed) == BINS:
                raise ValueError("counted by other bins")
            heard = self._steering(counted.agency).open_weeks.setdefault(monday, {})
            heard[counted.partition] = (counted.entered, counted.waiting, counted.passed)
        if counted.more:
            return []
        stored.counted.setdefault(monday, set(stored.open_weeks.get(monday, ()))).add(counted.partition)
        if len(stored.counted[monday]) < counted.partitions:
            return []
        agencies = [agency for agency, of in self._known() if monday in of.open_weeks] or [None]
        found = [self._find(agency, counted, more=agency != agencies[-1]) for agency in agencies]
        for _, of in self._known():
            of.open_weeks = {week: counts for week, counts in of.open_weeks.items() if week > monday}
        stored.counted = {week: heard_of for week, heard_of in stored.counted.items() if week > monday}
        return found

    def take_threshold(self, published: ThresholdSet) -> tuple[int, int, float, float] | None:
        """A threshold holds: whose (a number), from which day on, what did before, and what does; None: nothing new."""
        if not self.capped:
            return None
        number, week = self.number(published.agency), published.week.toordinal()
        thresholds = self.thresholds[number]
        threshold = NO_THRESHOLD if published.threshold is None else published.threshold
        if thresholds.by_week.get(week) == threshold:
            return None
        before = thresholds.on(week)
        thresholds.by_week[week] = threshold
        self._steering(published.agency).thresholds[week] = published.threshold
        return number, week, before, threshold

    def _find(self, agency: str | None, counted: WeekCounted, *, more: bool) -> ThresholdSet:
        """The agency's threshold of the week after one that every partition has counted."""
        assert self._capacity is not None
        of, monday = self._steering(agency), counted.week.toordinal()
        last = ThresholdSet.model_validate_json(of.last) if of.last else None
        if last is not None and year_of(last.week.toordinal() - WEEK) != year_of(monday):
            of.recent, of.closed = [], 0
        whole = sum((_read(counts) for counts in of.open_weeks.get(monday, {}).values()), NOTHING)
        of.closed += 1
        of.recent = [*of.recent, _written(whole)][-RECENT_WEEKS:]
        recent = [_read(counts) for counts in of.recent]
        threshold = next_threshold(recent, of.closed, self._capacity, self._early)
        found = ThresholdSet(
            week=date.fromordinal(monday + WEEK),
            threshold=None if threshold == NO_THRESHOLD else threshold,
            agency=agency,
            more=more,
            capacity=self._capacity,
            entered=whole.entered,
            weeks=of.closed,
            token=counted.token,
        )
        of.last = found.model_dump_json().encode()
        return found

    def _known(self) -> list[tuple[str | None, Steering]]:
        return [(None, self._stored), *self._stored.agencies.items()]

    def _steering(self, agency: str | None) -> Steering:
        """The agency's; begun from what was steered before there were agencies."""
        stored = self._stored
        if agency is None:
            return stored
        if agency not in stored.agencies:
            stored.agencies[agency] = Steering(
                dict(stored.thresholds), dict(stored.entered), {}, list(stored.recent), stored.closed, stored.last
            )
        return stored.agencies[agency]


def _read(counts: _Counts) -> WeekCounts:
    entered, waiting, passed = counts
    return WeekCounts(entered, np.array(waiting, np.int64), np.array(passed, np.int64))


def _written(counts: WeekCounts) -> _Counts:
    return counts.entered, counts.waiting.tolist(), counts.passed.tolist()
