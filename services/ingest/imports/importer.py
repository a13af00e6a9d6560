"""Takes everything that some files hold: reference first, then marks, then the closes behind them."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from typing import TypeVar
from uuid import UUID

from services.contracts.packed import microseconds
from services.ingest.formats import Found, Item, NotRead, Rejection, Source
from services.ingest.imports.reading import LANES, in_lanes, read_ahead, refused
from services.ingest.imports.report import Report
from services.ingest.imports.spoken import RecordSpan, Spoken
from services.ingest.intake import Intake
from services.ingest.reporting.head_counts import HeadCounts
from services.ingest.reporting.schools import Enrolled, Reporting
from services.ingest.rows.kinds import RECORD_TABLES
from services.ingest.rows.outcomes import Outcome, Unfit
from services.ingest.rows.parse import ConsentRow, EnrollmentRow, MarkRow, SchoolDayRow, StudentRow
from services.ingest.rows.records import Record
from services.ingest.store.stale_marks import SchoolSpan, Whole
from services.ingest.store.stale_records import WholeRecords
from services.ingest.take.days import Close
from services.ingest.take.hand_in import HandIn
from services.ingest.take.snapshot import Limits

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
        """Files of attendance of which a row was rejected."""
        self._spoken = Spoken()

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
        await read_ahead(self._source.attendance(), self._take_attendance)
        await self.assume({one: school.seen for one, school in self.reporting.schools.items() if school.seen})
        whole = Whole(run, microseconds(began), http=snapshot is not None and snapshot.http)
        if snapshot is not None:
            self.report.is_snapshot = True
            await self._take_back(snapshot, whole)
        await self.close(list(self._closes()))
        await self.take_records()
        if snapshot is not None:
            await self._take_back_records(snapshot, whole, began)
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
            lanes = partial(in_lanes, lanes=LANES, take=take)
            await self._take(name, self._source.records(name), lanes, partial(self._note_records, name))
            if name in self._source.readers.records and name not in self.report.reference:
                self.report.count(name, await take([]))  # none on file is not the same as no file

    def _note_records(self, name: str, items: Sequence[Item[Record]], outcomes: Sequence[Outcome]) -> None:
        today = (self._said.as_of or datetime.now(UTC)).date()
        self._spoken.see(name, (item.row for item in items), today)
        self.report.see_records(name, items, outcomes)

    async def take_enrollments(self, rows: Sequence[EnrollmentRow]) -> list[Outcome]:
        """Take enrollments, and count the students of each school."""
        for row in rows:
            self._enrolled.pop(row.student_id, None)
            self._spoken.schools.add(row.school_id)
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
            self._spoken.schools.add(item.row.school_id)
        usable = zip(rows, outcomes, strict=True)
        self.reporting.see((row.school_id, row.date) for row, outcome in usable if says(row, outcome))
        accepted = [row for row, outcome in zip(rows, outcomes, strict=True) if outcome.status == "accepted"]
        await self._note_idle(accepted)

    async def _outcomes(self, rows: Sequence[MarkRow]) -> list[Outcome]:
        # Rows that raise something by themselves travel with their days' head counts: these are whole in one lane only.
        lanes = LANES if self._said.history else 1
        return await in_lanes(rows, lanes, lambda some: self._intake.take_marks(some, self._said, counts=self._counts))

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
        unread = self._unread()
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

    async def _take_back_records(self, snapshot: Snapshot, whole: Whole, moment: datetime) -> None:
        """Nothing is taken back of a table of which a row was rejected, or when anything was not read."""
        for name, table in RECORD_TABLES.items():
            if name not in self._source.readers.records or self._unread():
                continue
            span, faulty = self._spoken.spans.get(name) or self._reported(), self._spoken.is_faulty(table)
            if span is None:
                self.report.notes.append(f"Nothing was taken back of {name}: no row says of which days it speaks.")
                continue
            if faulty or not self._spoken.schools:
                why = "rows were rejected" if faulty else "no enrollment in the files says of which schools they speak"
                self.report.notes.append(f"Nothing was taken back of {name}: {why}.")
                continue
            meant = WholeRecords(whole.run, moment, self._spoken.schools, span.first, span.last, span.terms)
            back = await self._intake.take_back_records(table, meant, snapshot.limits)
            self.report.records_back[name] = back

    def _reported(self) -> RecordSpan | None:
        """The days of the import's attendance: of them a file speaks that has no rows. None when there is none."""
        seen = {day for school in self.reporting.schools.values() for day in school.seen}
        return RecordSpan(min(seen | set(self._first_day.values())), max(seen)) if seen else None

    def _unread(self) -> list[NotRead]:
        """Files that may hold more of what an import reads."""
        return [one for one in self._source.not_read if one.file not in self._source.others]

    async def _take(
        self,
        kind: str,
        found: Iterator[Found[RowT]],
        take: Callable[[Sequence[RowT]], Awaitable[list[Outcome]]],
        note: Callable[[Sequence[Item[RowT]], Sequence[Outcome]], None] | None = None,
    ) -> None:
        async def take_chunk(chunk: Sequence[Found[RowT]]) -> None:
            items = await self.keep_rejections(chunk)
            self.report.unusable[kind] += len(chunk) - len(items)
            for item in items:
                if isinstance(item.row, StudentRow | ConsentRow | EnrollmentRow):
                    self.report.ids.know(item.row.student_id)
            outcomes = await take([item.row for item in items]) if items else []
            self.report.count(kind, outcomes)
            faulty = refused(items, outcomes)
            await self._refuse(faulty)
            if faulty or len(items) < len(chunk):
                self._spoken.faulty.add(kind)
            if note is not None:
                note(items, outcomes)
            self._progress(self._source.bytes_read)

        await read_ahead(found, take_chunk)

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


def says(row: MarkRow, outcome: Outcome) -> bool:
    """Whether a row reports its day: one that takes back what was said does not."""
    return outcome.status not in {"rejected", "out_of_scope"} and row.status != "retracted"
