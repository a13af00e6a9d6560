"""A school's instructional days, from its own calendar, or from its sessions when it has none. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import NamedTuple

import holidays

from services.ingest.formats.base import Found, Item, Rejection
from services.ingest.rows.parse import SchoolDayRow

_FRIDAY = 4


class CalendarKey(NamedTuple):
    """What distinguishes one of a school's calendars from another."""

    school_id: str
    code: str
    year: str


Track = tuple[str, str]
"""A school, and the code of one of its calendars."""


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """One day of one of a school's calendars."""

    calendar: CalendarKey
    date: date
    instructional: bool


@dataclass(frozen=True, slots=True)
class SchoolSession:
    """A term of a school; both ends are inside it."""

    school_id: str
    begin: date
    end: date


CalendarEntry = SchoolDayRow | CalendarDay | SchoolSession


def school_days(
    entries: Iterable[Found[CalendarEntry]], others: AbstractSet[CalendarKey], followed: AbstractSet[Track]
) -> Iterator[Found[SchoolDayRow]]:
    """The school days that the entries come to; calendars in `others` say nothing about their school.

    A school with several calendars (one a grade) has school when any of them has. One with no row of its
    own has the instructional weekdays of its sessions. Calendars that are `followed` by students of their own
    come beside the school's.
    """
    days: dict[tuple[str, str | None, date], Item[SchoolDayRow]] = {}
    sessions: list[Item[SchoolSession]] = []
    with_rows: set[str] = set()
    for entry in entries:
        if isinstance(entry, Rejection):
            yield entry
        elif isinstance(entry.row, SchoolSession):
            sessions.append(Item(entry.row, entry.file, entry.line))
        elif isinstance(entry.row, SchoolDayRow) and entry.row.calendar is None:
            with_rows.add(entry.row.school_id)
            yield Item(entry.row, entry.file, entry.line)
        else:
            key, day = _of_calendar(entry.row)
            if key not in others:
                _add(days, Item(day, entry.file, entry.line))
            if (key.school_id, key.code) in followed:
                _add(days, Item(replace(day, reported=False, calendar=key.code), entry.file, entry.line))
    yield from days.values()
    with_rows.update(school_id for school_id, calendar, _ in days if calendar is None)
    yield from _session_days(session for session in sessions if session.row.school_id not in with_rows)


def instructional_weekdays(begin: date, end: date) -> list[date]:
    """The weekdays from `begin` through `end`, less US federal holidays on the day on which they are observed."""
    free = holidays.country_holidays("US", observed=True)
    days = (begin + timedelta(days=n) for n in range((end - begin).days + 1))
    return [day for day in days if day.weekday() <= _FRIDAY and day not in free]


def _of_calendar(row: SchoolDayRow | CalendarDay) -> tuple[CalendarKey, SchoolDayRow]:
    """The calendar that a row is of, and what it says as of its school."""
    if isinstance(row, SchoolDayRow):
        return CalendarKey(row.school_id, row.calendar or "", ""), replace(row, calendar=None)
    return row.calendar, SchoolDayRow(row.calendar.school_id, row.date, instructional=row.instructional)


def _add(days: dict[tuple[str, str | None, date], Item[SchoolDayRow]], day: Item[SchoolDayRow]) -> None:
    """Of several calendars that say something of a day, one that has school decides."""
    key = (day.row.school_id, day.row.calendar, day.row.date)
    before = days.get(key)
    if before is None:
        days[key] = day
    elif day.row.instructional and not before.row.instructional:
        days[key] = day._replace(row=replace(day.row, reported=day.row.reported or before.row.reported))


def _session_days(sessions: Iterable[Item[SchoolSession]]) -> Iterator[Item[SchoolDayRow]]:
    given: set[tuple[str, date]] = set()
    for session in sessions:
        for day in instructional_weekdays(session.row.begin, session.row.end):
            key = (session.row.school_id, day)
            if key not in given:
                given.add(key)
                yield Item(SchoolDayRow(*key, instructional=True), session.file, session.line)
