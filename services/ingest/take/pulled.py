"""What a pull asks and changes beside what an import does: how far it is, and what its source does not say any more."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import date, datetime
from functools import partial
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from models.attendance import RETRACTED
from services.ingest.context import IngestContext
from services.ingest.publish.pending import publish_students
from services.ingest.rows.kinds import RecordTable
from services.ingest.store import calendars, pulls, records, rosters, unsaid
from services.ingest.store.pulls import PullState, WhyAnew
from services.ingest.store.records import RecordKey
from services.ingest.store.rosters import SpanKey
from services.ingest.store.unsaid import UnsaidMark
from services.ingest.take.snapshot import say_instead

_AT_ONCE = 2_000

T = TypeVar("T")


class Pulled:
    """Each method is tried until Kafka and the database answer, and doing it again is harmless."""

    def __init__(self, parts: IngestContext) -> None:
        self._parts = parts

    async def begin(self, source: str, resources: Collection[str]) -> PullState:
        """How far this source has been read."""
        return await self._with(lambda on: pulls.begin(on, source, resources, time.time_ns()))

    async def read_anew(self, source: str, resources: Collection[str], why: WhyAnew) -> None:
        """Nothing of these resources counts as read."""
        await self._with(lambda on: pulls.read_anew(on, source, resources, why))

    async def begun(self, source: str, resource: str) -> None:
        """Rows of this resource are about to be taken for the first time."""
        await self._with(lambda on: pulls.begun(on, source, resource))

    async def done(self, source: str, versions: Mapping[str, int]) -> None:
        """Everything of these resources was taken, up to these change versions."""
        await self._with(lambda on: pulls.done(on, source, versions))

    async def unsay(self, marks: Collection[UnsaidMark]) -> None:
        """Take back what imports said of these; what else was said of the same stands again."""
        ordered = sorted(marks)
        for start in range(0, len(ordered), _AT_ONCE):
            await self._parts.patience.run(partial(_unsay, self._parts, ordered[start : start + _AT_ONCE]))

    async def unsaid_in(self, run: int, seen: Collection[int]) -> list[UnsaidMark]:
        """The marks of this import whose hash is not among those that its source says."""

        async def find(on: AsyncConnection) -> list[UnsaidMark]:
            return [one async for one in unsaid.said_in(on, run, RETRACTED) if hash(one) not in seen]

        return await self._with(find)

    async def drop_enrollments(self, spans: Collection[SpanKey]) -> None:
        """Take these enrollments back."""
        if spans:
            await self._with(lambda on: rosters.drop_spans(on, spans))
            await self._parts.patience.run(lambda: publish_students(self._parts))

    async def claim_enrollments(self, spans: Collection[SpanKey], run: int) -> None:
        """Note that this source says these."""
        await self._with(lambda on: rosters.claim_spans(on, spans, run))

    async def enrollments(self, run: int) -> set[SpanKey]:
        """Those that this source says."""
        return await self._with(lambda on: rosters.spans_of(on, run))

    async def followed(self) -> set[tuple[str, str]]:
        """The calendars that kept enrollments name: school and code."""
        return await self._with(rosters.calendars)

    async def calendar_days(self) -> set[tuple[str, str, date]]:
        """The school, calendar and date of each day on which those who follow the calendar have school."""
        return await self._with(calendars.instructional)

    async def close_other_records(
        self,
        table: RecordTable,
        said: Collection[RecordKey],
        run: int,
        moment: datetime,
        student_ids: Collection[str] | None,
    ) -> None:
        """Take back what this import says of these students, None: of all, but for what has one of these keys."""
        await self._with(lambda on: records.close_others(on, table, said, run, moment, student_ids))

    async def _with(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        async def once() -> T:
            async with self._parts.engine.begin() as connection:
                return await work(connection)

        return await self._parts.patience.run(once)


async def _unsay(parts: IngestContext, marks: Sequence[UnsaidMark]) -> None:
    async with parts.engine.connect() as connection:
        stale = await unsaid.find(connection, marks)
    if stale:
        await say_instead(parts, stale)
        async with parts.engine.begin() as connection:
            await unsaid.forget(connection, marks, stale)
