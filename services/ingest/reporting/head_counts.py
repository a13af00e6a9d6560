"""Counts of students per school and day over every row, consented or not.

Students are held in memory by keyed hash alone, as bits, and only sums leave: nothing of any one
student is stored or sent (`docs/design.md`, rule 12).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta

DAYS_HELD = 120
"""Dates of one school whose heads a continuing count remembers; a repeat on an older date counts anew."""


@dataclass(frozen=True, slots=True)
class DayChange:
    """How a school-day's sums change; `fresh` says that they replace what is stored."""

    school_id: str
    date: date
    absent: int
    seen: int
    fresh: bool


@dataclass(slots=True)
class _Day:
    seen: int = 0
    absent: int = 0
    written_seen: int = 0
    written_absent: int = 0
    fresh: bool = False


@dataclass(slots=True)
class _School:
    places: dict[int, int] = field(default_factory=dict)
    days: dict[date, _Day] = field(default_factory=dict)


class DayHeads:
    """Students seen and absent per school and date. A fresh one replaces the stored sums, else it adds to them."""

    def __init__(self, *, fresh: bool) -> None:
        self._fresh = fresh
        self._schools: dict[str, _School] = {}
        self._changed: set[tuple[str, date]] = set()

    def add(self, school_id: str, day: date, head: int, *, absent: bool) -> None:
        """Count a student once per school and date; absent when any row of that day is."""
        school = self._schools.setdefault(school_id, _School())
        heads = school.days.get(day)
        if heads is None:
            heads = self._begin(school, day)
        bit = 1 << school.places.setdefault(head, len(school.places))
        if heads.seen & bit and (not absent or heads.absent & bit):
            return
        heads.seen |= bit
        if absent:
            heads.absent |= bit
        self._changed.add((school_id, day))

    def drain(self) -> list[DayChange]:
        """The changes since the last drain, in the order of their keys."""
        changes = []
        for school_id, day in sorted(self._changed):
            heads = self._schools[school_id].days[day]
            absent, seen = heads.absent.bit_count(), heads.seen.bit_count()
            changes.append(
                DayChange(school_id, day, absent - heads.written_absent, seen - heads.written_seen, heads.fresh)
            )
            heads.written_absent, heads.written_seen, heads.fresh = absent, seen, False
        self._changed.clear()
        return changes

    def restore(self, changes: Iterable[DayChange]) -> None:
        """Take back changes that could not be stored."""
        for change in changes:
            heads = self._schools[change.school_id].days.get(change.date)
            if heads is None:
                continue
            heads.written_absent -= change.absent
            heads.written_seen -= change.seen
            heads.fresh = heads.fresh or change.fresh
            self._changed.add((change.school_id, change.date))

    def _begin(self, school: _School, day: date) -> _Day:
        if not self._fresh and len(school.days) >= DAYS_HELD:
            oldest = next(iter(school.days))
            if not any(changed == oldest for _, changed in self._changed):
                del school.days[oldest]
        return school.days.setdefault(day, _Day(fresh=self._fresh))


@dataclass(frozen=True, slots=True)
class SchoolRoll:
    """By how much the number of a school's students changes on which date."""

    school_id: str
    changes: dict[date, int]
    fresh: bool

    @property
    def entries(self) -> int:
        """How many entered in all: a measure of how much of the school was seen."""
        return sum(change for change in self.changes.values() if change > 0)


class Roll:
    """Students enrolled per school, from every enrollment row seen."""

    def __init__(self, *, fresh: bool) -> None:
        self._fresh = fresh
        self._spans: dict[str, dict[tuple[int, date], date | None]] = {}
        self.twice: set[tuple[str, int, date]] = set()
        """School, head and entry date of an import's spans of which there are several with other exit dates."""
        self._changed: set[str] = set()

    def add(self, school_id: str, head: int, entry: date, exit_: date | None) -> None:
        """Count a span once. Of several with the same entry date the last holds, of an import's the longest."""
        spans = self._spans.setdefault(school_id, {})
        if self._fresh and (head, entry) in spans and spans[head, entry] != exit_:
            self.twice.add((school_id, head, entry))
            before = spans[head, entry]
            exit_ = None if exit_ is None or before is None else max(exit_, before)
        spans[head, entry] = exit_
        self._changed.add(school_id)

    def drain(self) -> list[SchoolRoll]:
        """The whole roll of each school that changed since the last drain."""
        rolls = []
        for school_id in sorted(self._changed):
            changes: Counter[date] = Counter()
            for (_, entry), exit_ in self._spans[school_id].items():
                if exit_ is not None and exit_ < entry:
                    continue  # the student never came
                changes[entry] += 1
                if exit_ is not None and exit_ < date.max:
                    changes[exit_ + timedelta(days=1)] -= 1
            rolls.append(SchoolRoll(school_id, {d: n for d, n in changes.items() if n}, self._fresh))
        self._changed.clear()
        return rolls

    def restore(self, rolls: Iterable[SchoolRoll]) -> None:
        """Take back rolls that could not be stored."""
        self._changed.update(roll.school_id for roll in rolls)


class HeadCounts:
    """What is counted of one import (fresh), or of the service's whole life (continuing)."""

    def __init__(self, *, fresh: bool) -> None:
        self.days = DayHeads(fresh=fresh)
        self.roll = Roll(fresh=fresh)
