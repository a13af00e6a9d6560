"""Students, enrollments and schools: kept for those whose consent is in force, and published of what flows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.agreement.document import Agreement, Feed
from services.ingest.agreement.spans import NOT_SHARED
from services.ingest.consent.gate import passing
from services.ingest.context import IngestContext
from services.ingest.identity.consented import ConsentedStudent
from services.ingest.reporting.head_counts import HeadCounts, Roll
from services.ingest.rows.outcomes import ACCEPTED, DUPLICATE, NOT_CONSENTED, Outcome, best
from services.ingest.rows.parse import EnrollmentRow, SchoolRow, StudentRow
from services.ingest.store import agreements, days, rosters
from services.ingest.store.rosters import Person, RosterSpan


async def take_schools(parts: IngestContext, rows: Sequence[SchoolRow]) -> list[Outcome]:
    """Keep the schools; each row's outcome, in order."""
    async with parts.engine.begin() as connection:
        news = await rosters.put_schools(connection, rows)
    return [ACCEPTED if row.school_id in news else DUPLICATE for row in rows]


async def take_students(parts: IngestContext, rows: Sequence[StudentRow]) -> list[Outcome]:
    """Keep names, grades and households of those in force; each row's outcome, in order. Raises `NoAgreementError`.

    Where nothing flows, nobody is called by name: the grade alone is kept.
    """
    found = []
    async with parts.engine.begin() as connection:
        agreement = await agreements.required(connection)
        for feed in agreement.all_feeds():
            known = await passing(connection, parts, agreement, feed.id, {row.student_id for row in rows})
            locked = await rosters.lock(connection, [student.id for student in known.values()])
            people = {
                student.id: _person(parts, feed, student, row)
                for row in rows
                if (student := known.get(row.student_id)) and student.id in locked
            }
            news = await rosters.put_persons(connection, people.values())
            found.append([_outcome(known.get(row.student_id), people, news) for row in rows])
    return [best(of) for of in zip(*found, strict=True)] if found else [NOT_CONSENTED["recipient"] for _ in rows]


async def take_enrollments(
    parts: IngestContext, rows: Sequence[EnrollmentRow], *, counts: HeadCounts | None, run: int | None
) -> list[Outcome]:
    """Keep the enrollments of those in force, count all of the schools in scope; each row's outcome, in order.

    Those of an import (`run`) replace what earlier ones said of the student at the school. Of an enrollment at a school
    out of a live feed's scope its days are kept, and not where: an agency must know that there are days that it does
    not see. Raises `NoAgreementError`.
    """
    roll = (counts or parts.counts).roll
    async with parts.engine.begin() as connection:
        agreement = await agreements.required(connection)
        feeds = agreement.all_feeds()
        found = [await _enroll_for(connection, parts, agreement, feed, rows, run) for feed in feeds]
    _count(parts, (row for row in rows if any(feed.has(row.school_id) for feed in feeds)), roll)
    await _write_roll(parts, roll)
    return [
        best(one for one, feed in zip(of, feeds, strict=True) if feed.has(row.school_id))
        for row, of in zip(rows, zip(*found, strict=True) if found else [()] * len(rows), strict=True)
    ]


async def _enroll_for(
    connection: AsyncConnection,
    parts: IngestContext,
    agreement: Agreement,
    feed: Feed,
    rows: Sequence[EnrollmentRow],
    run: int | None,
) -> list[Outcome]:
    known = await passing(connection, parts, agreement, feed.id, {row.student_id for row in rows})
    locked = await rosters.lock(connection, [student.id for student in known.values()])
    mine = [
        (student, row)
        for row in rows
        if (student := known.get(row.student_id)) and student.id in locked
        if feed.live or feed.has(row.school_id)
    ]
    spans: dict[tuple[int, str, date], RosterSpan] = {}
    for student, row in mine:
        shared = feed.has(row.school_id)
        school_id = row.school_id if shared else NOT_SHARED
        span = RosterSpan(student.id, school_id, row.entry_date, row.exit_date, row.calendar if shared else None)
        key = (student.id, school_id, row.entry_date)
        before = spans.get(key)
        if before is None or run is None or _longer(span.exit_date, before.exit_date):
            spans[key] = span
    people = {student.id: _person(parts, feed, student, row) for student, row in mine if row.grade or row.household_id}
    new_spans = await rosters.put_spans(connection, spans.values(), run)
    new_people = await rosters.put_persons(connection, people.values()) if people else set()
    seen = _Seen(set(spans), new_spans, new_people)
    return [seen.outcome(known.get(row.student_id), row) for row in rows]


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a batch of enrollments brought; a row that repeats another of its batch brings nothing."""

    kept: set[tuple[int, str, date]]
    new_spans: set[tuple[int, str, date]]
    new_people: set[int]

    def outcome(self, student: ConsentedStudent | None, row: EnrollmentRow) -> Outcome:
        if student is None:
            return NOT_CONSENTED["unknown_student"]
        key = (student.id, row.school_id, row.entry_date)
        if key not in self.kept:
            return NOT_CONSENTED["unknown_student"]
        new = key in self.new_spans or ((row.grade or row.household_id) and student.id in self.new_people)
        self.new_spans.discard(key)
        self.new_people.discard(student.id)
        return ACCEPTED if new else DUPLICATE


def _outcome(student: ConsentedStudent | None, kept: Mapping[int, Person], news: set[int]) -> Outcome:
    if student is None or student.id not in kept:
        return NOT_CONSENTED["unknown_student"]
    new = student.id in news
    news.discard(student.id)
    return ACCEPTED if new else DUPLICATE


def _person(parts: IngestContext, feed: Feed, student: ConsentedStudent, row: StudentRow | EnrollmentRow) -> Person:
    if not feed.live:
        return Person(student.id, None, None, row.grade, None)
    first, last = (row.first_name, row.last_name) if isinstance(row, StudentRow) else (None, None)
    household = parts.names.household(feed.agency, row.household_id) if row.household_id else None
    return Person(student.id, first, last, row.grade, household)


def _longer(exit_date: date | None, than: date | None) -> bool:
    return than is not None and (exit_date is None or exit_date > than)


def _count(parts: IngestContext, rows: Iterable[EnrollmentRow], roll: Roll) -> None:
    for row in rows:
        roll.add(row.school_id, parts.names.head(row.student_id), row.entry_date, row.exit_date)


async def _write_roll(parts: IngestContext, roll: Roll) -> None:
    rolls = roll.drain()
    try:
        async with parts.engine.begin() as connection:
            await days.put_rolls(connection, rolls)
    except BaseException:
        roll.restore(rolls)
        raise
