"""What schools said of their days of a school year, for the rate of attendance."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date

from sqlalchemy import Row

from models.engagement.days import ReportedDays
from models.school import SaidDay, schools_of
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
    rows = (await session.execute(DAYS, given)).all()
    told = {row.school_id: row.date for row in sorted(rows, key=_date) if row.has_marks and row.date <= day.as_of}
    days = [
        SaidDay(row.school_id, row.date, row.instructional, _was_reported(row, day, told), row.assumed) for row in rows
    ]
    of_some = [
        SaidDay(row.school_id, row.date, row.instructional, calendar=row.calendar)
        for row in await session.execute(CALENDARS, given)
    ]
    return ReportedDays(schools_of([*days, *of_some]), day.begins, day.as_of)


def _was_reported(row: Row[tuple[object, ...]], day: AskedDay, told: Mapping[str, date]) -> bool:
    """Whether the school had reported it by the end of the asked day; `told` is its last day with marks up to then."""
    known = day.ends is None or not row.history or row.date <= told.get(row.school_id, date.min)
    return bool(row.reported) and row.date <= day.as_of and known


def _date(row: Row[tuple[object, ...]]) -> date:
    found: date = row.date
    return found
