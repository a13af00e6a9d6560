"""Marks: gate, duplicates, counts, Kafka, and only then the memory of what was taken."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from services.contracts.ids import partition_of
from services.contracts.marks import AttendanceMark, DayCounts
from services.ingest.batches import mark_records
from services.ingest.classify import Accepted, classify
from services.ingest.digests import event_digest
from services.ingest.head_counts import HeadCounts
from services.ingest.metrics import count_marks
from services.ingest.outcomes import DUPLICATE, Outcome
from services.ingest.parts import Parts
from services.ingest.rows import MarkRow, to_utc
from services.ingest.store import days, gate, taken

SLACK = timedelta(days=1)
"""East of the district tomorrow has come already."""


@dataclass(frozen=True, slots=True)
class _Classed:
    """A batch after the gate and the search for repeats."""

    outcomes: list[Outcome]
    accepted: list[Accepted]
    times: list[datetime | None]
    counts: dict[tuple[str, date], DayCounts]
    order: int


async def take_marks(
    parts: Parts, rows: Sequence[MarkRow], *, live: bool, history: bool, counts: HeadCounts | None
) -> list[Outcome]:
    """Each row's outcome, in order; `accepted` means that Kafka has acknowledged it.

    `live` marks come by HTTP: one without `recorded_at` is recorded now. `history` marks raise nothing.
    Raises `UnavailableError` when Kafka or the database stays away; taking the rows again is harmless.
    """
    if not rows:
        return []
    heads = {student_id: parts.names.head(student_id) for student_id in {row.student_id for row in rows}}
    async with parts.room, parts.claims.hold(set(heads.values())):
        classed = await parts.patience.run(lambda: _classify(parts, rows, heads, live, history, counts))
        if classed.accepted:
            await _publish(parts, rows, classed, live=live, history=history)
            await parts.patience.run(lambda: _remember(parts, rows, classed))
    count_marks(classed.outcomes)
    return classed.outcomes


async def _classify(
    parts: Parts,
    rows: Sequence[MarkRow],
    heads: Mapping[str, int],
    live: bool,
    history: bool,
    counts: HeadCounts | None,
) -> _Classed:
    order = time.time_ns()
    async with parts.engine.begin() as connection:
        known = await gate.in_force(connection, heads)
        latest = await gate.today(connection) + SLACK
        naive = any(row.recorded_at is not None and row.recorded_at.tzinfo is None for row in rows)
        zones = await gate.timezones(connection) if naive else {}
        times = _times(rows, zones, parts.timezone)
        memory = await taken.look_up(
            connection,
            {(known[row.student_id].id, row.date) for row in rows if row.student_id in known},
            {event_digest(row.event_id) for row in rows if row.event_id and row.student_id in known},
        )
        outcomes, accepted = classify(rows, times, known, memory, now=order, live=live, latest=latest)
    _count(counts or parts.counts, rows, outcomes, heads, repeats=counts is not None)
    sums = {} if history else await _write_counts(parts, counts or parts.counts)
    return _Classed(outcomes, accepted, times, sums, order)


def _times(rows: Sequence[MarkRow], zones: Mapping[str, str], default: ZoneInfo) -> list[datetime | None]:
    """When each row was recorded, in UTC; a time without an offset is the school's local time."""
    local = {school_id: ZoneInfo(zone) for school_id, zone in zones.items()}
    return [
        None if row.recorded_at is None else to_utc(row.recorded_at, local.get(row.school_id, default)) for row in rows
    ]


def _count(
    counts: HeadCounts, rows: Sequence[MarkRow], outcomes: Sequence[Outcome], heads: Mapping[str, int], *, repeats: bool
) -> None:
    """Count heads over all rows; a continuing count skips repeats, which it may have stored in an earlier life."""
    for row, outcome in zip(rows, outcomes, strict=True):
        if outcome.status != "rejected" and (repeats or outcome is not DUPLICATE):
            counts.days.add(row.school_id, row.date, heads[row.student_id], absent=row.status == "absent")


async def _write_counts(parts: Parts, counts: HeadCounts) -> dict[tuple[str, date], DayCounts]:
    changes = counts.days.drain()
    if not changes:
        return {}
    try:
        async with parts.engine.begin() as connection:
            return await days.add_counts(connection, changes)
    except BaseException:
        counts.days.restore(changes)
        raise


async def _publish(parts: Parts, rows: Sequence[MarkRow], classed: _Classed, *, live: bool, history: bool) -> None:
    now = datetime.now(UTC)
    partitions = len(await parts.patience.run(parts.publisher.partitions))
    marks = [
        (
            partition_of(new.student.slot, partitions),
            _mark(rows[new.place], new, classed.times[new.place] or (now if live else None), history),
        )
        for new in classed.accepted
    ]
    records = mark_records(marks, now, classed.counts)
    await parts.patience.run(lambda: parts.publisher.send(records))


def _mark(row: MarkRow, new: Accepted, recorded_at: datetime | None, history: bool) -> AttendanceMark:
    return AttendanceMark(
        student=new.student.pseudonym,
        school_id=row.school_id,
        date=row.date,
        status=row.status,
        excused=row.excused,
        section=row.section_id,
        recorded_at=recorded_at,
        reason=row.reason,
        history=history,
    )


async def _remember(parts: Parts, rows: Sequence[MarkRow], classed: _Classed) -> None:
    async with parts.engine.begin() as connection:
        await taken.write(
            connection,
            [
                taken.Taken(
                    new.student.id, rows[new.place].date, new.digest, new.section, classed.order + new.place, new.event
                )
                for new in classed.accepted
            ],
        )
