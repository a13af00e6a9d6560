"""What schools said of their days of a school year, for the rate of attendance."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import date

from sqlalchemy import Row

from models.engagement.days import ReportedDays
from models.school import School
from services.casework.engagement.people import AskedDay, Asking
from services.casework.engagement.statements import CALENDARS, DAYS


async def reported_days(session: Asking, day: AskedDay, schools: Collection[str] | None = None) -> ReportedDays:
    """The instructional days that these schools, or all, had reported by the end of the asked day.

    What a file closed was known once a day after it, or it itself, had marks: absences alone are what most files have.
    """
    given = {
        "begins": day.begins,
        "year_ends": day.year_ends,
        "everywhere": schools is None,
        "schools": sorted(schools or ()),
    }
    found: defaultdict[str, School] = defaultdict(School)
    rows = (await session.execute(DAYS, given)).all()
    told = {row.school_id: row.date for row in sorted(rows, key=_date) if row.has_marks and row.date <= day.as_of}
    for row in rows:
        school, ordinal = found[row.school_id], row.date.toordinal()
        if row.instructional is not None:
            school.set_calendar(ordinal, instructional=row.instructional)
        school.assumed |= row.assumed
        known = day.ends is None or not row.history or row.date <= told.get(row.school_id, date.min)
        if row.reported and row.date <= day.as_of and known:
            school.close(ordinal, history=False)
    for row in await session.execute(CALENDARS, given):
        found[row.school_id].set_calendar_of(row.calendar, row.date.toordinal(), instructional=row.instructional)
    return ReportedDays(found, day.begins, day.as_of)


def _date(row: Row[tuple[object, ...]]) -> date:
    found: date = row.date
    return found
