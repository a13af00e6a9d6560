"""A dry run: what the files come to by themselves, with nothing sent or kept. Pure but for reading the files."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Hashable, Iterator, Sequence
from datetime import date, datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

from models.school_year import year_of
from services.contracts.ids import Pseudonym, Slot
from services.ingest.agreement.document import Agreement, Feed, covers
from services.ingest.classification.classify import Horizon, Memory, Taking, classify
from services.ingest.consent.in_force import ConsentPolicy, standing
from services.ingest.consent.stored import ConsentKey, StoredConsent, merged, stored
from services.ingest.formats import Found, Item, Rejection, Source
from services.ingest.identity.consented import ConsentedStudent
from services.ingest.imports.importer import CHUNK, Progress, chunks, says
from services.ingest.imports.report import Report
from services.ingest.reporting.assumed import assumed_days
from services.ingest.reporting.schools import Enrolled, Reporting
from services.ingest.rows.outcomes import ACCEPTED, DUPLICATE, NOT_CONSENTED, OUT_OF_SCOPE, Outcome, WhyNot
from services.ingest.rows.parse import ConsentRow, MarkRow, to_utc
from services.ingest.settings import IngestSettings

RowT = TypeVar("RowT")


def rehearse(
    source: Source, agreement: Agreement, settings: IngestSettings, as_of: datetime, progress: Progress
) -> Report:
    """The report of an import into an empty system today (by the wall clock), as of a moment, under this agreement.

    Of several agencies it says what the first one would get.
    """
    return _Rehearsal(source, agreement, settings, as_of).run(progress)


class _Rehearsal:
    """Takes what an import takes, in its order, and keeps it in memory."""

    def __init__(self, source: Source, agreement: Agreement, settings: IngestSettings, as_of: datetime) -> None:
        feed = next(iter(agreement.feeds()), Feed("", "", frozenset()))
        self._source = source
        self._zone = settings.tz
        self._today = settings.wall_today()
        self._taking = Taking(
            0, live=False, as_of=as_of, horizon=Horizon.of(self._today, settings.tz), agency=feed.agency
        )
        self._agreement, self._feed, self._policy = agreement, feed, ConsentPolicy.of(agreement, feed)
        self._report = Report()
        self._zones: dict[str, ZoneInfo] = {}
        self._known: dict[str, ConsentedStudent] = {}
        self._why_not: dict[str, WhyNot] = {}
        self._enrolled: defaultdict[str, list[Enrolled]] = defaultdict(list)
        self._reporting = Reporting()
        self._memory = Memory()

    def run(self, progress: Progress) -> Report:
        """Take everything."""
        seen = _Seen(self._report)
        for school in self._kept(self._source.schools()):
            seen.take("schools", school.school_id, school)
            if school.timezone:
                self._zones[school.school_id] = ZoneInfo(school.timezone)
        self._take_consents(seen)
        for student in self._kept(self._source.students()):
            self._report.ids.know(student.student_id)
            seen.take("students", student.student_id, student, consented=student.student_id in self._known)
        for span in self._kept(self._source.enrollments()):
            self._report.ids.know(span.student_id)
            self._enrolled[span.student_id].append(Enrolled(span.school_id, span.entry_date, span.exit_date))
            key = (span.student_id, span.school_id, span.entry_date)
            scope = self._feed.has(span.school_id)
            seen.take("enrollments", key, span, consented=span.student_id in self._known, in_scope=scope)
        self._take_school_days(seen)
        for chunk in chunks(self._source.attendance(), CHUNK):
            self._take_marks(chunk)
            progress(self._source.bytes_read)
        for school_id, said in self._reporting.schools.items():
            if assumed_days(said.seen, {year_of(day.toordinal()) for day in said.calendar}):
                self._report.assumed.add(school_id)
        self._report.finish(self._source)
        return self._report

    def _take_consents(self, seen: _Seen) -> None:
        given: defaultdict[str, dict[ConsentKey, StoredConsent]] = defaultdict(dict)
        rows: list[tuple[ConsentRow, StoredConsent]] = []
        for place, row in enumerate(self._kept(self._source.consents())):
            self._report.ids.know(row.student_id)
            one, mine = stored(row, place), given[row.student_id]
            mine[one.key] = merged(mine[one.key], one) if one.key in mine else one
            rows.append((row, one))
        to_come: set[str] = set()
        for number, (student_id, mine) in enumerate(given.items()):
            found = standing((one.term(self._policy) for one in mine.values()), self._today, None)
            if found.run is not None:
                self._known[student_id] = ConsentedStudent(number, Pseudonym(""), Slot(0), found.run)
                continue
            if found.next_change is not None:
                to_come.add(student_id)
            self._why_not[student_id] = self._why(mine.values(), to_come=found.next_change is not None)
        for row, one in rows:
            fits = one.fits(self._policy) or row.revoked_on is not None
            kept = row.student_id in self._known or row.student_id in to_come
            seen.take("consents", (row.student_id, one.key), row, consented=fits and kept)

    def _why(self, mine: Collection[StoredConsent], *, to_come: bool) -> WhyNot:
        """Why none of a student's consents is in force."""
        if to_come:
            return "not_yet"
        missed = [
            self._policy.misses(one.key.agreement_id, one.records, one.purpose, one.recipients)
            for one in mine
            if not one.key.notice
        ]
        if missed and all(missed):
            return missed[-1] or "ended"
        revoked = any(one.revoked_on is not None and one.revoked_on <= self._today for one in mine)
        return "withdrawn" if revoked else "ended"

    def _take_school_days(self, seen: _Seen) -> None:
        calendars: defaultdict[str, dict[date, bool]] = defaultdict(dict)
        for day in self._kept(self._source.school_days()):
            scope = self._feed.has(day.school_id)
            seen.take("school_days", (day.school_id, day.date, day.calendar), day, in_scope=scope)
            if scope and day.instructional is not None and day.calendar is None:
                calendars[day.school_id][day.date] = day.instructional
        for school_id, calendar in calendars.items():
            self._reporting.school(school_id).calendar = calendar

    def _take_marks(self, chunk: Sequence[Found[MarkRow]]) -> None:
        items = [one for one in chunk if isinstance(one, Item)]
        rows = [item.row for item in items]
        times = [self._time(row) for row in rows]
        scoped = [
            place for place, row in enumerate(rows) if covers(self._agreement, self._feed, row.school_id, row.date)
        ]
        classed = classify(
            [rows[place] for place in scoped],
            [times[place] for place in scoped],
            self._known,
            self._memory,
            self._taking,
            self._why_not,
        )
        found = dict(zip(scoped, classed.outcomes, strict=True))
        outcomes = [
            found.get(place) or self._taking.horizon.refuses(row.date, times[place]) or OUT_OF_SCOPE
            for place, row in enumerate(rows)
        ]
        refused = [one for one in chunk if isinstance(one, Rejection)]
        for item, outcome in zip(items, outcomes, strict=True):
            if outcome.status == "rejected":
                refused.append(Rejection(item.file, item.line, outcome.field, outcome.reason or ""))
        self._report.rejections.extend(refused)
        self._report.marks["rejected"] += len(chunk) - len(items)
        self._report.see(items, outcomes)
        usable = zip(rows, outcomes, strict=True)
        self._reporting.see((row.school_id, row.date) for row, outcome in usable if says(row, outcome))
        for new in classed.accepted:
            row = rows[scoped[new.place]]
            self._report.note_idle(row, self._enrolled.get(row.student_id, ()), self._reporting)

    def _time(self, row: MarkRow) -> datetime | None:
        if row.recorded_at is None:
            return row.modified_at
        return to_utc(row.recorded_at, self._zones.get(row.school_id, self._zone))

    def _kept(self, found: Iterator[Found[RowT]]) -> Iterator[RowT]:
        for one in found:
            if isinstance(one, Item):
                yield one.row
            else:
                self._report.rejections.extend([one])


class _Seen:
    """What was said of each key, to find repeats."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._said: dict[tuple[str, Hashable], object] = {}

    def take(self, kind: str, key: Hashable, row: object, *, consented: bool = True, in_scope: bool = True) -> None:
        """Count a row of this kind."""
        outcome = self._outcome((kind, key), row, consented=consented) if in_scope else OUT_OF_SCOPE
        self._report.count(kind, [outcome])

    def _outcome(self, key: tuple[str, Hashable], row: object, *, consented: bool) -> Outcome:
        if not consented:
            return NOT_CONSENTED["unknown_student"]
        known = self._said.get(key) == row
        self._said[key] = row
        return DUPLICATE if known else ACCEPTED
