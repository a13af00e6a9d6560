"""Marks into Kafka records: grouped by partition, bounded in number and bytes, in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.contracts.marks import DayCounts
from services.contracts.packed import PlainMark, pack
from services.contracts.topics import MARKS

MAX_MARKS = 300
MAX_BYTES = 256_000


@dataclass(frozen=True, slots=True)
class Record:
    """One Kafka record to send to an explicit partition; a value of None is a tombstone."""

    topic: str
    partition: int
    key: str
    value: bytes | None


def mark_records(
    marks: Iterable[tuple[int, PlainMark]],
    taken_at: datetime,
    counts: Mapping[tuple[str, date], DayCounts],
    ciphers: Mapping[str, AESGCM],
) -> list[Record]:
    """The records that carry the marks, given with their partitions; a student's marks keep their order.

    `ciphers` are the students', by pseudonym.
    """
    by_partition: dict[int, list[PlainMark]] = {}
    for partition, mark in marks:
        by_partition.setdefault(partition, []).append(mark)
    return [
        Record(MARKS.name, partition, str(partition), value)
        for partition, group in by_partition.items()
        for start in range(0, len(group), MAX_MARKS)
        for value in _values(group[start : start + MAX_MARKS], taken_at, counts, ciphers)
    ]


def _values(
    marks: Sequence[PlainMark],
    taken_at: datetime,
    counts: Mapping[tuple[str, date], DayCounts],
    ciphers: Mapping[str, AESGCM],
) -> Iterator[bytes]:
    """One value, or several when one would be too large."""
    days = {(mark.school_id, mark.date): None for mark in marks} if counts else {}
    value = pack(marks, taken_at, ciphers, [counts[day] for day in days if day in counts])
    if len(value) <= MAX_BYTES or len(marks) == 1:
        yield value
        return
    middle = len(marks) // 2
    yield from _values(marks[:middle], taken_at, counts, ciphers)
    yield from _values(marks[middle:], taken_at, counts, ciphers)
