"""Takes everything that some files hold: reference first, then marks, then the closes behind them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from itertools import islice
from typing import TypeVar
from uuid import UUID

from services.contracts.packed import microseconds
from services.ingest.formats import Found, Item, Rejection, Source
from services.ingest.imports.report import Report
from services.ingest.intake import Intake
from services.ingest.reporting.head_counts import HeadCounts
from services.ingest.reporting.schools import Enrolled, Reporting
from services.ingest.rows.kinds import RECORD_TABLES
from services.ingest.rows.outcomes import Outcome, Unfit
from services.ingest.rows.parse import ConsentRow, EnrollmentRow, MarkRow, SchoolDayRow, StudentRow
from services.ingest.store.stale_marks import SchoolSpan, Whole
from services.ingest.take.days import Close
from services.ingest.take.hand_in import HandIn
from services.ingest.take.snapshot import Limits
from services.platform.together import together

CHUNK = 4_000
"""Rows taken at once: a few hundred marks a partition."""
LANES = 2
"""Parts of a chunk that are taken beside each other."""
_SLICE = 100
"""Rows read before anything else may go on."""

_TOLD = 5

RowT = TypeVar("RowT")
Progress = Callable[[int], None]
"""Called with how many bytes have been read so far."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The files are the whole truth of each school in them, from its first calendar day, else row, to its last row."""

    http: bool = False
    """Also of marks that HTTP said before."""
    limits: Limits | None = None
    """More is not taken back; None when the user has confirmed it."""


