"""What is shared beside attendance: gate, scope, repeats, and what stands of it in the schema `district`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.agreement.document import Agreement, Feed
from services.ingest.classification.classify import SLACK
from services.ingest.classification.records import NOT_SHARED, days_of, may_be_kept, not_yet
from services.ingest.consent.gate import passing
from services.ingest.context import IngestContext
from services.ingest.metrics import count_records
from services.ingest.rows.kinds import RecordTable
from services.ingest.rows.outcomes import (
    ACCEPTED,
    DUPLICATE,
    NOT_CONSENTED,
    OLDER,
    Outcome,
    best,
)
from services.ingest.rows.records import CourseRow, GradeRow, Record, RecordDays, TermRow
from services.ingest.store import agreements, gate, records, rosters
from services.ingest.store.records import KeptRecord
from services.ingest.take.hand_in import HandIn, why_not_consented


async def take_terms(parts: IngestContext, rows: Sequence[TermRow], said: HandIn) -> list[Outcome]:
    """Keep when terms are; each row's outcome, in order."""
    async with parts.engine.begin() as connection:
        await agreements.required(connection)
        await records.hand_in(connection, "terms", said.as_of or datetime.now(UTC))
        news = await records.put_terms(connection, rows)
    outcomes = []
    for row in rows:
        outcomes.append(ACCEPTED if row.term in news else DUPLICATE)
        news.discard(row.term)
    return outcomes


async def take_records(parts: IngestContext, table: RecordTable, rows: Sequence[Record], said: HandIn) -> list[Outcome]:
    """Keep rows of one table, as far as agreement and consents cover them; each row's outcome, in order.

    Of one key the latest said stands, of one import the last row. No rows say that there are none. Raises
    `NoAgreementError`.
    """
    moment = said.as_of or datetime.now(UTC)
    async with parts.engine.begin() as connection:
        agreement = await agreements.required(connection)
        await records.hand_in(connection, table.name, moment)
        days = await _days(connection, rows)
        found = [
            await _for_feed(connection, parts, agreement, feed, table, rows, days, said=said, moment=moment)
            for feed in agreement.record_feeds(table.kind)
            if rows
        ]
    outcomes = [best(of) for of in zip(*found, strict=True)] if found else [NOT_SHARED for _ in rows]
    count_records(table.name, outcomes)
    return outcomes


async def _days(connection: AsyncConnection, rows: Sequence[Record]) -> list[RecordDays]:
    """The days that each row is about: its own, else its term's."""
    named = {row.term for row in rows if isinstance(row, CourseRow | GradeRow)}
    terms = await records.terms(connection, named) if named else {}
    return [days_of(row, terms) for row in rows]


async def _for_feed(
    connection: AsyncConnection,
    parts: IngestContext,
    agreement: Agreement,
    feed: Feed,
    table: RecordTable,
    rows: Sequence[Record],
    days: Sequence[RecordDays],
    *,
    said: HandIn,
    moment: datetime,
) -> list[Outcome]:
    ids = {row.student_id for row in rows}
    known = await passing(connection, parts, agreement, feed.id, ids)
    locked = await rosters.lock(connection, [student.id for student in known.values()])
    enrolled = await records.enrolled(connection, locked) if locked else {}
    why_not = await why_not_consented(connection, parts, feed.id, ids - known.keys(), said)
    latest = await gate.today(connection) + SLACK
    outcomes: list[Outcome] = []
    given: dict[int, KeptRecord] = {}
    judged: dict[tuple[int, RecordDays], Outcome | None] = {}  # a student has many rows of the same days
    for place, (row, about) in enumerate(zip(rows, days, strict=True)):
        student = known.get(row.student_id)
        refused = not_yet(table, about, latest)
        if refused is not None:
            outcomes.append(refused)
        elif student is None or student.id not in locked:
            outcomes.append(NOT_CONSENTED[why_not.get(row.student_id, "unknown_student")])
        else:
            if (student.id, about) not in judged:
                spans = enrolled.get(student.id, ())
                judged[student.id, about] = may_be_kept(about, spans, agreement, student.run)
            refused = judged[student.id, about]
            outcomes.append(refused or ACCEPTED)
            if refused is None:
                given[place] = KeptRecord(student.id, row, about)
    if given:
        run = said.run or time.time_ns()
        told = await _keep(connection, table, list(given.values()), moment, run, whole=said.whole)
        for place, outcome in zip(given, told, strict=True):
            outcomes[place] = outcome
    return outcomes


async def _keep(
    connection: AsyncConnection,
    table: RecordTable,
    given: Sequence[KeptRecord],
    moment: datetime,
    run: int,
    *,
    whole: bool,
) -> list[Outcome]:
    """Each row's outcome, in order; of several of one key the last one stands."""
    keys = [_key(table, one) for one in given]
    given = _filled(table, given, keys) if table.unknown_keeps else given
    last = {key: place for place, key in enumerate(keys)}
    mine = [given[place] for place in last.values()] if len(last) < len(given) else given
    columns = records.columns_of(table, mine)
    stands = await records.standing(connection, table, columns)
    outcomes = [OLDER for _ in given]
    news, again = [], []
    for number, place in enumerate(last.values()):
        before = stands.get(number)
        if before is not None and before.same:
            outcomes[place] = DUPLICATE
            again.append(mine[number])
        elif before is None or before.said_at <= moment:
            outcomes[place] = ACCEPTED
            news.append(mine[number])
    for place, one in enumerate(given):
        stood = last[keys[place]]
        if place != stood and one.row == given[stood].row:
            outcomes[place] = DUPLICATE
        elif table.unknown_keeps:
            outcomes[place] = outcomes[stood]
    if news:
        whole_chunk = columns if len(news) == len(mine) else records.columns_of(table, news)
        await records.put(connection, table, whole_chunk, moment, run, replaces=bool(stands))
    if again and whole:
        await records.repeat(connection, table, records.columns_of(table, again), run)
    return outcomes


def _filled(
    table: RecordTable, given: Sequence[KeptRecord], keys: Sequence[tuple[object, ...]]
) -> Sequence[KeptRecord]:
    """The rows with what others of their key said before, where they say nothing."""
    said: dict[tuple[object, ...], dict[str, Any]] = {}
    filled = []
    for key, one in zip(keys, given, strict=True):
        known = said.setdefault(key, {})
        known |= {name: value for name in table.values if (value := getattr(one.row, name)) is not None}
        filled.append(one._replace(row=replace(one.row, **known)))
    return filled


def _key(table: RecordTable, one: KeptRecord) -> tuple[object, ...]:
    return one.student, *table.key_of(one.row)
