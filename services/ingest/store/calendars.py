"""Days of calendars that only some of a school's students follow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.rows.parse import SchoolDayRow
from services.ingest.store.days import flows

_PUT = text(f"""
    INSERT INTO ingest.calendar_days AS d (school_id, calendar, date, instructional)
    SELECT * FROM unnest(CAST(:schools AS text[]), CAST(:calendars AS text[]), CAST(:dates AS date[]),
                         CAST(:instructional AS boolean[]))
    ORDER BY 1, 2, 3
    ON CONFLICT (school_id, calendar, date) DO UPDATE
    SET instructional = excluded.instructional, pending = true, revision = d.revision + 1
    WHERE (d.pending AND {flows("d.school_id")}) OR d.instructional <> excluded.instructional
    RETURNING school_id, calendar, date
""")  # noqa: S608 -- our own text

_PENDING = text(f"""
    SELECT school_id, calendar, date, instructional, revision FROM ingest.calendar_days
    WHERE pending AND {flows()} ORDER BY date, school_id, calendar LIMIT :limit
""")  # noqa: S608 -- our own text

_SENT = text("""
    UPDATE ingest.calendar_days d SET pending = false
    FROM unnest(CAST(:schools AS text[]), CAST(:calendars AS text[]), CAST(:dates AS date[]),
                CAST(:revisions AS integer[])) AS g (school_id, calendar, date, revision)
    WHERE (d.school_id, d.calendar, d.date, d.revision) = (g.school_id, g.calendar, g.date, g.revision)
""")

_DAYS = text("SELECT school_id, calendar, date FROM ingest.calendar_days WHERE instructional")


@dataclass(frozen=True, slots=True)
class CalendarDayState:
    """A day that Kafka has not got yet, as it is kept."""

    school_id: str
    calendar: str
    date: date
    instructional: bool
    revision: int


async def put(connection: AsyncConnection, rows: Sequence[SchoolDayRow]) -> set[tuple[str, str, date]]:
    """Keep these days, of which each names a calendar; returns those that were news or that Kafka lacks."""
    last = {
        (row.school_id, row.calendar or "", row.date): row.instructional
        for row in rows
        if row.instructional is not None
    }
    given = {
        "schools": [school for school, _, _ in last],
        "calendars": [calendar for _, calendar, _ in last],
        "dates": [day for _, _, day in last],
        "instructional": list(last.values()),
    }
    return {(row.school_id, row.calendar, row.date) for row in await connection.execute(_PUT, given)}


async def instructional(connection: AsyncConnection) -> set[tuple[str, str, date]]:
    """The school, calendar and date of each day on which those who follow the calendar have school."""
    return {(row.school_id, row.calendar, row.date) for row in await connection.execute(_DAYS)}


async def pending(connection: AsyncConnection, limit: int) -> list[CalendarDayState]:
    """Days that Kafka is to have and has not got yet, the oldest first."""
    return [CalendarDayState(*row) for row in await connection.execute(_PENDING, {"limit": limit})]


async def sent(connection: AsyncConnection, days: Sequence[CalendarDayState]) -> None:
    """Kafka has these; one that changed meanwhile stays pending."""
    given = {
        "schools": [day.school_id for day in days],
        "calendars": [day.calendar for day in days],
        "dates": [day.date for day in days],
        "revisions": [day.revision for day in days],
    }
    await connection.execute(_SENT, given)
