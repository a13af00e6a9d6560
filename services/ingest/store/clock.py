"""The one clock of all services, and the district's timezone that it needs."""

from __future__ import annotations

from datetime import date

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_TIMEZONE = text("""
    INSERT INTO ingest.settings (timezone) VALUES (:timezone)
    ON CONFLICT (singleton) DO UPDATE SET timezone = excluded.timezone
""")
_REPLAY = text("""
    INSERT INTO ingest.replay_clock (today) VALUES (:today)
    ON CONFLICT (singleton) DO UPDATE SET today = excluded.today
""")
_WALL = text("DELETE FROM ingest.replay_clock")


async def put_timezone(connection: AsyncConnection, timezone: str) -> None:
    """Say in which timezone the wall clock's day begins."""
    await connection.execute(_TIMEZONE, {"timezone": timezone})


async def put_replay_day(connection: AsyncConnection, day: date | None) -> None:
    """Set the replayed day; None lets the wall clock rule again."""
    if day is None:
        await connection.execute(_WALL)
    else:
        await connection.execute(_REPLAY, {"today": day})
