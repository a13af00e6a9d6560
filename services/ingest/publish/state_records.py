"""What ingest knows of students and school-days, as Kafka records: pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.contracts.ids import partition_of, week_token
from services.contracts.marks import DayClosed, DaysClosed, WeekClosed
from services.contracts.reference import Consent, Enrollment, SchoolDay
from services.contracts.sealed import seal_event
from services.contracts.topics import CONSENTS, ENROLLMENTS, MARKS, SCHOOL_DAYS
from services.ingest.publish.batches import Record
from services.ingest.store.calendars import CalendarDayState
from services.ingest.store.days import DayState
from services.ingest.store.pending import StudentState


def student_records(states: Iterable[StudentState], partitions: int, ciphers: Mapping[str, AESGCM]) -> list[Record]:
    """Each student's pending consent and enrollments. `ciphers` are theirs, by pseudonym."""
    records: list[Record] = []
    for state in states:
        partition = partition_of(state.slot, partitions)
        if state.consent_pending:
            records.append(Record(CONSENTS.name, partition, state.pseudonym, _consent(state, ciphers)))
        if state.enrollment_pending and state.spans:
            records.append(Record(ENROLLMENTS.name, partition, state.pseudonym, _enrollment(state, ciphers)))
    return records


def day_records(days: Iterable[DayState], partitions: Sequence[int]) -> list[Record]:
    """The pending school-days, to every partition."""
    return [
        Record(SCHOOL_DAYS.name, partition, f"{day.school_id}|{day.date.isoformat()}", value)
        for day in days
        if day.day_pending
        for value in (_school_day(day),)
        for partition in partitions
    ]


def calendar_records(days: Iterable[CalendarDayState], partitions: Sequence[int]) -> list[Record]:
    """The pending days of calendars that only some students follow, to every partition."""
    return [
        Record(SCHOOL_DAYS.name, partition, f"{day.school_id}|{day.date.isoformat()}|{day.calendar}", value)
        for day in days
        for value in (
            SchoolDay(school_id=day.school_id, date=day.date, instructional=day.instructional, calendar=day.calendar)
            .model_dump_json()
            .encode(),
        )
        for partition in partitions
    ]


def close_records(days: Iterable[DayState], partitions: Sequence[int], token: UUID, taken_at: datetime) -> list[Record]:
    """The pending closes as one record, to every partition; without any, it only brings the token."""
    closes = [
        DayClosed(school_id=day.school_id, date=day.date, counts=day.counts, history=day.history)
        for day in days
        if day.close_pending
    ]
    value = DaysClosed(taken_at=taken_at, token=token, closes=closes).model_dump_json(exclude_none=True).encode()
    return [Record(MARKS.name, partition, str(partition), value) for partition in partitions]


def week_records(week: date, partitions: Sequence[int], taken_at: datetime) -> list[Record]:
    """The week that begins on this Monday is over: to every partition."""
    value = WeekClosed(taken_at=taken_at, token=week_token(week), week=week).model_dump_json().encode()
    return [Record(MARKS.name, partition, str(partition), value) for partition in partitions]


def _consent(state: StudentState, ciphers: Mapping[str, AESGCM]) -> bytes:
    consent = Consent(student=state.pseudonym, valid_from=state.run.start, valid_through=state.run.through)
    return seal_event(ciphers[state.pseudonym], CONSENTS, consent)


def _enrollment(state: StudentState, ciphers: Mapping[str, AESGCM]) -> bytes:
    enrollment = Enrollment(
        student=state.pseudonym,
        spans=state.spans,
        grade=state.grade,
        household=state.household,
        agency=state.agency,
    )
    return seal_event(ciphers[state.pseudonym], ENROLLMENTS, enrollment)


def _school_day(day: DayState) -> bytes:
    school_day = SchoolDay(
        school_id=day.school_id,
        date=day.date,
        instructional=day.instructional,
        reported=day.reported,
        assumed=day.assumed,
    )
    return school_day.model_dump_json().encode()
