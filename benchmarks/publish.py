"""The marks into Kafka: one record a mark and in batches for the others, and as ingest publishes them for ours."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import chain
from typing import Final
from uuid import UUID, uuid4

from aiokafka import AIOKafkaProducer

from benchmarks.keys import Ciphers
from benchmarks.marks import FIRST_DAY, PARTITIONS, Year, counts
from services.contracts.marks import AttendanceMark, DayClosed, DayCounts, DaysClosed, WeekClosed
from services.contracts.packed import PlainMark
from services.contracts.reference import Consent, Enrollment, EnrollmentSpan, SchoolDay
from services.contracts.sealed import seal_event
from services.contracts.topics import CONSENTS, ENROLLMENTS, MARKS, SCHOOL_DAYS, Topic
from services.ingest.publish.batches import Record, mark_records
from services.platform.kafka import make_producer

SINGLE: Final = Topic("benchmark.marks.single")
FEW: Final = Topic("benchmark.marks.few")
"""As `SINGLE`, for an engine that would take too long over all."""
BATCHED: Final = Topic("benchmark.marks.batched")

CIPHERS: Final = Ciphers()
_AT_ONCE = 5_000
"""Records sent before their acknowledgements are awaited."""


@dataclass(frozen=True)
class Day:
    """A school day's records: the marks, and what closes the day and, at its end, the week."""

    marks: list[Record]
    closes: list[Record]
    tokens: tuple[UUID, ...]
    """Of the closes, the day's first."""


async def publish_for_others(kafka: str, year: Year, few: Year) -> None:
    """Every mark to `SINGLE`, key the student, and the batches to `BATCHED`; the marks of the smaller year to `FEW`."""

    def batches() -> Iterator[Record]:
        for _, marks in year.each_day():
            for record in _batches(marks, datetime.now(UTC), {}):
                yield Record(BATCHED.name, record.partition, record.key, record.value)

    await publish(kafka, chain.from_iterable(single_days(year, SINGLE)))
    await publish(kafka, batches())
    await publish(kafka, chain.from_iterable(single_days(few, FEW)))


def single_days(year: Year, topic: Topic) -> Iterator[list[Record]]:
    """Day by day, a record a mark as the other engines read it, key the student."""
    for _, marks in year.each_day():
        yield [
            Record(topic.name, partition, mark.student, mark.model_dump_json(exclude_none=True).encode())
            for partition, mark in marks
        ]


async def publish_reference(kafka: str, year: Year) -> None:
    """A consent and an enrollment of each student, and the calendar."""
    await publish(kafka, reference_records(year))


def reference_records(year: Year) -> Iterator[Record]:
    """What `publish_reference` sends."""
    for pupil in year.pupils:
        span = EnrollmentSpan(school_id=pupil.school_id, entry_date=FIRST_DAY)
        consent = Consent(student=pupil.pseudonym, valid_from=FIRST_DAY)
        enrollment = Enrollment(student=pupil.pseudonym, spans=[span], household=pupil.household)
        for topic, event in ((CONSENTS, consent), (ENROLLMENTS, enrollment)):
            value = seal_event(CIPHERS[pupil.pseudonym], topic, event)
            yield Record(topic.name, pupil.partition, pupil.pseudonym, value)
    for day in year.days:
        for school in sorted({pupil.school_id for pupil in year.pupils}):
            value = SchoolDay(school_id=school, date=day, instructional=True).model_dump_json().encode()
            for partition in range(PARTITIONS):
                yield Record(SCHOOL_DAYS.name, partition, f"{school}|{day.isoformat()}", value)


async def publish_for_ours(kafka: str, year: Year) -> list[UUID]:
    """Every day's records; returns the tokens of all closes."""
    tokens: list[UUID] = []

    def records() -> Iterator[Record]:
        for day in our_days(year):
            tokens.extend(day.tokens)
            yield from (*day.marks, *day.closes)

    await publish(kafka, records())
    return tokens


def our_days(year: Year, *, one_mark_a_record: bool = False) -> Iterator[Day]:
    """Each day's batches as ingest makes them and, behind them in every partition, its close and, after its last
    day, the week's.
    """
    last_days = {week_of(day): day for day in year.days}
    for day, marks in year.each_day():
        now, heads = datetime.now(UTC), counts(day, marks)
        if one_mark_a_record:
            records = [record for mark in marks for record in _batches([mark], now, {})]
        else:
            records = _batches(marks, now, heads)
        tokens = (uuid4(), uuid4()) if day == last_days[week_of(day)] else (uuid4(),)
        yield Day(records, [*_closes(heads.values(), tokens[0], now), *_week_closes(day, tokens[1:], now)], tokens)


def _batches(
    marks: Iterable[tuple[int, AttendanceMark]], now: datetime, heads: Mapping[tuple[str, date], DayCounts]
) -> list[Record]:
    return mark_records([(partition, PlainMark.of(mark)) for partition, mark in marks], now, heads, CIPHERS)


def week_of(day: date) -> date:
    """The Monday of the day's week."""
    return day - timedelta(days=day.weekday())


def _closes(heads: Iterable[DayCounts], token: UUID, now: datetime) -> Iterator[Record]:
    closes = [DayClosed(school_id=head.school_id, date=head.date, counts=head) for head in heads]
    return _to_all(DaysClosed(taken_at=now, token=token, closes=closes).model_dump_json(exclude_none=True).encode())


def _week_closes(day: date, tokens: Iterable[UUID], now: datetime) -> Iterator[Record]:
    for token in tokens:
        yield from _to_all(WeekClosed(taken_at=now, token=token, week=week_of(day)).model_dump_json().encode())


def _to_all(value: bytes) -> Iterator[Record]:
    for partition in range(PARTITIONS):
        yield Record(MARKS.name, partition, str(partition), value)


async def publish(kafka: str, records: Iterable[Record]) -> None:
    """Send them in order; returns when Kafka has acknowledged all."""
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
