"""Marks: gate, duplicates, counts, Kafka, and only then the memory of what was taken."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy.ext.asyncio import AsyncConnection

from models.attendance import NO_TIME
from services.contracts.ids import partition_of
from services.contracts.marks import DayCounts
from services.contracts.packed import NO_MOMENT, PlainMark
from services.ingest.agreement.document import Agreement, Feed, covers
from services.ingest.classification.classify import (
    Accepted,
    Classed,
    Horizon,
    Superseded,
    Taking,
    classify,
    superseded,
    together,
)
from services.ingest.classification.digests import event_digest
from services.ingest.consent.gate import passing
from services.ingest.context import IngestContext
from services.ingest.metrics import count_marks
from services.ingest.publish.batches import mark_records
from services.ingest.publish.pending import publish_days
from services.ingest.reporting.head_counts import HeadCounts
from services.ingest.rows.outcomes import ACCEPTED, DUPLICATE, OUT_OF_SCOPE, Outcome, best
from services.ingest.rows.parse import MarkRow, to_utc
from services.ingest.store import agreements, attendance, days, gate, reported, taken
from services.ingest.take.days import assume
from services.ingest.take.hand_in import HandIn, why_not_consented
from services.platform.audit.entry import FEED_OF_MARKS, AuditEntry, fed
from services.platform.audit.log import write_entries
from services.platform.erasure.confirming import while_keys_hold


@dataclass(frozen=True, slots=True)
class _Batch:
    """What one feed has of a batch, after the gate and the search for repeats."""

    feed: Feed
    places: Sequence[int]
    """Of its rows, among all."""
    rows: Sequence[MarkRow]
    classed: Classed
    again: list[Accepted]
    """Repeats that go on being said."""
    superseded: list[Superseded]
    """What earlier imports said and is no longer what an import says."""


async def take_marks(
    parts: IngestContext, rows: Sequence[MarkRow], said: HandIn, counts: HeadCounts | None
) -> list[Outcome]:
    """Each row's outcome, in order; `accepted` means that Kafka has acknowledged what flows, and the rest is kept.

    Raises `UnavailableError` when Kafka or the database stays away, and `NoAgreementError`; taking the rows again is
    harmless.
    """
    if not rows:
        return []
    heads = {student_id: parts.names.head(student_id) for student_id in {row.student_id for row in rows}}
    async with parts.room, parts.claims.hold(set(heads.values())):
        batches, outcomes = await parts.patience.run(lambda: _classify(parts, rows, said))
        _count(counts or parts.counts, rows, outcomes, heads, repeats=counts is not None)
        sums = {} if said.history else await parts.patience.run(lambda: _write_counts(parts, counts or parts.counts))
        if said.live and any(batch.classed.accepted for batch in batches):
            await _assume(parts, batches)
        flowing = [batch for batch in batches if batch.feed.live]
        await _publish(parts, flowing, said, sums)
        await parts.patience.run(lambda: _remember(parts, flowing))
    count_marks(outcomes)
    return outcomes


async def _classify(parts: IngestContext, rows: Sequence[MarkRow], said: HandIn) -> tuple[list[_Batch], list[Outcome]]:
    """What each feed has, and what is said of each row. What does not flow is kept in the same transaction.

    What will flow is on record then.
    """
    now = time.time_ns() if said.run is None else said.run
    async with parts.engine.begin() as connection:
        agreement = await agreements.required(connection)
        horizon = Horizon.of(await gate.today(connection), parts.timezone)
        naive = any(row.recorded_at is not None and row.recorded_at.tzinfo is None for row in rows)
        zones = await gate.timezones(connection) if naive else {}
        times = _times(rows, zones, parts.timezone, modified=said.as_of is not None)
        batches = []
        for feed in agreement.attendance_feeds():
            places = [place for place, row in enumerate(rows) if covers(agreement, feed, row.school_id, row.date)]
            if places:
                taking = Taking(now, said.live, said.as_of, horizon, str(feed.id))
                batch = await _for_feed(
                    connection, parts, agreement, feed, rows, times, places, taking=taking, said=said
                )
                if not feed.live:
                    await attendance.put(connection, ((new.student.id, mark) for new, mark in _marks(batch, said)))
                    await _note(connection, batch)
                batches.append(batch)
        await write_entries(
            connection, [_flow(batch) for batch in batches if batch.feed.live and batch.classed.accepted]
        )
    if len(batches) == 1 and len(batches[0].rows) == len(rows):  # as often: one feed has them all
        return batches, batches[0].classed.outcomes
    found: list[list[Outcome]] = [[] for _ in rows]
    for batch in batches:
        for place, outcome in zip(batch.places, batch.classed.outcomes, strict=True):
            found[place].append(outcome)
    return batches, [
        best(of) if of else horizon.refuses(row.date, time_) or OUT_OF_SCOPE
        for row, time_, of in zip(rows, times, found, strict=True)
    ]


async def _for_feed(
    connection: AsyncConnection,
    parts: IngestContext,
    agreement: Agreement,
    feed: Feed,
    all_rows: Sequence[MarkRow],
    all_times: Sequence[datetime | None],
    places: Sequence[int],
    taking: Taking,
    *,
    said: HandIn,
) -> _Batch:
    whole = len(places) == len(all_rows)
    rows = all_rows if whole else [all_rows[place] for place in places]
    times = all_times if whole else [all_times[place] for place in places]
    students = {row.student_id for row in rows}
    known = await passing(connection, parts, agreement, feed.id, students)
    why_not = await why_not_consented(connection, parts, feed.id, students - known.keys(), said)
    memory = await taken.look_up(
        connection,
        {(known[row.student_id].id, row.date) for row in rows if row.student_id in known},
        {event_digest(row.event_id, taking.agency) for row in rows if row.event_id and row.student_id in known},
    )
    classed = classify(rows, times, known, memory, taking, why_not)
    if said.live and classed.accepted:
        for place, outcome in (await reported.ineffective(connection, classed.accepted)).items():
            if classed.outcomes[place] is ACCEPTED:
                classed.outcomes[place] = outcome
    repeated = classed.repeated if said.whole else together(classed.accepted, classed.repeated, memory)
    again = [] if said.live else list(repeated)
    return _Batch(feed, places, rows, classed, again, superseded(classed.accepted, again, memory))


def _times(
    rows: Sequence[MarkRow], zones: Mapping[str, str], default: ZoneInfo, *, modified: bool
) -> list[datetime | None]:
    """When each row was recorded, or `modified` by its source, in UTC; without an offset it is the school's time."""
    local = {school_id: ZoneInfo(zone) for school_id, zone in zones.items()}
    return [
        (row.modified_at if modified else None)
        if row.recorded_at is None
        else to_utc(row.recorded_at, local.get(row.school_id, default))
        for row in rows
    ]


