"""Goes through a history day by day, as it would have come: each row on the day on which it was recorded."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from services.ingest.formats import Item, Rejection, Source
from services.ingest.importer import CHUNK, Importer, Progress, chunks
from services.ingest.intake import Intake
from services.ingest.report import Report
from services.ingest.reporting import Reporting
from services.ingest.rows import EnrollmentRow, MarkRow, StudentRow, to_utc
from services.ingest.take.days import Close


@dataclass(frozen=True, slots=True)
class ReplayedDay:
    """A day that has been handed in."""

    date: date
    marks: int
    token: UUID | None
    """Answered when the day's alerts are in Kafka; None when nothing came."""


class Replayer:
    """Hands a source in. All rows are held in memory, by the day of their handing in."""

    def __init__(self, intake: Intake, source: Source, progress: Progress, timezone: ZoneInfo) -> None:
        self._intake = intake
        self._timezone = timezone
        """The district's, for schools that name none."""
        self._importer = Importer(intake, source, progress)
        self._source = source
        self._days: defaultdict[date, list[Item[MarkRow]]] = defaultdict(list)
        self._students: defaultdict[str, list[StudentRow]] = defaultdict(list)
        self._enrollments: defaultdict[str, list[EnrollmentRow]] = defaultdict(list)

    @property
    def report(self) -> Report:
        """What has become of the rows so far."""
        return self._importer.report

    async def prepare(self) -> list[date]:
        """Read everything and take the reference in as of the first day; returns the days to replay."""
        refused: list[Rejection] = []
        zones = {
            school.row.school_id: ZoneInfo(school.row.timezone)
            for school in self._source.schools()
            if isinstance(school, Item) and school.row.timezone
        }
        for found in self._source.attendance():
            if isinstance(found, Item):
                zone = zones.get(found.row.school_id, self._timezone)
                self._days[handed_in_on(found.row, zone)].append(found)
            else:
                refused.append(found)
        await self._importer.keep_rejections(refused, marks=True)
        for student in self._source.students():
            if isinstance(student, Item):
                self._students[student.row.student_id].append(student.row)
        for enrollment in self._source.enrollments():
            if isinstance(enrollment, Item):
                self._enrollments[enrollment.row.student_id].append(enrollment.row)
        if not self._days:
            return []
        first, last = min(self._days), max(self._days)
        await self._intake.set_replay_day(first)
        await self._importer.take_reference()
        self._importer.reporting = Reporting(await self._intake.reports())
        self.report.warnings = list(self._source.warnings)
        return [first + timedelta(days=n) for n in range((last - first).days + 1)]

    async def hand_in(self, day: date) -> ReplayedDay:
        """Make it this day: consents begin and end, the day's rows come, and what they report is closed."""
        await self._intake.set_replay_day(day)
        began = (await self._intake.sweep()).began
        await self._take_newly_consented(began)
        rows = self._days.pop(day, [])
        await self._close_silent_days(rows)
        for chunk in chunks(rows, CHUNK):
            await self._importer.take_marks(chunk, history=False)
        closes = self._closes()
        token = await self._importer.close(closes) if rows or closes else None
        return ReplayedDay(day, len(rows), token)

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


def handed_in_on(row: MarkRow, zone: ZoneInfo) -> date:
    """The school-local date of `recorded_at`, never before the marked date; the marked date without one."""
    if row.recorded_at is None:
        return row.date
    return max(row.date, to_utc(row.recorded_at, zone).astimezone(zone).date())
