"""Attendance: marks stream as an import's do, what is gone is taken back, and then days are closed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from models.attendance import code_of
from services.ingest.formats import edfi
from services.ingest.formats.base import Item
from services.ingest.formats.edfi_fields import Resource
from services.ingest.imports.importer import says
from services.ingest.pull.reading import Reading, key_values
from services.ingest.reporting.head_counts import HeadCounts
from services.ingest.reporting.schools import Reporting, SchoolReport
from services.ingest.rows.parse import MarkRow
from services.ingest.store.unsaid import UnsaidMark
from services.ingest.take.days import Close

_BEFORE_ALL: Final = datetime(2020, 1, 1, tzinfo=UTC)
_MINUTES_TO_MICROSECONDS: Final = 60_000_000


@dataclass(frozen=True, slots=True)
class AttendanceStep:
    """Both kinds of attendance events, and the closes of the days that they report."""

    counts: frozenset[str] = frozenset(one.collection for one in edfi.ATTENDANCE)
    looks_at: frozenset[str] = frozenset()

    async def take(self, reading: Reading) -> None:
        """Take what stands, then what is gone and does not stand again, then close days."""
        work = _Marks(reading, self.counts)
        for resource in edfi.ATTENDANCE:
            await work.take(resource)
        await work.take_back()
        await work.close()


class _Marks:
    def __init__(self, reading: Reading, collections: frozenset[str]) -> None:
        self._reading = reading
        self._counts = HeadCounts(fresh=True) if reading.is_first(*collections) else None
        self._reporting = Reporting()
        self._gone: set[UnsaidMark] = set()
        self._is_anew = reading.is_anew(*collections)
        self._is_whole = reading.is_first(*collections)
        self._seen: set[int] = set()
        """Hashes of what a source says that was restored."""
        self._collections = collections

    async def take(self, resource: Resource[MarkRow]) -> None:
        """Take the rows of the window, and note what is gone."""
        reading, collection = self._reading, resource.collection
        async for keys in reading.gone(collection):
            parsed = (resource.parse(key_values(resource.fields, key), reading.mapping) for key in keys)
            self._gone.update(_unsaid(row) for row in parsed if isinstance(row, MarkRow))
        async for page in reading.rows(collection):
            await self._take_page(collection, await reading.parse(collection, resource, page))

    async def _take_page(self, collection: str, items: Sequence[Item[MarkRow]]) -> None:
        reading = self._reading
        rows = [item.row for item in items]
        if reading.was_restored(collection):  # what was taken back since must stand again
            rows = [replace(row, modified_at=_said_again(row.modified_at, reading.moment)) for row in rows]
        if self._is_anew:
            self._seen.update(hash(_unsaid(row)) for row in rows)
        self._gone.difference_update(_unsaid(row) for row in rows)
        outcomes = await reading.intake.take_marks(rows, reading.said, counts=self._counts)
        usable = zip(rows, outcomes, strict=True)
        self._reporting.see((row.school_id, row.date) for row, outcome in usable if says(row, outcome))
        await reading.taken(collection, items, outcomes)

    async def take_back(self) -> None:
        """Take back what is gone; of a source that was restored all that it does not say."""
        pulled = self._reading.intake.pulled
        if self._is_anew and self._is_whole and not self._reading.lacks(*self._collections):
            self._gone.update(await pulled.unsaid_in(self._reading.state.run, self._seen))
        await pulled.unsay(self._gone)

    async def close(self) -> None:
        """Close the days that were reported, and anew each school's last one if more came of it."""
        intake = self._reading.intake
        seen = {one: school.seen for one, school in self._reporting.schools.items() if school.seen}
        if not seen:
            return
        assumed = await intake.assume(seen)
        reporting = Reporting(await intake.reports())
        for school_id, days in seen.items():
            school = reporting.school(school_id)
            school.seen.update(days)
            school.assume(assumed.get(school_id, ()))
        closes = [close for school_id in seen for close in _closes(school_id, reporting.school(school_id))]
        await intake.close_days(closes, counts=self._counts)


def _closes(school_id: str, school: SchoolReport) -> Iterator[Close]:
    """The last school day raises; it goes on being reported while rows of it come."""
    due = school.due()
    last = max((day for day in (*due, *school.closed) if school.is_instructional(day)), default=None)
    for day in due:
        yield Close(school_id, day, history=day != last)
    if last is not None and last in school.closed and last in school.seen:
        yield Close(school_id, last)


def _said_again(modified_at: datetime | None, moment: datetime) -> datetime | None:
    """When it was changed, and a few seconds: more at each later moment, so that it beats what took it back since.

    Of two events of a day the one that was changed last goes on standing.
    """
    return None if modified_at is None else modified_at + (moment - _BEFORE_ALL) / _MINUTES_TO_MICROSECONDS


def _unsaid(row: MarkRow) -> UnsaidMark:
    code = code_of(row.status, row.excused)
    return UnsaidMark(row.student_id, row.date, row.school_id, row.section_id or "", code)