def _count(
    counts: HeadCounts, rows: Sequence[MarkRow], outcomes: Sequence[Outcome], heads: Mapping[str, int], *, repeats: bool
) -> None:
    """Count heads over all rows; a continuing count skips repeats, which it may have stored in an earlier life."""
    for row, outcome in zip(rows, outcomes, strict=True):
        if row.status == "retracted" or outcome.status in {"rejected", "out_of_scope"}:
            continue
        if repeats or outcome is not DUPLICATE:
            counts.days.add(row.school_id, row.date, heads[row.student_id], absent=row.status == "absent")


async def _write_counts(parts: IngestContext, counts: HeadCounts) -> dict[tuple[str, date], DayCounts]:
    changes = counts.days.drain()
    if not changes:
        return {}
    try:
        async with parts.engine.begin() as connection:
            return await days.add_counts(connection, changes)
    except BaseException:
        counts.days.restore(changes)
        raise


async def _assume(parts: IngestContext, batches: Sequence[_Batch]) -> None:
    """A school without a calendar raises nothing that needs one: the worker must know before the marks come."""
    dates: dict[str, set[date]] = {}
    for batch in batches:
        for new in batch.classed.accepted:
            dates.setdefault(batch.rows[new.place].school_id, set()).add(batch.rows[new.place].date)
    if await parts.patience.run(lambda: assume(parts, dates)):
        await parts.patience.run(lambda: publish_days(parts))


async def _publish(
    parts: IngestContext, batches: Sequence[_Batch], said: HandIn, counts: dict[tuple[str, date], DayCounts]
) -> None:
    if not any(batch.classed.accepted for batch in batches):
        return
    now = datetime.now(UTC)
    partitions = len(await parts.patience.run(parts.publisher.partitions))
    marks = [
        (partition_of(new.student.slot, partitions), mark) for batch in batches for new, mark in _marks(batch, said)
    ]
    records = mark_records(marks, now, counts, _ciphers(parts, batches))
    await parts.patience.run(lambda: parts.publisher.send(records))


def _ciphers(parts: IngestContext, batches: Sequence[_Batch]) -> dict[str, AESGCM]:
    """By which what is new is sealed."""
    students = {new.student.pseudonym: new.student.key for batch in batches for new in batch.classed.accepted}
    return {
        pseudonym: AESGCM(parts.masters.unwrap(pseudonym, key))
        for pseudonym, key in students.items()
        if key is not None
    }


def _flow(batch: _Batch) -> AuditEntry:
    """What the audit keeps of what is new to the agency."""
    students: dict[str, date | None] = {new.student.pseudonym: new.student.run.start for new in batch.classed.accepted}
    return fed(batch.feed.agency, FEED_OF_MARKS, students)


def _marks(batch: _Batch, said: HandIn) -> Iterator[tuple[Accepted, PlainMark]]:
    """What is new of a batch, with the mark that it is."""
    for new in batch.classed.accepted:
        yield new, _mark(batch.rows[new.place], new, history=said.history)


def _mark(row: MarkRow, new: Accepted, *, history: bool) -> PlainMark:
    return PlainMark(
        student=new.student.pseudonym,
        school_id=row.school_id,
        date=row.date,
        status=row.status,
        excused=row.excused,
        section=row.section_id,
        moment=NO_MOMENT if new.said.moment == NO_TIME else new.said.moment,
        reason=row.reason,
        history=history,
    )


async def _remember(parts: IngestContext, batches: Sequence[_Batch]) -> None:
    if any(batch.classed.accepted or batch.again for batch in batches):
        async with parts.engine.begin() as connection:
            await while_keys_hold(connection, "ingest")
            for batch in batches:
                await _note(connection, batch)


async def _note(connection: AsyncConnection, batch: _Batch) -> None:
    if batch.classed.accepted or batch.again:
        await taken.write(connection, batch.classed.accepted, batch.again, batch.superseded)
