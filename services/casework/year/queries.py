"""Reading a student's year by the views and the rules by which engagement is judged."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from typing import Final, NamedTuple

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from models.attendance import merged_code
from models.engagement.days import SchoolDay
from models.enrollment import Stay, shared_segments
from services.casework.engagement.calendars import reported_days
from services.casework.engagement.kept import KeptKind
from services.casework.engagement.people import AskedDay, feed_terms, kinds_of
from services.casework.engagement.statements import ENROLLMENTS, STANDING
from services.casework.history.visible import consented_to
from services.casework.year.days import Whereabouts, YearDay, days_of
from services.platform.consent import consented_students
from services.platform.identity.caller import Caller
from services.platform.sharing import ATTENDANCE

ENOUGH: Final = 20
"""Students of a school below which a share says too much of one of them."""

_MARKS: Final = text(f"""
    WITH {STANDING} SELECT date, school_id, array_agg(code) AS codes FROM standing GROUP BY 1, 2
""")  # noqa: S608 -- our own text
_COUNTS: Final = text("""
    SELECT school_id, date, absent, students FROM ingest.case_days
    WHERE school_id = ANY (CAST(:schools AS text[])) AND date BETWEEN :begins AND :as_of
""")


class ReadYear(NamedTuple):
    """A student's year, and of whom it is."""

    student_id: str
    name: str | None
    grade: str | None
    consents: Mapping[str, date]
    days: list[YearDay]
    rates: Mapping[SchoolDay, float]


async def read_year(session: AsyncSession, caller: Caller, student: str, day: AskedDay) -> ReadYear | None:
    """The year of a student whom the caller may see, up to the day; None when nothing of it may be shown."""
    columns = consented_students.c
    query = select(columns.student_id, columns.agency, columns.first_name, columns.last_name, columns.grade)
    found = (await session.execute(query.where(columns.pseudonym == student, consented_to(caller)))).one_or_none()
    if found is None:
        return None
    feed = (await feed_terms(session, found.agency)).get(ATTENDANCE)
    shown = (await kinds_of(session, found.agency, found.student_id)).get(ATTENDANCE)
    if feed is None or shown is None:
        return None
    rows = await session.execute(ENROLLMENTS, {"students": [shown.student]})
    kept = KeptKind(shown, feed, [Stay(row.school_id, row.entry_date, row.exit_date, row.calendar) for row in rows])
    if not caller.covers(kept.school(day)):
        return None
    where = Whereabouts(shared_segments(kept.stays, feed.has, day.begins, day.as_of), kept.parts(day))
    schools = {part.school for part in where.enrolled if part.school}
    reported = await reported_days(session, day, schools)
    days = days_of(where, await _codes(session, shown.student, day), reported, day.begins, day.as_of)
    name = " ".join(part for part in (found.first_name, found.last_name) if part) or None
    rates = await _rates(session, schools, day)
    return ReadYear(found.student_id, name, found.grade, {shown.pseudonym: shown.consent_from}, days, rates)


async def _codes(session: AsyncSession, student: int, day: AskedDay) -> dict[SchoolDay, int]:
    given = {"students": [student], "begins": day.begins, "year_ends": day.year_ends}
    rows = await session.execute(_MARKS, {**given, "as_of": day.as_of, "ends": day.ends})
    codes = {(row.school_id, row.date): merged_code(row.codes) for row in rows}
    return {at: code for at, code in codes.items() if code is not None}


async def _rates(session: AsyncSession, schools: Collection[str], day: AskedDay) -> dict[SchoolDay, float]:
    rows = await session.execute(_COUNTS, {"schools": sorted(schools), "begins": day.begins, "as_of": day.as_of})
    return {(row.school_id, row.date): row.absent / row.students for row in rows if row.students >= ENOUGH}
