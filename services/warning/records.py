"""What a Kafka record does to a partition: read it, and hand it to the right method."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from services.contracts import topics
from services.contracts.ids import Pseudonym
from services.contracts.packed import PackedBatch, moment_of
from services.contracts.reference import Consent, Enrollment, SchoolDay
from services.contracts.risk import ThresholdSet, WeekCounted
from services.warning.columns import columns_of, single, unpacked
from services.warning.partition import Partition
from services.warning.wire import DaysClosed, MarkBatch, WeekClosed, decode_marks, head_count

READ = (topics.MARKS, topics.SCHOOL_DAYS, topics.ENROLLMENTS, topics.CONSENTS, topics.RISK_WEEKS, topics.THRESHOLDS)
"""The topics that the worker reads; all have the same partitions."""


class Place(NamedTuple):
    """Which partition a record is in, of how many."""

    number: int
    partitions: int


def take(
    partition: Partition, place: Place, topic: str, key: bytes | None, value: bytes | None, timestamp: float
) -> UUID | None:
    """Apply the facts of one record; returns the token of a close, to be answered when they are evaluated.

    `timestamp` is the record's (seconds since the epoch). Raises `ValueError` for a record that
    cannot be read (pydantic's `ValidationError` and msgspec's `DecodeError` are).
    """
    taken_at = datetime.fromtimestamp(timestamp, UTC)
    if topic == topics.MARKS.name:
        if value is None:
            raise ValueError("a batch of marks without a value")
        return _take_marks(partition, place, decode_marks(value))
    partition.caused(taken_at)
    if topic == topics.SCHOOL_DAYS.name:
        if value is not None:
            partition.school_facts.take_school_day(SchoolDay.model_validate_json(value))
    elif topic == topics.RISK_WEEKS.name:
        partition.take_count(WeekCounted.model_validate_json(value or b""))
    elif topic == topics.THRESHOLDS.name:
        emitted = ThresholdSet.model_validate_json(value or b"")
        partition.take_threshold(emitted)
        return None if emitted.more else emitted.token
    else:
        _take_of_student(partition, topic, key, value, taken_at)
    return None


def _take_marks(
    partition: Partition, place: Place, record: MarkBatch | PackedBatch | DaysClosed | WeekClosed
) -> UUID | None:
    if isinstance(record, PackedBatch):
        taken_at, mark = moment_of(record.taken_at), single(record)
        marks = unpacked(record) if mark is None else None
        partition.caused(taken_at)
        for counts in record.counts:
            partition.school_facts.take_counts(*head_count(counts))
        if mark is not None:
            partition.take_mark(mark, taken_at)
        elif marks is not None:
            partition.take_marks(marks, taken_at)
        return None
    partition.caused(record.taken_at)
    if isinstance(record, MarkBatch):
        for each in record.counts:
            partition.school_facts.take_counts(*head_count(each))
        partition.take_marks(columns_of(record.marks), record.taken_at)
        return None
    if isinstance(record, DaysClosed):
        partition.take_closes(record)
        return record.token
    counted = partition.close_week(record, number=place.number, partitions=place.partitions)
    return None if counted else record.token  # a counted week is answered when its threshold is in force


def _take_of_student(
    partition: Partition, topic: str, key: bytes | None, value: bytes | None, taken_at: datetime
) -> None:
    if key is None:
        raise ValueError("a record of a student without a key")
    pseudonym = Pseudonym(key.decode())
    if topic == topics.ENROLLMENTS.name:
        enrollment = None if value is None else Enrollment.model_validate_json(value)
        partition.take_enrollment(pseudonym, enrollment, taken_at)
    else:
        consent = None if value is None else Consent.model_validate_json(value)
        partition.take_consent(pseudonym, consent, taken_at)
