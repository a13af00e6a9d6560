"""What a Kafka record does to a partition: open it, read it, and hand it to the right method."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.contracts import topics
from services.contracts.ids import Pseudonym
from services.contracts.packed import CipherOf, SealedBatch, decode, is_packed, moment_of, open_marks
from services.contracts.reference import Consent, Enrollment, SchoolDay
from services.contracts.risk import ThresholdSet, WeekCounted
from services.contracts.sealed import UnsealError, sealed_for, unseal
from services.platform.keys.ring import NoKeyError
from services.warning.columns import SingleMark, columns_of
from services.warning.keys import SKIPPED, FeedKeys
from services.warning.partition import Partition
from services.warning.wire import DaysClosed, WeekClosed, decode_marks, head_count

READ = (topics.MARKS, topics.SCHOOL_DAYS, topics.ENROLLMENTS, topics.CONSENTS, topics.RISK_WEEKS, topics.THRESHOLDS)
"""The topics that the worker reads; all have the same partitions."""
_OF_STUDENTS = {topics.ENROLLMENTS.name, topics.CONSENTS.name}


class Place(NamedTuple):
    """Which partition a record is in, of how many."""

    number: int
    partitions: int


def take(
    partition: Partition,
    place: Place,
    topic: str,
    key: bytes | None,
    value: bytes | None,
    timestamp: float,
    keys: FeedKeys,
) -> UUID | None:
    """Apply the facts of one record; returns the token of a close, to be answered when they are evaluated.

    `timestamp` is the record's (seconds since the epoch). Raises `ValueError` for a record that cannot be read
    (pydantic's `ValidationError` and msgspec's `DecodeError` are), `NoKeyError` when it was sealed with a key that
    was never made, and `KeyAwayError`, with nothing of it applied, when a key is not at hand.
    """
    taken_at = datetime.fromtimestamp(timestamp, UTC)
    if topic == topics.MARKS.name:
        if value is None:
            raise ValueError("a batch of marks without a value")
        record = decode_marks(value)
        if isinstance(record, SealedBatch):
            _take_marks(partition, record, keys)
            return None
        return _take_close(partition, place, record)
    if topic in _OF_STUDENTS:
        _take_of_student(partition, topic, key, value, taken_at, keys)
        return None
    partition.caused(taken_at)
    if topic == topics.SCHOOL_DAYS.name:
        if value is not None:
            partition.school_facts.take_school_day(SchoolDay.model_validate_json(value))
    elif topic == topics.RISK_WEEKS.name:
        partition.take_count(WeekCounted.model_validate_json(value or b""))
    else:
        emitted = ThresholdSet.model_validate_json(value or b"")
        partition.take_threshold(emitted)
        return None if emitted.more else emitted.token
    return None


def students_of(topic: str, value: bytes | None) -> Collection[str]:
    """Pseudonyms of those with whose keys a record was sealed; raises as `take`."""
    if value is None:
        return ()
    if topic == topics.MARKS.name:
        return decode(value).students if is_packed(value) else ()
    return (sealed_for(value),) if topic in _OF_STUDENTS else ()


def _take_marks(partition: Partition, batch: SealedBatch, keys: FeedKeys) -> None:
    """Take what opens; then raises for the rest: what is wrong with one student's marks is no loss to the others."""
    cipher_of, failed = _cipher_of(partition, keys), None
    try:
        marks = columns_of(batch, cipher_of)
    except (UnsealError, NoKeyError) as error:
        batch, failed = _openable(batch, cipher_of), error
        if not batch.students:
            raise
        marks = columns_of(batch, cipher_of)
    taken_at = moment_of(batch.taken_at)
    partition.caused(taken_at)
    for counts in batch.counts:
        partition.school_facts.take_counts(*head_count(counts))
    known = 0
    if isinstance(marks, SingleMark):
        known = 1
        partition.take_mark(marks, taken_at)
    elif marks is not None:
        known = len(marks.students)
        partition.take_marks(marks, taken_at)
    if known < len(batch.students):
        SKIPPED.labels(topics.MARKS.name).inc(len(batch.students) - known)
    if failed is not None:
        raise failed


def _openable(batch: SealedBatch, cipher_of: CipherOf) -> SealedBatch:
    """The batch without the students whose marks do not open; raises what `cipher_of` raises for a key that is away."""

    def opens(student: str, value: bytes) -> bool:
        try:
            open_marks(msgspec.structs.replace(batch, students=[student], sealed=[value]), cipher_of)
        except (UnsealError, NoKeyError):
            return False
        return True

    kept = [each for each in zip(batch.students, batch.sealed, strict=True) if opens(*each)]
    return msgspec.structs.replace(
        batch, students=[student for student, _ in kept], sealed=[value for _, value in kept]
    )


def _cipher_of(partition: Partition, keys: FeedKeys) -> CipherOf:
    """The keys; but what the table has of a student, unread, must not be written over while it may yet be opened."""

    def unless_unreadable(pseudonym: str) -> AESGCM | None:
        cipher = keys.cipher(pseudonym)
        if cipher is not None and partition.opens_unread(pseudonym, cipher):
            raise NoKeyError
        return cipher

    return unless_unreadable if partition.unreadable else keys.cipher


def _take_close(partition: Partition, place: Place, record: DaysClosed | WeekClosed) -> UUID | None:
    partition.caused(record.taken_at)
    if isinstance(record, DaysClosed):
        partition.take_closes(record)
        return record.token
    counted = partition.close_week(record, number=place.number, partitions=place.partitions)
    return None if counted else record.token  # a counted week is answered when its threshold is in force


def _take_of_student(
    partition: Partition, topic: str, key: bytes | None, value: bytes | None, taken_at: datetime, keys: FeedKeys
) -> None:
    """A student's consent or enrollments; without a value the student was erased, and never comes back."""
    if key is None:
        raise ValueError("a record of a student without a key")
    pseudonym = Pseudonym(key.decode())
    if value is None:
        partition.caused(taken_at)
        keys.drop([pseudonym])
        partition.remove(pseudonym)
        return
    if sealed_for(value) != pseudonym:
        raise ValueError("a record of another student than its key says")
    cipher = _cipher_of(partition, keys)(pseudonym)
    if cipher is None:
        SKIPPED.labels(topic).inc()
        return
    opened = unseal(cipher, topic, value)
    partition.caused(taken_at)
    if topic == topics.ENROLLMENTS.name:
        partition.take_enrollment(pseudonym, Enrollment.model_validate_json(opened), taken_at)
    else:
        partition.take_consent(pseudonym, Consent.model_validate_json(opened), taken_at)
