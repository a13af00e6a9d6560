"""A school's instructional days, from its own calendar, or from its sessions when it has none. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

import holidays

from services.ingest.formats.base import Found, Item, Rejection
from services.ingest.rows import SchoolDayRow

_FRIDAY = 4


class CalendarKey(NamedTuple):
    """What tells one of a school's calendars from another."""

    school_id: str
    code: str
    year: str


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
    entries: Iterable[Found[CalendarEntry]], others: AbstractSet[CalendarKey]
) -> Iterator[Found[SchoolDayRow]]:
    """The school days that the entries come to; calendars in `others` say nothing about their school.

    A school with several calendars (one a grade) has school when any of them has. One with no row of its
    own has the instructional weekdays of its sessions.
    """
    with_rows: set[str] = set()
    days: dict[tuple[str, date], Item[SchoolDayRow]] = {}
    sessions: list[Item[SchoolSession]] = []
    for entry in entries:
        if isinstance(entry, Rejection):
            yield entry
        elif isinstance(entry.row, SchoolDayRow):
            with_rows.add(entry.row.school_id)
            yield Item(entry.row, entry.file, entry.line)
        elif isinstance(entry.row, SchoolSession):
            sessions.append(Item(entry.row, entry.file, entry.line))
        elif entry.row.calendar not in others:
            _add(days, entry.row, entry)
    yield from days.values()
    with_rows.update(school_id for school_id, _ in days)
    yield from _session_days(session for session in sessions if session.row.school_id not in with_rows)


def instructional_weekdays(begin: date, end: date) -> list[date]:
    """The weekdays from `begin` through `end`, less US federal holidays on the day on which they are observed."""
    free = holidays.country_holidays("US", observed=True)
    days = (begin + timedelta(days=n) for n in range((end - begin).days + 1))
    return [day for day in days if day.weekday() <= _FRIDAY and day not in free]


def _add(days: dict[tuple[str, date], Item[SchoolDayRow]], day: CalendarDay, entry: Item[CalendarEntry]) -> None:
    key = (day.calendar.school_id, day.date)
    if key not in days or (day.instructional and not days[key].row.instructional):
        days[key] = Item(SchoolDayRow(*key, instructional=day.instructional), entry.file, entry.line)


def _session_days(sessions: Iterable[Item[SchoolSession]]) -> Iterator[Item[SchoolDayRow]]:
    given: set[tuple[str, date]] = set()
    for session in sessions:
        for day in instructional_weekdays(session.row.begin, session.row.end):
            key = (session.row.school_id, day)
            if key not in given:
                given.add(key)
                yield Item(SchoolDayRow(*key, instructional=True), session.file, session.line)
