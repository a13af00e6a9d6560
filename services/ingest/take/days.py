"""School-days: the calendar, and closes with their counts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from models.school_year import year_of
from services.ingest.classification.classify import SLACK
from services.ingest.context import IngestContext
from services.ingest.reporting.assumed import assumed_days
from services.ingest.reporting.head_counts import HeadCounts
from services.ingest.rows.outcomes import ACCEPTED, DUPLICATE, NOT_YET, OUT_OF_SCOPE, Outcome
from services.ingest.rows.parse import SchoolDayRow
from services.ingest.store import agreements, calendars, days, gate


async def assume(parts: IngestContext, reported: Mapping[str, Collection[date]]) -> dict[str, list[date]]:
    """Take weekdays for school days at schools that report days of a school year without a calendar.

    By school: what its days are taken to be; Kafka learns by `publish_pending`.
    """
    unsure = {
        school: set(dates)
        for school, dates in reported.items()
        if not all((school, year_of(day.toordinal())) in parts.with_calendar for day in dates)
    }
    if not unsure:
        return {}
    async with parts.engine.begin() as connection:
        known = await days.known(connection, unsure)
        found = {}
        for school, dates in unsure.items():
            years = {year_of(day.toordinal()) for day in known[school].calendar}
            parts.with_calendar.update((school, year) for year in years)
            found[school] = assumed_days(dates | known[school].reported, years)
        await days.assume(connection, [(school, day) for school, dates in found.items() for day in dates])
    return {school: dates for school, dates in found.items() if dates}


@dataclass(frozen=True, slots=True)
class Close:
    """A school has reported its last mark of a date."""

    school_id: str
    date: date
    history: bool = False
    """A day inside an imported history raises no alert; its last reported date does."""


async def take_school_days(parts: IngestContext, rows: Sequence[SchoolDayRow]) -> list[Outcome]:
    """Keep what the calendar says, and which days are closed; each row's outcome, in order.

    An unknown `instructional` leaves what is known, and a closed day stays closed. Raises `NoAgreementError`.
    """
    async with parts.engine.begin() as connection:
        feeds = (await agreements.required(connection)).all_feeds()
        latest = await gate.today(connection) + SLACK
        scope = [row for row in rows if any(feed.has(row.school_id) for feed in feeds)]
        usable = [row for row in scope if row.calendar is None and not (row.reported and row.date > latest)]
        followed = [row for row in scope if row.calendar is not None]
        news: set[tuple[str, date] | tuple[str, str, date]] = set()
        if usable:
            news |= await days.put_days(connection, _together(usable))
        if followed:
            news |= await calendars.put(connection, followed)
    outcomes = []
    for row in rows:
        key = (row.school_id, row.date) if row.calendar is None else (row.school_id, row.calendar, row.date)
        if row.reported and row.date > latest:
            outcomes.append(NOT_YET)
        elif not any(feed.has(row.school_id) for feed in feeds):
            outcomes.append(OUT_OF_SCOPE)
        else:
            outcomes.append(ACCEPTED if key in news else DUPLICATE)
            news.discard(key)
    return outcomes


def _together(rows: Iterable[SchoolDayRow]) -> dict[days.Day, tuple[bool | None, bool]]:
    """What the rows of each day say: whether it is instructional, and whether it is closed."""
    given: dict[days.Day, tuple[bool | None, bool]] = {}
    for row in rows:
        instructional, reported = given.get((row.school_id, row.date), (None, False))
        given[row.school_id, row.date] = (
            instructional if row.instructional is None else row.instructional,
            reported or row.reported,
        )
    return given


async def close_days(parts: IngestContext, closes: Sequence[Close], *, counts: HeadCounts | None) -> None:
    """Store the counts and note the closes; Kafka learns by `publish_pending`."""
    heads = (counts or parts.counts).days
    changes = heads.drain()
    last = {(close.school_id, close.date): close for close in closes}.values()
    try:
        async with parts.engine.begin() as connection:
            await days.add_counts(connection, changes)
            if last:
                await days.close(connection, [(close.school_id, close.date, close.history) for close in last])
    except BaseException:
        heads.restore(changes)
        raise
