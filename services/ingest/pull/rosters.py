"""Schools, students, and who is where on which days: taken before everything else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol

from services.ingest.formats import edfi
from services.ingest.formats.base import RowT
from services.ingest.formats.edfi_fields import Resource
from services.ingest.pull.calendars import take_calendars
from services.ingest.pull.reading import Reading, key_values
from services.ingest.reporting.head_counts import HeadCounts
from services.ingest.rows.outcomes import Outcome
from services.ingest.rows.parse import EnrollmentRow
from services.ingest.store.rosters import SpanKey

ENROLLMENTS = edfi.ENROLLMENTS[0]


class PullStep(Protocol):
    """A part of a round; what it reads counts as read once all of it was taken."""

    @property
    def counts(self) -> frozenset[str]:
        """Resources that it reads, and whose rows count here."""

    @property
    def looks_at(self) -> frozenset[str]:
        """Resources of which it reads something else than the step in whose counts they are."""

    async def take(self, reading: Reading) -> None:
        """Take all that changed."""


@dataclass(frozen=True, slots=True)
class PlainStep(Generic[RowT]):
    """A resource whose rows stand by themselves; what is deleted of it stays, as nothing refers to it any more."""

    resource: Resource[RowT]
    give: Callable[[Reading], Callable[[Sequence[RowT]], Awaitable[list[Outcome]]]]
    looks_at: frozenset[str] = frozenset()

    @property
    def counts(self) -> frozenset[str]:
        """The resource."""
        return frozenset({self.resource.collection})

    async def take(self, reading: Reading) -> None:
        """Take the rows of the window."""
        collection, give = self.resource.collection, self.give(reading)
        async for _ in reading.gone(collection):
            pass
        async for page in reading.rows(collection):
            items = await reading.parse(collection, self.resource, page)
            await reading.taken(collection, items, await give([item.row for item in items]))


@dataclass(frozen=True, slots=True)
class EnrollmentsStep:
    """Enrollments, and the school days that their schools and calendars come to."""

    counts: frozenset[str] = frozenset({ENROLLMENTS.collection, "calendars", "calendarDates", "sessions"})
    looks_at: frozenset[str] = frozenset()

    async def take(self, reading: Reading) -> None:
        """Take what stands, then what is gone and does not stand again, then the calendars."""
        collection, pulled = ENROLLMENTS.collection, reading.intake.pulled
        gone: set[SpanKey] = set()
        seen: set[SpanKey] = set()
        counts = HeadCounts(fresh=True) if reading.is_first(collection) else None
        async for gone_keys in reading.gone(collection):
            parsed = (ENROLLMENTS.parse(key_values(ENROLLMENTS.fields, key), reading.mapping) for key in gone_keys)
            gone.update(_key(row) for row in parsed if isinstance(row, EnrollmentRow))
        changed = bool(gone)
        async for page in reading.rows(collection):
            changed = True
            items = await reading.parse(collection, ENROLLMENTS, page)
            rows = [item.row for item in items]
            keys = {_key(row) for row in rows}
            gone -= keys
            if reading.is_anew(collection):
                seen |= keys
            outcomes = await reading.intake.take_enrollments(rows, counts=counts)
            await pulled.claim_enrollments(keys, reading.state.run)
            await reading.taken(collection, items, outcomes)
        if reading.is_anew(collection) and not reading.lacks(collection):
            gone |= await pulled.enrollments(reading.state.run) - seen
        await pulled.drop_enrollments(gone)
        await take_calendars(reading, changed=changed)


def _key(row: EnrollmentRow) -> SpanKey:
    return SpanKey(row.student_id, row.school_id, row.entry_date)
