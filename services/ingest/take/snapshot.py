"""Taking back what earlier imports said and a snapshot's files do not."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import cast

from models.attendance import EXCUSED, RETRACTED, STATUS, UNEXCUSED
from services.contracts.ids import partition_of
from services.contracts.marks import AttendanceStatus
from services.contracts.packed import PlainMark
from services.ingest.context import IngestContext
from services.ingest.publish.batches import mark_records
from services.ingest.rows.kinds import RecordTable
from services.ingest.store import attendance, stale_marks, stale_records
from services.ingest.store.stale_marks import SchoolSpan, Stale, Whole
from services.ingest.store.stale_records import WholeRecords
from services.platform.keys.feed_keys import find_keys

_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True)
class Limits:
    """A snapshot that would take back more than both, of attendance or of a table of records, is likely a cut file."""

    share: float
    """Of the marks, or rows, that stand in its span."""
    marks: int


@dataclass(frozen=True, slots=True)
class TakenBack:
    """What became of it: of marks, or of the rows of a table of records."""

    marks: int
    """How many were taken back, or would be."""
    standing: int
    """How many stood in the span, these included."""
    refused: bool = False


async def take_back(
    parts: IngestContext,
    spans: Collection[SchoolSpan],
    seen: Iterable[tuple[str, date]],
    whole: Whole,
    limits: Limits | None,
) -> TakenBack:
    """Take back what is stale in the spans; `seen` are the schools' days of which the files have rows.

    Without limits any number is taken back. Raises `UnavailableError`; doing it again is harmless.
    """
    async with parts.engine.connect() as connection:
        number = await stale_marks.standing(connection, spans, whole, RETRACTED)
        stale = await stale_marks.stale(connection, spans, whole, RETRACTED)
    gone = len({(one.student_id, one.school_id, one.date, one.section) for one in stale})
    if _is_too_much(gone, number, limits):
        return TakenBack(gone, number, refused=True)
    for start in range(0, len(stale), _AT_ONCE):
        await _take_back(parts, stale[start : start + _AT_ONCE], whole)
    async with parts.engine.begin() as connection:
        await stale_marks.clear_counts(connection, spans, seen)
    return TakenBack(gone, number)


async def take_back_records(
    parts: IngestContext, table: RecordTable, whole: WholeRecords, limits: Limits | None
) -> TakenBack:
    """Take back what stands of a table of records and the import does not say; without limits any number."""
    async with parts.engine.begin() as connection:
        found = await stale_records.count(connection, table, whole)
        if _is_too_much(found.stale, found.standing, limits):
            return TakenBack(*found, refused=True)
        await stale_records.close(connection, table, whole)
    return TakenBack(*found)


def _is_too_much(gone: int, standing: int, limits: Limits | None) -> bool:
    return limits is not None and gone > limits.marks and gone > limits.share * standing


async def _take_back(parts: IngestContext, stale: Sequence[Stale], whole: Whole) -> None:
    await say_instead(parts, stale)
    async with parts.engine.begin() as connection:
        await stale_marks.forget(connection, stale, whole)


async def say_instead(parts: IngestContext, stale: Sequence[Stale]) -> None:
    """Send, and keep of what does not flow, what stands once these are gone; they are to be forgotten then."""
    partitions = len(await parts.publisher.partitions())
    said = [(one, mark) for one in stale if (mark := said_instead(one)) is not None]
    async with parts.engine.connect() as connection:
        found = await find_keys(connection, parts.masters, {mark.student for one, mark in said if one.live})
    marks = [(partition_of(one.slot, partitions), mark) for one, mark in said if mark.student in found.keys]
    await parts.publisher.send(mark_records(marks, datetime.now(UTC), {}, found.ciphers()))
    async with parts.engine.begin() as connection:
        await attendance.put(connection, [(one.student, mark) for one, mark in said if not one.live])


def said_instead(stale: Stale) -> PlainMark | None:
    """What stands once what is stale is gone: said a moment after it; None when that stood already."""
    if stale.kept_at is not None and stale.kept_at > stale.stale_at:
        return None
    code = RETRACTED if stale.kept_code is None else stale.kept_code
    status = "retracted" if code == RETRACTED else cast("AttendanceStatus", STATUS[code])
    return PlainMark(
        student=stale.pseudonym,
        school_id=stale.school_id,
        date=stale.date,
        status=status,
        excused=code == EXCUSED if code in (EXCUSED, UNEXCUSED) else None,
        section=stale.section or None,
        moment=stale.stale_at + 1,
        reason=None,
        history=True,
    )
