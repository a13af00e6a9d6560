"""School days: all that calendars and sessions say is read whole, as a part says nothing of the days of a school."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from datetime import date
from itertools import islice
from typing import Final

from models.school_year import year_of
from services.ingest.formats import edfi, edfi_courses
from services.ingest.formats.base import Found, Item, RowT
from services.ingest.formats.calendar import CalendarEntry, CalendarKey, school_days
from services.ingest.formats.edfi_fields import Resource
from services.ingest.pull.reading import Reading
from services.ingest.rows.parse import SchoolDayRow
from services.ingest.rows.records import TermRow

_CALENDARS: Final = edfi.CALENDARS[0]
_SESSION_TERMS: Final[Resource[TermRow]] = next(one for one in edfi_courses.TERMS if one.collection == "sessions")
COLLECTIONS: Final = (_CALENDARS.collection, *(one.collection for one in edfi.CALENDAR_ENTRIES))
_AT_ONCE: Final = 4_000


async def take_calendars(reading: Reading, *, changed: bool) -> None:
    """Take the school days if anything of them changed, or (`changed`) of the enrollments, which name calendars."""
    for collection in COLLECTIONS:
        async for keys in reading.gone(collection):
            changed = changed or bool(keys)
        async for page in reading.rows(collection):
            changed = True
            if collection == _SESSION_TERMS.collection:
                terms = await reading.parse(collection, _SESSION_TERMS, page, quietly=True)
                await reading.intake.take_terms([item.row for item in terms], reading.said)
            for resource in (_CALENDARS, *edfi.CALENDAR_ENTRIES):
                if resource.collection == collection:
                    items: list[Item[object]] = list(await reading.parse(collection, resource, page))
                    reading.report.resources[collection].upserted += len(items)
    if reading.lacks(*COLLECTIONS):  # the others alone would say other days: they are read when all is given
        reading.refused.update(COLLECTIONS)
    elif changed:
        await _take_days(reading)


async def _take_days(reading: Reading) -> None:
    others: set[CalendarKey] = set()
    entries: list[Found[CalendarEntry]] = []
    async for keys in _all(reading, _CALENDARS):
        others.update(item.row for item in keys)
    for resource in edfi.CALENDAR_ENTRIES:
        async for items in _all(reading, resource):
            entries += items
    followed = await reading.intake.pulled.followed()
    days = [one.row for one in school_days(entries, others, followed) if isinstance(one, Item)]
    rest = iter(days)
    while some := list(islice(rest, _AT_ONCE)):
        await reading.intake.take_school_days(some)
    await _take_back(reading, days)


async def _take_back(reading: Reading, days: Collection[SchoolDayRow]) -> None:
    """Of the schools and school years that the source has: days that it does not have any more are no school days."""
    years = {(row.school_id, row.calendar, year_of(row.date.toordinal())) for row in days}
    has = {(row.school_id, row.calendar, row.date) for row in days}
    known: set[tuple[str, str | None, date]] = {
        (school, None, day)
        for school, report in (await reading.intake.reports()).items()
        for day, instructional in report.calendar.items()
        if instructional
    }
    known.update(await reading.intake.pulled.calendar_days())
    gone = [
        SchoolDayRow(school, day, instructional=False, calendar=calendar)
        for school, calendar, day in known - has
        if (school, calendar, year_of(day.toordinal())) in years
    ]
    if gone:
        await reading.intake.take_school_days(gone)


async def _all(reading: Reading, resource: Resource[RowT]) -> AsyncIterator[list[Item[RowT]]]:
    async for page in reading.whole(resource.collection):
        yield await reading.parse(resource.collection, resource, page, quietly=True)
