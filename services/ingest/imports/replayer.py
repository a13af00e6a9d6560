"""Goes through a history day by day, as it would have come: each row on the day on which it was recorded."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from models.capacity import DAYS_TO_SUNDAY
from services.ingest.agreement.document import Agreement
from services.ingest.classification.classify import Horizon
from services.ingest.consent.in_force import ConsentPolicy
from services.ingest.consent.stored import stored
from services.ingest.formats import Item, Rejection, Source
from services.ingest.imports.importer import Importer, Progress
from services.ingest.imports.reading import CHUNK, chunks
from services.ingest.imports.report import Report
from services.ingest.intake import Intake
from services.ingest.reporting.schools import Reporting
from services.ingest.rows.parse import EnrollmentRow, MarkRow, StudentRow, to_utc
from services.ingest.take.days import Close


@dataclass(frozen=True, slots=True)
class ReplayedDay:
    """A day that has been handed in."""

    date: date
    marks: int
    token: UUID | None
    """Answered when the day's alerts are in Kafka; None when nothing came."""
    consents_changed: bool
    """Consents began or ended: no token says when the worker knows."""


class Replayer:
    """Hands a source in. All rows are held in memory, by the day of their handing in."""

    def __init__(
        self, intake: Intake, source: Source, agreement: Agreement, progress: Progress, timezone: ZoneInfo
    ) -> None:
        self._intake = intake
        self._agreement = agreement
        self._timezone = timezone
        """The district's, for schools that name none."""
        self._importer = Importer(intake, source, progress)
        self._source = source
        self._days: defaultdict[date, list[Item[MarkRow]]] = defaultdict(list)
        self._students: defaultdict[str, list[StudentRow]] = defaultdict(list)
        self._enrollments: defaultdict[str, list[EnrollmentRow]] = defaultdict(list)
        self._school_days: set[date] = set()

    @property
    def report(self) -> Report:
        """What has become of the rows so far."""
        return self._importer.report

    async def prepare(self) -> list[date]:
        """Read everything and take the reference in as of the first day; returns the days to replay."""
        await self._read_attendance()
        self.report.notes += [
            f"{name} was not read: a replay is of attendance alone. `firstbell import` keeps it."
            for name in self._source.beside_attendance
        ]
        for student in self._source.students():
            if isinstance(student, Item):
                self._students[student.row.student_id].append(student.row)
        for enrollment in self._source.enrollments():
            if isinstance(enrollment, Item):
                self._enrollments[enrollment.row.student_id].append(enrollment.row)
        span = self._span()
        if span is None:
            self.report.finish(self._source)
            return []
        first, last = span
        await self._intake.set_replay_day(first)
        await self._importer.take_reference()
        self._importer.reporting = Reporting(await self._intake.reports())
        await self._importer.assume(self._reported())
        self._school_days = school_days(self._school_days, self._importer.reporting)
        self.report.finish(self._source)
        return [first + timedelta(days=n) for n in range((last - first).days + 1)]

    def _span(self) -> tuple[date, date] | None:
        """The first and the last day on which a row of a consented student is handed in; rows outside are left out.

        One slip of the pen in a row of anybody would else make a history of decades. None without any such row.
        """
        signed = first_signed(self._source, self._agreement)
        days = [
            day
            for day, items in self._days.items()
            if any(item.row.date >= signed.get(item.row.student_id, date.max) for item in items)
        ]
        first, last = min(days, default=date.max), max(days, default=date.min)
        outside = [day for day in self._days if not first <= day <= last]
        left_out = sum(len(self._days.pop(day)) for day in outside)
        self._school_days = {day for day in self._school_days if day <= last}
        if left_out:
            self.report.marks["not_consented"] += left_out
            self.report.notes.append(
                f"{left_out:,} rows lie before the first or after the last of a consented student, and were left out."
            )
        return (first, last) if days else None

    async def _read_attendance(self) -> None:
        refused: list[Rejection] = []
        zones = {
            school.row.school_id: ZoneInfo(school.row.timezone)
            for school in self._source.schools()
            if isinstance(school, Item) and school.row.timezone
        }
        horizon = Horizon.of(datetime.now(self._timezone).date(), self._timezone)
        for found in self._source.attendance():
            if isinstance(found, Rejection):
                refused.append(found)
                continue
            zone = zones.get(found.row.school_id, self._timezone)
            ahead = horizon.refuses(found.row.date, _recorded(found.row, zone))
            if ahead is not None:
                refused.append(Rejection(found.file, found.line, ahead.field, ahead.reason or ""))
                continue
            self._days[handed_in_on(found.row, zone)].append(found)
            self._school_days.add(found.row.date)
        await self._importer.keep_rejections(refused, marks=True)

    def _reported(self) -> dict[str, set[date]]:
        """By school: all days of which any row is handed in."""
        reported: defaultdict[str, set[date]] = defaultdict(set)
        for items in self._days.values():
            for item in items:
                if item.row.status != "retracted":
                    reported[item.row.school_id].add(item.row.date)
        return reported

    async def consents_change(self, day: date) -> bool:
        """Whether handing this day in may begin or end a consent."""
        return await self._intake.consents_change(day)

    async def hand_in(self, day: date) -> ReplayedDay:
        """Make it this day: consents begin and end, the day's rows come, and what they report is closed."""
        await self._intake.set_replay_day(day)
        swept = await self._intake.sweep()
        await self._take_newly_consented(swept.began)
        rows = self._days.pop(day, [])
        if not self._agreement.covers(day):
            self.report.marks["out_of_scope"] += len(rows)
            return ReplayedDay(day, len(rows), None, consents_changed=bool(swept.began or swept.ended))
        for part in in_order(rows, self._importer.reporting):
            await self._close_silent_days(part)
            for chunk in chunks(part, CHUNK):
                await self._importer.take_marks(chunk)
        closes = self._closes()
        token = await self._importer.close(closes) if rows or closes else None
        return ReplayedDay(day, len(rows), token, consents_changed=bool(swept.began or swept.ended))

    def may_have_school(self, day: date) -> bool:
        """Whether a school may be open: by a calendar, or, of those without one, because somebody reported the day.

        Days after the last one reported are none.
        """
        return day in self._school_days

    async def close_week(self, day: date) -> UUID | None:
        """After a Sunday: say that its week is over; the token is answered when the next one's threshold is known.

        None on other days, and when no school has closed a day of the week (`models.backtest.walk` does the same).
        """
        return (
            await self._intake.close_week(day - timedelta(days=DAYS_TO_SUNDAY))
            if day.weekday() == DAYS_TO_SUNDAY
            else None
        )

    async def _take_newly_consented(self, student_ids: Iterable[str]) -> None:
        """What the files say of them was not kept before; now it may be."""
        ids = list(student_ids)
        students = [row for student_id in ids for row in self._students.get(student_id, ())]
        enrollments = [row for student_id in ids for row in self._enrollments.get(student_id, ())]
        if students:
            await self._intake.take_students(students)
        if enrollments:
            await self._importer.take_enrollments(enrollments)

    async def _close_silent_days(self, items: Iterable[Item[MarkRow]]) -> None:
        """Days before a school's rows, on which it said nothing, are now known to have been days of presence."""
        first: dict[str, date] = {}
        for item in items:
            first[item.row.school_id] = min(item.row.date, first.get(item.row.school_id, item.row.date))
        self._importer.reporting.see(first.items())
        closes = self._closes(before=first)
        if closes:
            await self._importer.close(closes)

    def _closes(self, before: Mapping[str, date] | None = None) -> list[Close]:
        """What is due to be closed; with `before`, only earlier days of these schools."""
        closes = []
        for school_id, school in self._importer.reporting.schools.items():
            for due in school.due():
                if before is None or (school_id in before and due < before[school_id]):
                    school.closed.add(due)
                    closes.append(Close(school_id, due))
        return closes


