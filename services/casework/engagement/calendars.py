"""What schools said of their days of a school year, for the rate of attendance."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from models.engagement.days import ReportedDays
from models.school import School
from services.casework.engagement.people import AskedDay, Asking
from services.casework.engagement.statements import CALENDARS, DAYS


async def reported_days(session: Asking, day: AskedDay, schools: Collection[str] | None = None) -> ReportedDays:
    """The instructional days that these schools, or all, have reported by the asked day."""
    given = {
        "begins": day.begins,
        "year_ends": day.year_ends,
        "everywhere": schools is None,
        "schools": sorted(schools or ()),
    }
    found: defaultdict[str, School] = defaultdict(School)
    for row in await session.execute(DAYS, given):
        school, ordinal = found[row.school_id], row.date.toordinal()
        if row.instructional is not None:
            school.set_calendar(ordinal, instructional=row.instructional)
        school.assumed |= row.assumed
        if row.reported and row.date <= day.as_of:
            school.close(ordinal, history=False)
    for row in await session.execute(CALENDARS, given):
        found[row.school_id].set_calendar_of(row.calendar, row.date.toordinal(), instructional=row.instructional)
    return ReportedDays(found, day.begins, day.as_of)
