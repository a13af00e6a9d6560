"""What an import asks of what is kept, and how it begins and ends."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, date, datetime

from services.ingest.context import IngestContext
from services.ingest.reporting.schools import Enrolled, SchoolReport
from services.ingest.store import imports, reported, students


async def begin_import(parts: IngestContext, fingerprint: str, as_of: datetime | None) -> datetime:
    """The moment as of which an import of these files speaks: now, or that of the same one that was interrupted."""
    async with parts.engine.begin() as connection:
        moment = as_of or datetime.now(UTC)
        return await imports.begin(connection, fingerprint, moment, anew=as_of is not None)


async def end_import(parts: IngestContext, fingerprint: str) -> None:
    """The import came to its end: the next one of the same files is another."""
    async with parts.engine.begin() as connection:
        await imports.end(connection, fingerprint)


async def consents_change(parts: IngestContext, day: date) -> bool:
    """Whether the consents of any student must be looked at again by this day."""
    async with parts.engine.connect() as connection:
        return await students.any_due(connection, day)


async def reports(parts: IngestContext) -> dict[str, SchoolReport]:
    """Each school's calendar and closed days."""
    async with parts.engine.connect() as connection:
        return await reported.reports(connection)


async def enrolled(parts: IngestContext, student_ids: Collection[str]) -> dict[str, list[Enrolled]]:
    """The enrollments kept of these students, by the district's id."""
    async with parts.engine.connect() as connection:
        return await reported.enrolled(connection, student_ids)
