"""Builds a partition from what the table holds of it."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import numpy as np

from models.artifact import Artifact, parse_artifact
from models.policy import Policy
from models.school_year import FIRST_MONTH
from models.shock import HeadCount
from services.contracts.alerts import AlertEvent
from services.contracts.ids import Pseudonym
from services.contracts.packed import CipherOf
from services.contracts.sealed import UnsealError, is_sealed, sealed_for
from services.platform.keys.ring import NoKeyError
from services.warning.capacity import CapacityControl
from services.warning.cells import Block, Cell, days_of, decode_block, decode_cell, load_cell
from services.warning.keys import SKIPPED
from services.warning.partition import Partition
from services.warning.school_year import BLOCK, Sealed
from services.warning.sealing import TOPIC, open_stored
from services.warning.stored import (
    Head,
    MonthBlock,
    StoredPolicy,
    checksum,
    days_checksum,
    decode_head,
    decode_model,
    decode_month,
    decode_policy,
    known,
    unreadable,
)
from services.warning.student import NO_ROW, Student

log = logging.getLogger(__name__)


class _Place(NamedTuple):
    """Of a block: the school year, its first row, and the calendar month."""

    school_year: int
    row: int
    month: int

    @property
    def calendar_year(self) -> int:
        return self.school_year if self.month >= FIRST_MONTH else self.school_year + 1

    @classmethod
    def of(cls, rest: str) -> _Place:
        """Of the rest of its key."""
        year, block, month = map(int, rest.split("|"))
        return cls(year, block * BLOCK, month)

    def days(self, mask: int) -> list[int]:
        return days_of(mask, self.calendar_year, self.month)


_HEAD = "s|"
_Blocks = Sequence[tuple[_Place, Block]]


def students_in(items: Iterable[str]) -> Iterable[str]:
    """Those whose keys are needed to load a partition with these keys of the table."""
    return [key.removeprefix(_HEAD) for key in items if key.startswith(_HEAD)]


def load_partition(
    items: Mapping[str, bytes],
    policy: Policy,
    capacity_control: CapacityControl,
    loaded_at: datetime,
    cipher_of: CipherOf,
) -> Partition:
    """The partition as it was last written, but for students whose key is gone: what is stored of them will go.

    A student whose key was never made stays in the table, unread. One whose key was made anew (a dump was restored that
    is older than the consent, which was handed in again) begins anew: what was stored never opens again.

    Raises `UnreadableStateError`, or `msgspec.DecodeError` for garbage, and `KeyAwayError` when a key is not at hand.
    """
    by_kind: defaultdict[str, list[tuple[str, bytes]]] = defaultdict(list)
    for key, value in items.items():
        kind, rest = key.split("|", 1)
        by_kind[kind].append((rest, value))
    partition = Partition(policy, capacity_control)
    partition.caused(loaded_at)
    for rest, value in sorted(by_kind["c"]):
        _load_month(partition, rest.rsplit("|", 1)[0], known(value, decode_month))
    for school in partition.school_facts.schools.values():
        school.find_shocks(policy.shock)
    heads = _open_heads(partition, by_kind["s"], cipher_of)
    blocks = [(_Place.of(rest), known(value, decode_block)) for rest, value in sorted(by_kind["b"])]
    stored = _load_capacity_control(partition, by_kind, blocks)
    _make_room(partition, {} if stored is None else stored.rows, heads, blocks)
    for head in heads:
        partition.add(_load_head(partition, head))
    for place, block in blocks:
        _load_block(partition, place, block, cipher_of)
    for student in partition.students.values():
        partition.take_ahead(student)
        partition.place(student)
    decided_by = checksum(policy, capped=capacity_control.capped)
    _remember(partition, heads, same_policy=stored is not None and stored.policy == decided_by)
    if partition.unreadable:
        log.error("the keys of %d students in the table are not known: they stay unread", len(partition.unreadable))
    return partition


def _open_heads(partition: Partition, stored: Iterable[tuple[str, bytes]], cipher_of: CipherOf) -> list[Head]:
    heads, other_keys = [], 0
    for pseudonym, value in stored:
        if not is_sealed(value):
            raise unreadable(value)
        try:
            opened = open_stored(value, cipher_of)
        except NoKeyError:
            partition.unreadable[pseudonym] = value
            continue
        except UnsealError:
            other_keys += 1
            continue
        if opened is None:
            SKIPPED.labels(TOPIC).inc()
            partition.note_removal(pseudonym)
        else:
            heads.append(known(opened, decode_head))
    if other_keys:
        log.error("%d students in the table were sealed with other keys than their feeds have now: lost", other_keys)
    return heads


def _load_month(partition: Partition, school_id: str, month: MonthBlock) -> None:
    school = partition.school_facts.school(school_id)
    school.assumed = month.assumed
    for day, instructional in month.calendar.items():
        school.set_calendar(day, instructional=instructional)
    for name, calendar in month.calendars.items():
        for day, instructional in calendar.items():
            school.set_calendar_of(name, day, instructional=instructional)
    for day, history in month.closed.items():
        school.close(day, history=history)
    for day, counts in month.counts.items():
        school.set_counts(day, HeadCount(*counts))
    school.history_through = max(school.history_through, month.history_through)


def _load_capacity_control(
    partition: Partition, by_kind: Mapping[str, list[tuple[str, bytes]]], blocks: _Blocks
) -> StoredPolicy | None:
    """Restore the control of the capacity; what was stored with it."""
    artifacts: dict[str, Artifact] = {}
    for digest, value in by_kind["m"]:
        artifacts[digest] = parse_artifact(known(value, decode_model)[1], "a model that has scored days")
    stored = [known(value, decode_policy) for _, value in by_kind["r"]]
    if not stored:
        return None
    reported = [school.last_reported() or 0 for school in partition.school_facts.schools.values()]
    last = max([*reported, *(place.days(block.days)[-1] for place, block in blocks if block.days)], default=0)
    partition.capacity_control.restore(stored[0].capacity_control, artifacts, last + 1)
    return stored[0]


def _make_room(partition: Partition, given: Mapping[int, int], heads: Iterable[Head], blocks: _Blocks) -> None:
    """Rows and columns for all that is stored; so many rows were given out by school year."""
    rows: defaultdict[int, int] = defaultdict(int, given)
    for head in heads:
        rows[head.year] = max(rows[head.year], head.row + 1)
    days: defaultdict[int, set[int]] = defaultdict(set)
    for place, block in blocks:
        days[place.school_year].update(place.days(block.days))
        rows[place.school_year] = max(rows[place.school_year], place.row + len(block.cells))
    for school_year, count in rows.items():
        if not count:
            continue
        year = partition.year(school_year)
        year.cohort.add(count)
        year.students = [None] * count
        year.grow()
        for day in sorted(days[school_year]):
            year.cohort.column(day)


def _load_block(partition: Partition, place: _Place, block: Block, cipher_of: CipherOf) -> None:
    year = partition.year(place.school_year)
    days = np.array(place.days(block.days), np.int32)
    for row, value in enumerate(block.cells, place.row):
        if not value:
            continue
        pseudonym, owner = sealed_for(value), year.students[row]
        opened = _open_cell(value, cipher_of) if owner is not None and owner.pseudonym == pseudonym else None
        if opened is not None:
            cell: Cell = decode_cell(opened)
            theirs = days if cell.days == block.days else np.array(place.days(cell.days), np.int32)
            load_cell(year, row, cell, theirs)
        elif pseudonym in partition.unreadable:
            year.sealed[row, place.month] = Sealed(pseudonym, value)
        else:  # the student is erased, the key another, or the write in which the row was left was cut short before it
            year.changed[row // BLOCK, place.month] = True


def _open_cell(value: bytes, cipher_of: CipherOf) -> bytes | None:
    """A row's days; None when the key is gone, or was made anew since."""
    try:
        return open_stored(value, cipher_of)
    except UnsealError:
        return None


def _load_head(partition: Partition, head: Head) -> Student:
    student = Student(Pseudonym(head.student))
    student.household, student.grade, student.agency = head.household, head.grade, head.agency
    student.consent, student.spans, student.year, student.row = head.consent, head.spans, head.year, head.row
    student.emitted, student.level_at_close, student.ahead = head.emitted, head.level_at_close, head.ahead
    student.pending = [AlertEvent.model_validate_json(event) for event in head.pending]
    if student.row == NO_ROW:
        return student
    year = partition.year(student.year)
    year.students[student.row] = student
    year.rows[student.pseudonym] = student.row
    return student


def _remember(partition: Partition, heads: Iterable[Head], *, same_policy: bool) -> None:
    """Take what was decided; where the days are others than it was decided on, it is decided anew."""
    for year in partition.years.values():
        year.cohort.restored()
    for head in heads:
        if head.row == NO_ROW:
            continue
        year, student = partition.years[head.year], partition.students[head.student]
        if same_policy and (not head.course or head.days == days_checksum(year, head.row, head.course)):
            year.levels.recall(head.row, head.course)
        else:
            partition.decide_anew(student)
    for year in partition.years.values():
        year.levels.take_noted()
