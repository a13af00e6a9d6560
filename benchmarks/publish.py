"""The marks into Kafka: one record a mark and in batches for the others, and as ingest publishes them for ours."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

from aiokafka import AIOKafkaProducer

from benchmarks.marks import FIRST_DAY, PARTITIONS, Year, counts
from services.contracts.marks import DayClosed, DayCounts, DaysClosed, WeekClosed
from services.contracts.reference import Consent, Enrollment, EnrollmentSpan, SchoolDay
from services.contracts.topics import CONSENTS, ENROLLMENTS, MARKS, SCHOOL_DAYS, Topic
from services.ingest.batches import Record, mark_records
from services.platform.kafka import make_producer

SINGLE: Final = Topic("benchmark.marks.single")
BATCHED: Final = Topic("benchmark.marks.batched")

_AT_ONCE = 5_000
"""Records sent before their acknowledgements are awaited."""


async def publish_for_others(kafka: str, year: Year) -> None:
    """Every mark to `SINGLE`, key the student, and the batches to `BATCHED`; both by the student's partition."""

    def records() -> Iterator[Record]:
        for _, marks in year.each_day():
            for partition, mark in marks:
                yield Record(SINGLE.name, partition, mark.student, mark.model_dump_json(exclude_none=True).encode())
            for record in mark_records(marks, datetime.now(UTC), {}):
                yield Record(BATCHED.name, record.partition, record.key, record.value)

    await _publish(kafka, records())


async def publish_reference(kafka: str, year: Year) -> None:
    """A consent and an enrollment of each student, and the calendar."""
    await _publish(kafka, reference_records(year))


def reference_records(year: Year) -> Iterator[Record]:
    """What `publish_reference` sends."""
    for pupil in year.pupils:
        span = EnrollmentSpan(school_id=pupil.school_id, entry_date=FIRST_DAY)
        consent = Consent(student=pupil.pseudonym, valid_from=FIRST_DAY)
        enrollment = Enrollment(student=pupil.pseudonym, spans=[span], household=pupil.household)
        for topic, event in ((CONSENTS, consent), (ENROLLMENTS, enrollment)):
            yield Record(topic.name, pupil.partition, pupil.pseudonym, event.model_dump_json().encode())
    for day in year.days:
        for school in sorted({pupil.school_id for pupil in year.pupils}):
            value = SchoolDay(school_id=school, date=day, instructional=True).model_dump_json().encode()
            for partition in range(PARTITIONS):
                yield Record(SCHOOL_DAYS.name, partition, f"{school}|{day.isoformat()}", value)


async def publish_for_ours(kafka: str, year: Year) -> list[UUID]:
    """What `our_records` says; returns the tokens of all closes."""
    tokens: list[UUID] = []
    await _publish(kafka, our_records(year, tokens))
    return tokens


def our_records(year: Year, tokens: list[UUID]) -> Iterator[Record]:
    """Each day's batches and, behind them in every partition, its close and, at its end, the week's.

    The closes' tokens are added to `tokens`.
    """
    last_days = {week_of(day): day for day in year.days}
    for day, marks in year.each_day():
        now, heads = datetime.now(UTC), counts(day, marks)
        yield from mark_records(marks, now, heads)
        tokens.append(uuid4())
        yield from _closes(heads.values(), tokens[-1], now)
        if day == last_days[week_of(day)]:
            tokens.append(uuid4())
            closed = WeekClosed(taken_at=now, token=tokens[-1], week=week_of(day))
            yield from _to_all(closed.model_dump_json().encode())


def week_of(day: date) -> date:
    """The Monday of the day's week."""
    return day - timedelta(days=day.weekday())


def _closes(heads: Iterable[DayCounts], token: UUID, now: datetime) -> Iterator[Record]:
    closes = [DayClosed(school_id=head.school_id, date=head.date, counts=head) for head in heads]
    return _to_all(DaysClosed(taken_at=now, token=token, closes=closes).model_dump_json(exclude_none=True).encode())


def _to_all(value: bytes) -> Iterator[Record]:
    for partition in range(PARTITIONS):
        yield Record(MARKS.name, partition, str(partition), value)


async def _publish(kafka: str, records: Iterable[Record]) -> None:
    async with _producing(kafka) as producer:
        waiting: list[asyncio.Future[object]] = []
        for record in records:
            key = record.key.encode()
            waiting.append(await producer.send(record.topic, record.value, key=key, partition=record.partition))
            if len(waiting) == _AT_ONCE:
                await asyncio.gather(*waiting)
                waiting.clear()
        await asyncio.gather(*waiting)


@asynccontextmanager
async def _producing(kafka: str) -> AsyncIterator[AIOKafkaProducer]:
    producer = make_producer(kafka, linger_ms=5)
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()
