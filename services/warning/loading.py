"""Builds a partition from what the table holds of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import numpy as np

from models.artifact import Artifact, parse_artifact
from models.attendance import NO_TIME
from models.policy import Policy
from models.shock import HeadCount
from services.contracts.alerts import AlertEvent
from services.contracts.ids import Pseudonym
from services.warning.capacity import CapacityControl
from services.warning.legacy_state import capacity_control_of, is_earlier, take_in
from services.warning.partition import Partition
from services.warning.school_year import BLOCK, SchoolYear
from services.warning.stored import (
    Block,
    Head,
    MonthBlock,
    checksum,
    days_checksum,
    decode_block,
    decode_cell,
    decode_head,
    decode_model,
    decode_month,
    decode_policy,
    known,
    midnight,
    place_kind,
    several_of,
)
from services.warning.student import NO_ROW, Student


def load_partition(
    items: Mapping[str, bytes], policy: Policy, capacity_control: CapacityControl, loaded_at: datetime
) -> Partition:
    """The partition as it was last written. Raises `UnreadableStateError`, or `msgspec.DecodeError` for garbage."""
    by_kind: defaultdict[str, list[tuple[str, bytes]]] = defaultdict(list)
    earlier = {key: value for key, value in items.items() if is_earlier(value)}
    for key, value in items.items() - earlier.items():
        kind, rest = key.split("|", 1)
        by_kind[kind].append((rest, value))
    partition = Partition(policy, capacity_control)
    partition.caused(loaded_at)
    for rest, value in sorted(by_kind["c"]):
        _load_month(partition, rest.rsplit("|", 1)[0], known(value, decode_month))
    for school in partition.school_facts.schools.values():
        school.find_shocks(policy.shock)
    heads = [known(value, decode_head) for _, value in by_kind["s"]]
    blocks = [(rest.split("|"), known(value, decode_block)) for rest, value in by_kind["b"]]
    if "r|" in earlier:
        capacity_control.restore(capacity_control_of(earlier["r|"]), {}, 0)
    same_policy = _load_capacity_control(partition, by_kind, blocks)
    _load_rows(partition, heads, blocks)
    for head in heads:
        partition.add(_load_head(partition, head))
    _empty_left_rows(partition)
    for student in partition.students.values():
        partition.take_ahead(student)
        partition.place(student)
    _remember(partition, heads, same_policy=same_policy)
    take_in(partition, earlier)
    return partition


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
    partition: Partition, by_kind: Mapping[str, list[tuple[str, bytes]]], blocks: Sequence[tuple[list[str], Block]]
) -> bool:
    """Restore the control of the capacity; whether the policy is the one by which the levels were decided."""
    artifacts: dict[str, Artifact] = {}
    for digest, value in by_kind["m"]:
        artifacts[digest] = parse_artifact(known(value, decode_model)[1], "a model that has scored days")
    stored = [known(value, decode_policy) for _, value in by_kind["r"]]
    if not stored:
        return False
    reported = [school.last_reported() or 0 for school in partition.school_facts.schools.values()]
    last = max([*reported, *(block.days[-1] for _, block in blocks)], default=0)
    partition.capacity_control.restore(stored[0].capacity_control, artifacts, last + 1)
    return stored[0].policy == checksum(partition.policy, capped=partition.capacity_control.capped)


def _load_rows(partition: Partition, heads: Iterable[Head], blocks: Iterable[tuple[list[str], Block]]) -> None:
    rows: defaultdict[int, int] = defaultdict(int)
    for head in heads:
        rows[head.year] = max(rows[head.year], head.row + 1)
    days: defaultdict[int, set[int]] = defaultdict(set)
    blocks = list(blocks)
    for (number, number_of_block, _), block in blocks:
        days[int(number)].update(block.days)
        rows[int(number)] = max(rows[int(number)], int(number_of_block) * BLOCK + len(block.cells))
    for school_year, count in rows.items():
        if not count:
            continue
        year = partition.year(school_year)
        year.cohort.add(count)
        year.students = [None] * count
        year.grow()
        for day in sorted(days[school_year]):
            year.cohort.column(day)
    for (number, number_of_block, _), block in blocks:
        _load_block(partition.year(int(number)), int(number_of_block) * BLOCK, block)


def _load_block(year: SchoolYear, first: int, block: Block) -> None:
    register = year.cohort.register
    assert register.moment is not None
    columns = np.searchsorted(register.ordinals, block.days)
    numbers = np.array([register.number(school) for school in block.schools], np.uint16)
    where = place_kind(len(numbers))
    midnights = midnight(np.array(block.days, np.int32))
    for row, data in enumerate(block.cells, first):
        if not data:
            continue
        cell = decode_cell(data)
        said = np.frombuffer(cell.said, np.uint8)
        register.said[row, columns] = said
        places = np.frombuffer(cell.at, where)
        register.said_at[row, columns] = np.where(said > 0, numbers[np.minimum(places, len(numbers) - 1)], 0)
        if block.width and cell.moments:
            packed = np.frombuffer(cell.moments, f"u{block.width}").astype(np.int64)
            moments = midnights + block.base + (packed - 1) * block.unit
            register.moment[row, columns] = np.where(packed > 0, moments, NO_TIME)
        else:
            register.moment[row, columns] = NO_TIME
        for day, rows in several_of(cell).items():
            year.marks.recall(row, day, rows)


def _load_head(partition: Partition, head: Head) -> Student:
    student = Student(Pseudonym(head.student))
    student.household, student.grade, student.agency = head.household, head.grade, head.agency
    student.consent, student.spans, student.year, student.row = head.consent, head.spans, head.year, head.row
    student.withdrawn, student.last_seq, student.emitted = head.withdrawn, head.last_seq, head.emitted
    student.level_at_close, student.ahead = head.level_at_close, head.ahead
    student.pending = [AlertEvent.model_validate_json(event) for event in head.pending]
    if student.row != NO_ROW:
        year = partition.year(student.year)
        year.students[student.row] = student
        year.rows[student.pseudonym] = student.row
    return student


def _empty_left_rows(partition: Partition) -> None:
    """Days that nobody has: the write in which the student left them was cut short before it reached them."""
    for year in partition.years.values():
        for row, student in enumerate(year.students):
            if student is None and year.cohort.register.said[row].any():
                year.empty(row)


def _remember(partition: Partition, heads: Iterable[Head], *, same_policy: bool) -> None:
    """Take what was decided; where the days are others than it was decided on, it is decided anew."""
    for year in partition.years.values():
        year.cohort.restored()
    for head in heads:
        if head.row == NO_ROW:
            continue
        year = partition.years[head.year]
        if same_policy and (not head.course or head.days == days_checksum(year, head.row, head.course)):
            year.levels.recall(head.row, head.course)
        else:
            partition.decide_anew(partition.students[head.student])
    for year in partition.years.values():
        year.levels.take_noted()
