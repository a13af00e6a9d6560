"""Average daily attendance of a school year to date, from what ingest keeps of every feed of attendance."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncEngine

from models.ada import AdaCell, AttendanceSums, StudentDay, days_of
from models.attendance import merged_code
from models.engagement.days import ReportedDays, SchoolDay
from models.engagement.standing import year_begins
from models.enrollment import Segment, Stay, shared_segments
from models.school import SaidDay, School, schools_of
from services.ingest.ada.statements import ABSENCES, CALENDARS, DAYS, ENROLLMENTS, PEOPLE
from services.ingest.agreement.document import Agreement, Feed, FeedId
from services.ingest.store import agreements, gate
from services.platform.sharing import ANY

AT_ONCE: Final = 500
"""Students whose days are in memory together."""

DbRow = Row[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class AdaQuestion:
    """Whose averages are asked for."""

    as_of: date | None = None
    """The last day that counts, of its school year; None: today."""
    agencies: Callable[[Agreement], Collection[str] | None] = lambda _: None
    """Who gets the attendance that is counted, by the agreement in force; None: anyone."""
    covers: Callable[[str], bool] = lambda _: True
    """Whether a school is asked about."""


@dataclass(frozen=True, slots=True)
class Averages:
    """The averages of a school year to date."""

    first: date
    last: date
    small_cell: int
    cells: list[AdaCell]
    assumed: list[str]
    """Schools among them without a calendar: their weekdays are taken for days of school."""
    no_data: list[str]
    """Schools in scope of which there is none, as nothing is reported or nobody's consent is in force."""


async def average_daily_attendance(engine: AsyncEngine, asked: AdaQuestion) -> Averages:
    """The averages; raises `NoAgreementError`."""
    async with engine.connect() as connection:
        agreement = await agreements.required(connection)
        last = min(asked.as_of or date.max, await gate.today(connection))
        first = year_begins(last)
        schools = await _schools(engine, first, last)
        agencies = asked.agencies(agreement)
        feeds = {one.id: one for one in agreement.attendance_feeds() if agencies is None or one.agency in agencies}
    counting = _Counting(agreement, feeds, ReportedDays(schools, first, last), asked.covers, first, last)
    sums, after = AttendanceSums(), ""
    while batch := await _batch(engine, counting, after):
        await asyncio.to_thread(batch.add_to, sums)
        after = batch.last
    cells = sums.cells([counting.reported], agreement.small_cell)
    told = {cell.key.school for cell in cells}
    assumed = sorted(one for one in told if one in schools and schools[one].assumed)
    asked_of = {school for feed in feeds.values() for school in feed.schools if asked.covers(school)}
    return Averages(first, last, agreement.small_cell, cells, assumed, sorted(asked_of - told - {ANY}))


@dataclass(frozen=True, slots=True)
class _Counting:
    """What is the same for all students."""

    agreement: Agreement
    feeds: Mapping[FeedId, Feed]
    reported: ReportedDays
    covers: Callable[[str], bool]
    first: date
    last: date

    def parts(self, person: DbRow, stays: Sequence[Stay]) -> Iterator[Segment]:
        """Where the student was on days that are asked for, by one feed."""
        feed = self.feeds[FeedId(person.agency, person.kept_for)]
        begins = max(self.first, person.consent_from, self.agreement.effective_on)
        ends = min(self.last, person.consent_through or date.max, self.agreement.expires_on)
        found = shared_segments(stays, feed.has, begins, ends)
        return (part for part in found if part.school and self.covers(part.school))


@dataclass(frozen=True, slots=True)
class _Batch:
    """Some students with all that is counted of them."""

    counting: _Counting
    people: Sequence[DbRow]
    stays: Mapping[int, Sequence[Stay]]
    absences: Mapping[int, Mapping[SchoolDay, int | None]]

    @property
    def last(self) -> str:
        found: str = self.people[-1].student_id
        return found

    def add_to(self, sums: AttendanceSums) -> None:
        """Add each student once, whatever the number of feeds."""
        by_person: defaultdict[str, list[DbRow]] = defaultdict(list)
        for person in self.people:
            by_person[person.student_id].append(person)
        for mine in by_person.values():
            grade = next((one.grade for one in mine if one.grade), None)
            sums.add(grade, (day for one in mine for day in self._days(one)))

    def _days(self, person: DbRow) -> Iterator[StudentDay]:
        parts = list(self.counting.parts(person, self.stays.get(person.id, ())))
        return days_of(parts, self.absences.get(person.id, {}).get, self.counting.reported)


async def _batch(engine: AsyncEngine, counting: _Counting, after: str) -> _Batch | None:
    asked = {
        "agencies": [one.agency for one in counting.feeds],
        "kept_for": [one.kept_for for one in counting.feeds],
        "after": after,
        "limit": AT_ONCE,
    }
    async with engine.connect() as connection:
        people = (await connection.execute(PEOPLE, asked)).all()
        if not people:
            return None
        given = {"students": [one.id for one in people]}
        stays: defaultdict[int, list[Stay]] = defaultdict(list)
        for row in await connection.execute(ENROLLMENTS, given):
            stays[row.student].append(Stay(row.school_id, row.entry_date, row.exit_date, row.calendar))
        absences: defaultdict[int, dict[SchoolDay, int | None]] = defaultdict(dict)
        when = {"first": counting.first, "last": counting.last}
        for row in await connection.execute(ABSENCES, given | when):
            absences[row.student][row.school_id, row.date] = merged_code(row.codes)
    return _Batch(counting, people, stays, absences)


async def _schools(engine: AsyncEngine, first: date, last: date) -> dict[str, School]:
    """What the schools have said of their days."""
    given = {"first": first, "last": last}
    async with engine.connect() as connection:
        days = [
            SaidDay(row.school_id, row.date, row.instructional, row.reported, row.assumed)
            for row in await connection.execute(DAYS, given)
        ]
        of_some = [
            SaidDay(row.school_id, row.date, row.instructional, calendar=row.calendar)
            for row in await connection.execute(CALENDARS, given)
        ]
    return schools_of([*days, *of_some])