def in_order(items: Iterable[Item[MarkRow]], reporting: Reporting) -> Iterator[list[Item[MarkRow]]]:
    """Corrections of closed days, then the other days one after the other.

    So each day is decided on what it comes to: a later one's absence, known before an earlier one's presence, would
    raise an alert for a moment.
    """
    corrections: list[Item[MarkRow]] = []
    by_date: defaultdict[date, list[Item[MarkRow]]] = defaultdict(list)
    for item in items:
        closed = reporting.school(item.row.school_id).closed
        (corrections if item.row.date in closed else by_date[item.row.date]).append(item)
    if corrections:
        yield corrections
    yield from (by_date[day] for day in sorted(by_date))


def school_days(reported: Set[date], reporting: Reporting) -> set[date]:
    """Days on which a school may be open: reported by any, or instructional by a calendar, up to the last reported."""
    last = max(reported)
    calendars = (school.calendar for school in reporting.schools.values())
    return set(reported).union(day for days in calendars for day, open_ in days.items() if open_ and day <= last)


def first_signed(source: Source, agreement: Agreement) -> dict[str, date]:
    """By student: the first day of the first consent that covers what is needed for any agency."""
    policies = [ConsentPolicy.of(agreement, feed) for feed in agreement.feeds()]
    signed: dict[str, date] = {}
    for row in (found.row for found in source.consents() if isinstance(found, Item)):
        one = stored(row)
        if one is not None and any(one.fits(policy) for policy in policies):
            first = max(one.key.signed_on, agreement.effective_on)
            signed[row.student_id] = min(first, signed.get(row.student_id, date.max))
    return signed


def _recorded(row: MarkRow, zone: ZoneInfo) -> datetime | None:
    return None if row.recorded_at is None else to_utc(row.recorded_at, zone)


def handed_in_on(row: MarkRow, zone: ZoneInfo) -> date:
    """The school-local date of `recorded_at`, never before the marked date; the marked date without one."""
    if row.recorded_at is None:
        return row.date
    return max(row.date, to_utc(row.recorded_at, zone).astimezone(zone).date())
