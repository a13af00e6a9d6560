"""What a Kafka record does to a partition: read it, and hand it to the right method."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from services.contracts import topics
from services.contracts.ids import Pseudonym
from services.contracts.reference import Consent, Enrollment, SchoolDay
from services.warning.partition import Partition
from services.warning.wire import MarkBatch, decode_marks

READ = (topics.MARKS, topics.SCHOOL_DAYS, topics.ENROLLMENTS, topics.CONSENTS)
"""The topics that the worker reads; all have the same partitions."""


def take(partition: Partition, topic: str, key: bytes | None, value: bytes | None, timestamp: float) -> UUID | None:
    """Apply one record and decide its alerts; returns the token of a close, to be answered.

    `timestamp` is the record's (seconds since the epoch). Raises `ValueError` for a record that
    cannot be read (pydantic's `ValidationError` and msgspec's `DecodeError` are).
    """
    taken_at = datetime.fromtimestamp(timestamp, UTC)
    token: UUID | None = None
    if topic == topics.MARKS.name:
        if value is None:
            raise ValueError("a batch of marks without a value")
        record = decode_marks(value)
        taken_at = record.taken_at
        if isinstance(record, MarkBatch):
            partition.take_marks(record)
        else:
            partition.take_closes(record)
            token = record.token
    elif topic == topics.SCHOOL_DAYS.name:
        if value is not None:
            partition.take_school_day(SchoolDay.model_validate_json(value))
    else:
        if key is None:
            raise ValueError("a record of a student without a key")
        pseudonym = Pseudonym(key.decode())
        if topic == topics.ENROLLMENTS.name:
            enrollment = None if value is None else Enrollment.model_validate_json(value)
            partition.take_enrollment(pseudonym, enrollment, taken_at)
        else:
            consent = None if value is None else Consent.model_validate_json(value)
            partition.take_consent(pseudonym, consent, taken_at)
    partition.settle(taken_at)
    return token
