"""The one clock, which is in the database: the district's timezone, and the replayed day."""

from __future__ import annotations

from datetime import date

from services.ingest.context import IngestContext
from services.ingest.store import clock, gate


async def put_timezone(parts: IngestContext) -> None:
    """Write the district's timezone to the database."""
    async with parts.engine.begin() as connection:
        await clock.put_timezone(connection, parts.timezone.key)


async def put_replay_day(parts: IngestContext, day: date | None) -> None:
    """Make this the day that it is for all services; None is the wall clock's."""
    async with parts.engine.begin() as connection:
        await clock.put_replay_day(connection, day)


async def today(parts: IngestContext) -> date:
    """Today by the one clock."""
    async with parts.engine.connect() as connection:
        return await gate.today(connection)
