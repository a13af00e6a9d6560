"""What an import asks of what is kept: calendars, closed days, enrollments."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import date

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.reporting import Enrolled, SchoolReport

_DAYS = text("""
    SELECT school_id, date, instructional, reported FROM ingest.school_days
    WHERE instructional IS NOT NULL OR reported
""")
_SPANS = text("""
    SELECT s.student_id, e.school_id, e.entry_date, e.exit_date
    FROM ingest.enrollments e JOIN ingest.students s ON s.id = e.student
    WHERE s.student_id = ANY (CAST(:ids AS text[]))
""")


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
