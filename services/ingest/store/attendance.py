"""The schema `district`: marks that are shared in another form than live, as they stand."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from models.attendance import code_of
from services.contracts.packed import NO_MOMENT, PlainMark
from services.ingest.store.arrays import joined

_PUT = text("""
    WITH consented AS (  -- and no withdrawal comes between this look and the end of the transaction
        SELECT id, agency, kept_for FROM ingest.students
        WHERE id = ANY (CAST(string_to_array(:students, chr(31)) AS integer[])) AND consent_from IS NOT NULL
        ORDER BY id FOR UPDATE
    )
    INSERT INTO district.attendance AS a
        (student, date, school_id, section, recipient, purpose, status, excused, reason, recorded_at, gravity)
    SELECT g.student, g.date, g.school_id, coalesce(g.section, ''), s.agency, s.kept_for, g.status,
           CAST(nullif(g.excused, '') AS boolean), nullif(g.reason, ''),
           timestamptz 'epoch' + CAST(nullif(g.moment, '') AS bigint) * interval '1 microsecond', g.gravity
    FROM unnest(CAST(string_to_array(:students, chr(31)) AS integer[]),
                CAST(string_to_array(:dates, chr(31)) AS date[]),
                string_to_array(:schools, chr(31)),
                string_to_array(:sections, chr(31)),
                string_to_array(:statuses, chr(31)),
                string_to_array(:excused, chr(31)),
                string_to_array(:reasons, chr(31)),
                string_to_array(:moments, chr(31)),
                CAST(string_to_array(:gravities, chr(31)) AS smallint[]))
         AS g (student, date, school_id, section, status, excused, reason, moment, gravity)
    JOIN consented s ON s.id = g.student
    ON CONFLICT (student, date, school_id, section) DO UPDATE
    SET status = excluded.status, excused = excluded.excused, reason = excluded.reason,
        recorded_at = excluded.recorded_at, gravity = excluded.gravity
    WHERE (coalesce(excluded.recorded_at, '-infinity'), excluded.gravity)
          > (coalesce(a.recorded_at, '-infinity'), a.gravity)
""")

INSPECTED: Final = """
    SELECT s.id FROM ingest.students s
    WHERE s.held OR EXISTS (
        SELECT FROM ingest.inspections i WHERE i.closed_on IS NULL AND s.pseudonym = ANY (i.pseudonyms))
"""
"""A query for the numbers of students of whom nothing is deleted now."""

_DROP_MARKS = text(f"""
    WITH gone AS (
        DELETE FROM district.attendance a
        WHERE NOT EXISTS (SELECT FROM ingest.shared_schools d
                          WHERE (d.agency, d.kept_for, d.school_id) = (a.recipient, a.purpose, a.school_id))
            AND a.student NOT IN ({INSPECTED})
        RETURNING student, date, school_id
    ), events AS (
        DELETE FROM ingest.taken_events WHERE student IN (SELECT student FROM gone)
    )
    DELETE FROM ingest.taken t USING (SELECT DISTINCT student, date, school_id FROM gone) g
    WHERE (t.student, t.date, t.school_id) = (g.student, g.date, g.school_id)
""")  # noqa: S608 -- our own text

_DROP_ENROLLMENTS = text(f"""
    DELETE FROM ingest.enrollments e USING ingest.students s
    WHERE s.id = e.student AND s.kept_for <> ''
      AND NOT EXISTS (SELECT FROM ingest.shared_schools d
                      WHERE (d.agency, d.kept_for, d.school_id) = (s.agency, s.kept_for, e.school_id))
      AND s.id NOT IN ({INSPECTED})
""")  # noqa: S608 -- our own text


async def put(connection: AsyncConnection, marks: Iterable[tuple[int, PlainMark]]) -> None:
    """Keep marks of ingest's students, by their numbers, as far as they have a consent.

    Of several of a student, school, date and section the latest recorded stands, then the gravest: so it is in the
    worker's windows (`models.attendance.with_mark`).
    """
    last: dict[tuple[int, date, str, str], tuple[int, int, PlainMark]] = {}
    for student, mark in marks:
        key = (student, mark.date, mark.school_id, mark.section or "")
        gravity = code_of(mark.status, mark.excused)
        if key not in last or (mark.moment, gravity) > last[key][:2]:
            last[key] = (mark.moment, gravity, mark)
    if not last:
        return
    said = [mark for _, _, mark in last.values()]
    await connection.execute(
        _PUT,
        {
            "students": joined(student for student, _, _, _ in last),
            "dates": joined(mark.date for mark in said),
            "schools": joined(mark.school_id for mark in said),
            "sections": joined(mark.section or "" for mark in said),
            "statuses": joined(mark.status for mark in said),
            "excused": joined("" if mark.excused is None else mark.excused for mark in said),
            "reasons": joined(mark.reason or "" for mark in said),
            "moments": joined("" if mark.moment == NO_MOMENT else mark.moment for mark in said),
            "gravities": joined(gravity for _, gravity, _ in last.values()),
        },
    )


async def drop_unshared(connection: AsyncConnection) -> None:
    """Delete what is kept of schools that the agreement in force does not share with its party and for its purpose.

    What a parent is inspecting stays until that is closed.
    """
    await connection.execute(_DROP_MARKS)
    await connection.execute(_DROP_ENROLLMENTS)
