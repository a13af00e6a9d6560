"""What has been taken, so that a repeat counts nothing twice."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.classify import Memory
from services.ingest.store.arrays import joined

_LOOK_UP = text("""
    SELECT t.student, t.date, t.digest, t.section, t.taken
    FROM unnest(CAST(string_to_array(:students, chr(31)) AS integer[]),
                CAST(string_to_array(:dates, chr(31)) AS date[])) AS k (student, date)
    JOIN ingest.taken t USING (student, date)
""")

_EVENTS = text("SELECT digest FROM ingest.taken_events WHERE digest = ANY (CAST(:digests AS bytea[]))")

_WRITE = text("""
    INSERT INTO ingest.taken (student, date, digest, section, taken)
    SELECT g.student, g.date, g.digest, coalesce(g.section, ''), g.taken  -- an array of one empty text is read as empty
    FROM unnest(CAST(string_to_array(:students, chr(31)) AS integer[]),
                CAST(string_to_array(:dates, chr(31)) AS date[]),
                CAST(string_to_array(:digests, chr(31)) AS bigint[]),
                string_to_array(:sections, chr(31)),
                CAST(string_to_array(:taken, chr(31)) AS bigint[])) AS g (student, date, digest, section, taken)
    JOIN ingest.students s ON s.id = g.student AND s.consent_from IS NOT NULL
    ON CONFLICT (student, date, digest) DO UPDATE SET taken = excluded.taken
""")

_WRITE_EVENTS = text("""
    INSERT INTO ingest.taken_events (digest, student)
    SELECT * FROM unnest(CAST(:digests AS bytea[]), CAST(:students AS integer[]))
    ON CONFLICT DO NOTHING
""")


class Taken(NamedTuple):
    """One mark that Kafka has acknowledged."""

    student: int
    date: date
    digest: int
    section: str
    taken: int
    event: bytes | None


async def look_up(connection: AsyncConnection, days: Iterable[tuple[int, date]], events: Collection[bytes]) -> Memory:
    """What was taken of these students' dates, and which of these events."""
    keys = list(days)
    memory = Memory()
    if keys:
        given = {"students": joined(student for student, _ in keys), "dates": joined(day for _, day in keys)}
        rows = (await connection.execute(_LOOK_UP, given)).all()
        for student, day, digest, section, taken in rows:
            memory.remember(student, day, section, digest, taken)
    if events:
        memory.events.update(bytes(row.digest) for row in await connection.execute(_EVENTS, {"digests": list(events)}))
    return memory


async def write(connection: AsyncConnection, rows: Sequence[Taken]) -> None:
    """Keep what was acknowledged; of one mark taken again, the later time stays."""
    latest = {(row.student, row.date, row.digest): row for row in rows}.values()
    await connection.execute(
        _WRITE,
        {
            "students": joined(row.student for row in latest),
            "dates": joined(row.date for row in latest),
            "digests": joined(row.digest for row in latest),
            "sections": joined(row.section for row in latest),
            "taken": joined(row.taken for row in latest),
        },
    )
    events = {row.event: row.student for row in rows if row.event is not None}
    if events:
        await connection.execute(_WRITE_EVENTS, {"digests": list(events), "students": list(events.values())})
