"""What has been taken, so that a repeat counts nothing twice."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.classification.classify import Accepted, Key, Memory, Said, Superseded
from services.ingest.store.arrays import joined

_LOOK_UP = text("""
    SELECT t.student, t.date, t.school_id, t.section, t.digest, t.taken, t.code, t.moment, t.by_import
    FROM unnest(CAST(string_to_array(:students, chr(31)) AS integer[]),
                CAST(string_to_array(:dates, chr(31)) AS date[])) AS k (student, date)
    JOIN ingest.taken t USING (student, date)
""")

_EVENTS = text("SELECT digest FROM ingest.taken_events WHERE digest = ANY (CAST(:digests AS bytea[]))")

_WRITE = text("""
    INSERT INTO ingest.taken (student, date, digest, by_import, school_id, section, taken, code, moment)
    -- an array of one empty text is read as empty
    SELECT g.student, g.date, g.digest, CAST(:by_import AS boolean), coalesce(g.school_id, ''), coalesce(g.section, ''),
           g.taken, g.code, g.moment
    FROM unnest(CAST(string_to_array(:students, chr(31)) AS integer[]),
                CAST(string_to_array(:dates, chr(31)) AS date[]),
                CAST(string_to_array(:digests, chr(31)) AS bigint[]),
                string_to_array(:schools, chr(31)),
                string_to_array(:sections, chr(31)),
                CAST(string_to_array(:taken, chr(31)) AS bigint[]),
                CAST(string_to_array(:codes, chr(31)) AS smallint[]),
                CAST(string_to_array(:moments, chr(31)) AS bigint[]))
         AS g (student, date, digest, school_id, section, taken, code, moment)
    JOIN ingest.students s ON s.id = g.student AND s.consent_from IS NOT NULL
    ON CONFLICT (student, date, digest, by_import) DO UPDATE
    SET taken = excluded.taken, school_id = excluded.school_id, code = excluded.code,
        moment = CASE WHEN excluded.moment = :unsaid THEN taken.moment ELSE excluded.moment END
""")

_SUPERSEDE = text("""
    DELETE FROM ingest.taken t
    USING unnest(CAST(:students AS integer[]), CAST(:dates AS date[]), CAST(:digests AS bigint[]))
          AS g (student, date, digest)
    WHERE (t.student, t.date, t.digest) = (g.student, g.date, g.digest) AND t.by_import
""")

_UNSAID: Final = -(2**63)
"""The moment of a repeat: Kafka has the one of its first time."""

_WRITE_EVENTS = text("""
    INSERT INTO ingest.taken_events (digest, student)
    SELECT g.digest, g.student
    FROM unnest(CAST(:digests AS bytea[]), CAST(:students AS integer[])) AS g (digest, student)
    JOIN ingest.students s ON s.id = g.student AND s.consent_from IS NOT NULL
    ON CONFLICT DO NOTHING
""")


async def look_up(connection: AsyncConnection, days: Iterable[tuple[int, date]], events: Collection[bytes]) -> Memory:
    """What was taken of these students' dates, and which of these events."""
    keys = list(days)
    memory = Memory()
    if keys:
        given = {"students": joined(student for student, _ in keys), "dates": joined(day for _, day in keys)}
        rows = (await connection.execute(_LOOK_UP, given)).all()
        for student, day, school, section, digest, taken, code, moment, by_import in rows:
            key = None if code is None else Key(student, day, school, section)
            memory.remember(key, student, day, Said(digest, taken, code, moment, by_import))
    if events:
        memory.events.update(bytes(row.digest) for row in await connection.execute(_EVENTS, {"digests": list(events)}))
    return memory


async def write(
    connection: AsyncConnection,
    accepted: Sequence[Accepted],
    again: Sequence[Accepted],
    superseded: Sequence[Superseded],
) -> None:
    """Keep what was acknowledged, and what an import says `again`; what is `superseded` no import says any more."""
    if superseded:
        old = {
            "students": [key.student for key, _ in superseded],
            "dates": [key.day for key, _ in superseded],
            "digests": [said.digest for _, said in superseded],
        }
        await connection.execute(_SUPERSEDE, old)
    marks = [*again, *accepted]
    last = {(new.key.student, new.key.day, new.said.digest): new for new in marks}.values()
    is_new = set(map(id, accepted))
    await connection.execute(
        _WRITE,
        {
            "students": joined([new.key.student for new in last]),
            "dates": joined([new.key.day for new in last]),
            "digests": joined([new.said.digest for new in last]),
            "by_import": marks[0].said.by_import,  # one batch is all of an import or all by HTTP
            "schools": joined([new.key.school for new in last]),
            "sections": joined([new.key.section for new in last]),
            "taken": joined([new.said.taken for new in last]),
            "codes": joined([new.said.code for new in last]),
            "moments": joined(new.said.moment if id(new) in is_new else _UNSAID for new in last),
            "unsaid": _UNSAID,
        },
    )
    events = {new.event: new.key.student for new in marks if new.event is not None}
    if events:
        await connection.execute(_WRITE_EVENTS, {"digests": list(events), "students": list(events.values())})