class Importer:
    """One run over a source. A run that was interrupted can be run again: nothing counts twice."""

    def __init__(self, intake: Intake, source: Source, progress: Progress) -> None:
        self.report = Report()
        self.reporting = Reporting()
        self._intake = intake
        self._source = source
        self._progress = progress
        self._counts = HeadCounts(fresh=True)
        self._unfit: Unfit = {}
        self._said = HandIn(run=time.time_ns(), unfit=self._unfit)
        self._first_day: dict[str, date] = {}
        """By school: the first day of its calendar that was handed in."""
        self._schools_of: dict[str, set[str]] = {}
        """By file: the schools of its attendance rows."""
        self._enrolled: dict[str, Sequence[Enrolled]] = {}
        """By student, as they were looked up."""
        self._faulty: set[str] = set()
        """Files of which a row was rejected."""

    async def run(self, as_of: datetime | None = None, snapshot: Snapshot | None = None) -> Report:
        """Import a history: it raises only what stands at each school's last reported date.

        What rows without a time say is as of the moment at which the import began, unless another is given. Of a
        `snapshot` what earlier imports said and it does not is taken back.

        Of its weeks only the last complete one by the clock is closed, so that the present one has a threshold.
        """
        fingerprint = self._source.fingerprint()
        began = await self._intake.begin_import(fingerprint, as_of)
        run = microseconds(began) * 1_000
        self._said = HandIn(history=True, run=run, as_of=began, whole=snapshot is not None, unfit=self._unfit)
        await self.take_reference()
        self.reporting = Reporting(await self._intake.reports())
        found = self._source.attendance()
        chunk: list[Found[MarkRow]] = []
        await _read(found, chunk)
        while chunk:
            ahead: list[Found[MarkRow]] = []
            await together(self._take_attendance(chunk), _read(found, ahead))
            chunk = ahead
        await self.assume({one: school.seen for one, school in self.reporting.schools.items() if school.seen})
        if snapshot is not None:
            await self._take_back(snapshot, Whole(run, microseconds(began), http=snapshot.http))
        await self.close(list(self._closes()))
        await self.take_records()
        await self._intake.sweep()
        await self._intake.end_import(fingerprint)
        self.report.finish(self._source)
        return self.report

    async def take_reference(self) -> None:
        """Take schools, consents, students, enrollments and calendars."""
        source, intake = self._source, self._intake
        households: dict[str, str] = {}
        births: dict[str, date] = {}
        for item in source.students():
            if isinstance(item, Item) and item.row.household_id:
                households[item.row.student_id] = item.row.household_id
            if isinstance(item, Item) and item.row.birth_date:
                births[item.row.student_id] = item.row.birth_date
        await self._take("schools", source.schools(), intake.take_schools)
        await self._take(
            "consents", source.consents(), lambda rows: intake.take_consents(rows, households, births, self._unfit)
        )
        await self._take("students", source.students(), intake.take_students)
        await self._take("enrollments", source.enrollments(), self.take_enrollments)
        self.report.twice_enrolled = len(self._counts.roll.twice)
        await self._take("school_days", source.school_days(), self.take_school_days)

    async def take_records(self) -> None:
        """Take what is shared beside attendance; after it, as no alert waits for any of it."""
        await self._take("terms", self._source.terms(), lambda rows: self._intake.take_terms(rows, self._said))
        for name, table in RECORD_TABLES.items():
            take = partial(self._intake.take_records, table, said=self._said)
            await self._take(name, self._source.records(name), take)
            if name in self._source.readers.records and name not in self.report.reference:
                self.report.count(name, await take([]))  # none on file is not the same as no file

    async def take_enrollments(self, rows: Sequence[EnrollmentRow]) -> list[Outcome]:
        """Take enrollments, and count the students of each school."""
        for row in rows:
            self._enrolled.pop(row.student_id, None)
        return await self._intake.take_enrollments(rows, counts=self._counts, run=self._said.run)

    async def _take_attendance(self, chunk: Sequence[Found[MarkRow]]) -> None:
        await self.take_marks(await self.keep_rejections(chunk, marks=True))
        self._progress(self._source.bytes_read)

    async def take_marks(self, items: Sequence[Item[MarkRow]]) -> None:
        """Take marks, and note which of them will count nowhere.

        A student's are taken in order. Of a history some students' are classed while others' wait for Kafka or
        PostgreSQL.
        """
        rows = [item.row for item in items]
        outcomes = await self._outcomes(rows)
        self.report.see(items, outcomes)
        faulty = refused(items, outcomes)
        self._faulty.update(one.file for one in faulty)
        await self._refuse(faulty)
        for item in items:
            self._schools_of.setdefault(item.file, set()).add(item.row.school_id)
        usable = zip(rows, outcomes, strict=True)
        self.reporting.see((row.school_id, row.date) for row, outcome in usable if says(row, outcome))
        accepted = [row for row, outcome in zip(rows, outcomes, strict=True) if outcome.status == "accepted"]
        await self._note_idle(accepted)

    async def _outcomes(self, rows: Sequence[MarkRow]) -> list[Outcome]:
        # Rows that raise something by themselves travel with their days' head counts: these are whole in one lane only.
        lanes: list[list[int]] = [[] for _ in range(LANES if self._said.history else 1)]
        for place, row in enumerate(rows):
            lanes[hash(row.student_id) % len(lanes)].append(place)
        found: dict[int, Outcome] = {}

        async def take(places: Sequence[int]) -> None:
            taken = await self._intake.take_marks([rows[place] for place in places], self._said, counts=self._counts)
            found.update(zip(places, taken, strict=True))

        await together(*(take(places) for places in lanes))
        return [found[place] for place in range(len(rows))]

    async def assume(self, reported: Mapping[str, Collection[date]]) -> None:
        """Take weekdays for school days where a school reported, and gave neither calendar nor sessions."""
        for school_id, days in (await self._intake.assume(reported)).items():
            self.reporting.school(school_id).assume(days)
            self.report.assumed.add(school_id)

    async def keep_rejections(self, found: Iterable[Found[RowT]], *, marks: bool = False) -> list[Item[RowT]]:
        """The rows that can be used; the others go to the report and the dead letters."""
        items: list[Item[RowT]] = []
        unusable: list[Rejection] = []
        for one in found:
            if isinstance(one, Item):
                items.append(one)
            else:
                unusable.append(one)
        if marks:
            self.report.marks["rejected"] += len(unusable)
            self._faulty.update(one.file for one in unusable)
        await self._refuse(unusable)
        return items

    async def _refuse(self, rejections: Sequence[Rejection]) -> None:
        self.report.rejections.extend(rejections)
        await self._intake.reject(rejections, "import")

    async def close(self, closes: Sequence[Close]) -> UUID:
        """Close days behind the marks taken so far; returns the token that the worker answers."""
        return await self._intake.close_days(closes, counts=self._counts)

    async def take_school_days(self, rows: Sequence[SchoolDayRow]) -> list[Outcome]:
        """Take the calendar, and note where each school's begins."""
        for row in rows:
            self._first_day[row.school_id] = min(row.date, self._first_day.get(row.school_id, row.date))
        return await self._intake.take_school_days(rows)

    async def _take_back(self, snapshot: Snapshot, whole: Whole) -> None:
        """Nothing is taken back at schools of whose files anything was not read."""
        spans = [
            SchoolSpan(school_id, min(school.seen | {self._first_day.get(school_id, date.max)}), max(school.seen))
            for school_id, school in self.reporting.schools.items()
            if school.seen
        ]
        unread = [one for one in self._source.not_read if one.file not in self._source.others]
        kept = {school for file in self._faulty for school in self._schools_of.get(file, ())}
        if unread:
            self.report.notes.append(f"Nothing was taken back: {unread[0].file} was not read, and may hold more.")
            return
        if kept:
            self.report.notes.append(
                f"Nothing was taken back at {len(kept)} schools, as rows of their files were rejected: "
                f"{', '.join(sorted(kept)[:_TOLD])}{' …' if len(kept) > _TOLD else ''}."
            )
        spans = [span for span in spans if span.school_id not in kept]
        seen = [(span.school_id, day) for span in spans for day in self.reporting.school(span.school_id).seen]
        self.report.taken_back = await self._intake.take_back(spans, seen, whole, snapshot.limits)

    async def _take(
        self,
        kind: str,
        found: Iterator[Found[RowT]],
        take: Callable[[Sequence[RowT]], Awaitable[list[Outcome]]],
    ) -> None:
        for chunk in chunks(found, CHUNK):
            items = await self.keep_rejections(chunk)
            self.report.unusable[kind] += len(chunk) - len(items)
            for item in items:
                if isinstance(item.row, StudentRow | ConsentRow | EnrollmentRow):
                    self.report.ids.know(item.row.student_id)
            outcomes = await take([item.row for item in items]) if items else []
            self.report.count(kind, outcomes)
            if items:
                await self._refuse(refused(items, outcomes))
            self._progress(self._source.bytes_read)

    async def _note_idle(self, rows: Sequence[MarkRow]) -> None:
        asked = {row.student_id for row in rows} - self._enrolled.keys()
        if asked:
            self._enrolled |= {**dict.fromkeys(asked, ()), **await self._intake.enrolled(asked)}
        for row in rows:
            self.report.note_idle(row, self._enrolled[row.student_id], self.reporting)

    def _closes(self) -> Iterator[Close]:
        for school_id, school in self.reporting.schools.items():
            due = school.due()
            raising = school.raising(due)
            yield from (Close(school_id, day, history=day != raising) for day in due)


def chunks(items: Iterable[RowT], size: int) -> Iterator[list[RowT]]:
    """The items in lists of at most `size`."""
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk


async def _read(found: Iterator[RowT], chunk: list[RowT]) -> None:
    """Fill the chunk; what is taken meanwhile goes on between its rows."""
    while len(chunk) < CHUNK and (some := list(islice(found, _SLICE))):
        chunk += some
        await asyncio.sleep(0)


def refused(items: Iterable[Item[RowT]], outcomes: Iterable[Outcome]) -> list[Rejection]:
    """Where the rows are that were rejected when they were taken in."""
    return [
        Rejection(item.file, item.line, outcome.field, outcome.reason or "")
        for item, outcome in zip(items, outcomes, strict=True)
        if outcome.status == "rejected"
    ]


def says(row: MarkRow, outcome: Outcome) -> bool:
    """Whether a row reports its day: one that takes back what was said does not."""
    return outcome.status not in {"rejected", "out_of_scope"} and row.status != "retracted"
