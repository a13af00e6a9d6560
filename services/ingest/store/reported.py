"""What an import asks of what is kept: calendars, closed days, enrollments."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import date

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.classification.classify import Accepted
from services.ingest.reporting.schools import Enrolled, SchoolReport
from services.ingest.rows.outcomes import NO_SCHOOL, OUTSIDE, Outcome

_DAYS = text("""
    SELECT school_id, date, instructional, reported FROM ingest.school_days
    WHERE instructional IS NOT NULL OR reported
""")
_SPANS = text("""
    SELECT s.student_id, e.school_id, e.entry_date, e.exit_date
    FROM ingest.enrollments e JOIN ingest.students s ON s.id = e.student
    WHERE s.student_id = ANY (CAST(:ids AS text[])) AND NOT s.held
""")


_IDLE = text("""
    SELECT k.place,
           EXISTS (SELECT FROM ingest.enrollments e
                   WHERE e.student = k.student AND e.school_id = k.school_id
                     AND k.date BETWEEN e.entry_date AND coalesce(e.exit_date, 'infinity')) AS enrolled,
           coalesce(d.instructional, NOT EXISTS (
               SELECT FROM ingest.school_days c
               WHERE c.school_id = k.school_id AND c.instructional IS NOT NULL
                 AND extract(year FROM c.date - interval '6 months') = extract(year FROM k.date - interval '6 months'))
           ) AS school_day
    FROM unnest(CAST(:places AS integer[]), CAST(:students AS integer[]), CAST(:schools AS text[]),
                CAST(:dates AS date[])) AS k (place, student, school_id, date)
    LEFT JOIN ingest.school_days d USING (school_id, date)
""")


async def ineffective(connection: AsyncConnection, marks: Sequence[Accepted]) -> dict[int, Outcome]:
    """By place: what is to be said of marks that count nowhere."""
    given = {
        "places": [new.place for new in marks],
        "students": [new.key.student for new in marks],
        "schools": [new.key.school for new in marks],
        "dates": [new.key.day for new in marks],
    }
    return {
        row.place: NO_SCHOOL if row.enrolled else OUTSIDE
        for row in await connection.execute(_IDLE, given)
        if not (row.enrolled and row.school_day)
    }


async def reports(connection: AsyncConnection) -> dict[str, SchoolReport]:
    """Each school's calendar and closed days."""
    calendars: defaultdict[str, dict[date, bool]] = defaultdict(dict)
    closed: defaultdict[str, set[date]] = defaultdict(set)
    for school_id, day, instructional, reported in await connection.execute(_DAYS):
        if instructional is not None:
            calendars[school_id][day] = instructional
        if reported:
            closed[school_id].add(day)
    return {school: SchoolReport(calendars[school], closed[school]) for school in calendars.keys() | closed.keys()}


async def enrolled(connection: AsyncConnection, student_ids: Collection[str]) -> dict[str, list[Enrolled]]:
    """The enrollments kept of these students, by the district's id."""
    spans: defaultdict[str, list[Enrolled]] = defaultdict(list)
    for student_id, school_id, entry, exit_ in await connection.execute(_SPANS, {"ids": list(student_ids)}):
        spans[student_id].append(Enrolled(school_id, entry, exit_))
    return spans
