"""A dry run: what the files come to by themselves, with nothing sent or kept. Pure but for reading the files."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

from models.school_year import year_of
from services.contracts.ids import Pseudonym, Slot
from services.ingest.agreement.document import Agreement, Feed, covers
from services.ingest.classification.classify import Horizon, Memory, Taking, classify
from services.ingest.classification.records import NOT_SHARED, days_of, may_be_kept, not_yet
from services.ingest.consent.history import ConsentHistory
from services.ingest.consent.in_force import ConsentPolicy, standing
from services.ingest.consent.judging import Grounds, Verdict, adult_from
from services.ingest.consent.withdrawals import Withdrawal, of_row
from services.ingest.formats import Found, Item, Rejection, Source
from services.ingest.identity.consented import ConsentedStudent
from services.ingest.imports.importer import Progress, says
from services.ingest.imports.reading import CHUNK, chunks, refused
from services.ingest.imports.report import Report
from services.ingest.reporting.assumed import assumed_days
from services.ingest.reporting.schools import Enrolled, Reporting
from services.ingest.rows.kinds import RECORD_TABLES
from services.ingest.rows.outcomes import ACCEPTED, DUPLICATE, NOT_CONSENTED, OUT_OF_SCOPE, Outcome, WhyNot, best
from services.ingest.rows.parse import ConsentRow, MarkRow, to_utc
from services.ingest.rows.records import Record, RecordDays
from services.ingest.settings import IngestSettings
from services.platform.sharing import ATTENDANCE

RowT = TypeVar("RowT")


def rehearse(
    source: Source, agreement: Agreement, settings: IngestSettings, as_of: datetime, progress: Progress
) -> Report:
    """The report of an import into an empty system today (by the wall clock), as of a moment, under this agreement."""
    return _Rehearsal(source, agreement, settings, as_of).run(progress)


class _Rehearsal:
    """Takes what an import takes, in its order, and keeps it in memory."""

    def __init__(self, source: Source, agreement: Agreement, settings: IngestSettings, as_of: datetime) -> None:
        self._source = source
        self._zone = settings.tz
        self._today = settings.wall_today()
        self._horizon = Horizon.of(self._today, settings.tz)
        self._feeds = [
            _RehearsedFeed(agreement, feed, Taking(0, False, as_of, self._horizon, str(feed.id)))
            for feed in agreement.all_feeds()
        ]
        self._grounds = Grounds.of({agreement.id}, agreement, self._today)
        self._report = Report()
        self._zones: dict[str, ZoneInfo] = {}
        self._enrolled: defaultdict[str, list[Enrolled]] = defaultdict(list)
        self._reporting = Reporting()

    def run(self, progress: Progress) -> Report:
        """Take everything."""
        seen = _Seen(self._report)
        for school in self._kept("schools", self._source.schools()):
            seen.take("schools", school.school_id, school)
            if school.timezone:
                self._zones[school.school_id] = ZoneInfo(school.timezone)
        self._take_consents(seen)
        for student in self._kept("students", self._source.students()):
            self._report.ids.know(student.student_id)
            consented = any(student.student_id in feed.known for feed in self._feeds)
            seen.take("students", student.student_id, student, consented=consented)
        for span in self._kept("enrollments", self._source.enrollments()):
            self._report.ids.know(span.student_id)
            self._enrolled[span.student_id].append(Enrolled(span.school_id, span.entry_date, span.exit_date))
            key = (span.student_id, span.school_id, span.entry_date)
            scope = [feed for feed in self._feeds if feed.feed.has(span.school_id)]
            consented = any(span.student_id in feed.known for feed in scope)
            seen.take("enrollments", key, span, consented=consented, in_scope=bool(scope))
        self._take_school_days(seen)
        for chunk in chunks(self._source.attendance(), CHUNK):
            self._take_marks(chunk)
            progress(self._source.bytes_read)
        self._take_records(seen)
        for school_id, said in self._reporting.schools.items():
            if assumed_days(said.seen, {year_of(day.toordinal()) for day in said.calendar}):
                self._report.assumed.add(school_id)
        self._report.finish(self._source)
        return self._report

    def _take_consents(self, seen: _Seen) -> None:
        births = {one.row.student_id: one.row.birth_date for one in self._source.students() if isinstance(one, Item)}
        withdrawals: defaultdict[str, list[Withdrawal]] = defaultdict(list)
        given: list[tuple[Item[ConsentRow], Verdict]] = []
        for item in self._items("consents", self._source.consents()):
            row, known = item.row, withdrawals[item.row.student_id]
            self._report.ids.know(row.student_id)
            birth = row.birth_date or births.get(row.student_id)
            verdict = self._grounds.judge(row, known, birth and adult_from(birth))
            known += verdict.withdrawn
            given.append((item, verdict))
        rows = [item.row for item, verdict in given if verdict.refused is None]
        for feed in self._feeds:
            feed.settle(rows, self._today)
        for item, verdict in given:
            if verdict.refused is not None:
                self._report.count("consents", [verdict.refused])
                self._report.rejections.extend(refused([item], [verdict.refused]))
                continue
            row = item.row
            consented = bool(of_row(row)) or any(feed.takes(row) for feed in self._feeds)
            key = (row.student_id, row.agreement_id, row.signed_on, row.purpose)
            seen.take("consents", key, row, consented=consented, warning=verdict.warning)

    def _take_school_days(self, seen: _Seen) -> None:
        calendars: defaultdict[str, dict[date, bool]] = defaultdict(dict)
        for day in self._kept("school_days", self._source.school_days()):
            scope = any(feed.feed.has(day.school_id) for feed in self._feeds)
            seen.take("school_days", (day.school_id, day.date, day.calendar), day, in_scope=scope)
            if scope and day.instructional is not None and day.calendar is None:
                calendars[day.school_id][day.date] = day.instructional
        for school_id, calendar in calendars.items():
            self._reporting.school(school_id).calendar = calendar

    def _take_marks(self, chunk: Sequence[Found[MarkRow]]) -> None:
        items = [one for one in chunk if isinstance(one, Item)]
        rows = [item.row for item in items]
        times = [self._time(row) for row in rows]
        found: list[list[Outcome]] = [[] for _ in rows]
        for feed in self._feeds:
            if feed.feed.kind != ATTENDANCE:
                continue
            for place, outcome in feed.classed(rows, times):
                found[place].append(outcome)
        outcomes = [
            best(of) if of else self._horizon.refuses(row.date, time) or OUT_OF_SCOPE
            for row, time, of in zip(rows, times, found, strict=True)
        ]
        self._report.rejections.extend(one for one in chunk if isinstance(one, Rejection))
        self._report.rejections.extend(refused(items, outcomes))
        self._report.marks["rejected"] += len(chunk) - len(items)
        self._report.see(items, outcomes)
        usable = zip(rows, outcomes, strict=True)
        self._reporting.see((row.school_id, row.date) for row, outcome in usable if says(row, outcome))
        for row, outcome in zip(rows, outcomes, strict=True):
            if outcome.status == "accepted":
                self._report.note_idle(row, self._enrolled.get(row.student_id, ()), self._reporting)

    def _take_records(self, seen: _Seen) -> None:
        terms: dict[str, RecordDays] = {}
        for term in self._kept("terms", self._source.terms()):
            terms[term.term] = RecordDays(term.start_date, term.end_date)
            seen.take("terms", term.term, term)
        for name, table in RECORD_TABLES.items():
            feeds = [feed for feed in self._feeds if feed.feed.kind == table.kind]
            for item in self._items(name, self._source.records(name)):
                row = item.row
                days, enrolled = days_of(row, terms), self._enrolled.get(row.student_id, ())
                ahead = not_yet(table, days, self._horizon.day)
                outcome = ahead or best((feed.judged(row, days, enrolled) for feed in feeds), NOT_SHARED)
                key = (row.student_id, *table.key_of(row))
                seen.take_if(name, key, row, outcome)
                self._report.see_records(name, [item], [outcome])
                self._report.rejections.extend(refused([item], [outcome]))

    def _time(self, row: MarkRow) -> datetime | None:
        if row.recorded_at is None:
            return row.modified_at
        return to_utc(row.recorded_at, self._zones.get(row.school_id, self._zone))

    def _kept(self, kind: str, found: Iterator[Found[RowT]]) -> Iterator[RowT]:
        return (item.row for item in self._items(kind, found))

    def _items(self, kind: str, found: Iterator[Found[RowT]]) -> Iterator[Item[RowT]]:
        """The rows, with those that cannot be used counted by what they hold."""
        for one in found:
            if isinstance(one, Item):
                yield one
            else:
                self._report.unusable[kind] += 1
                self._report.rejections.extend([one])


class _RehearsedFeed:
    """What one feed would have: the gate, and the memory of what was taken."""

    def __init__(self, agreement: Agreement, feed: Feed, taking: Taking) -> None:
        self.feed = feed
        self.known: dict[str, ConsentedStudent] = {}
        self._agreement, self._policy, self._taking = agreement, ConsentPolicy.of(agreement, feed), taking
        self._to_come: set[str] = set()
        self._why_not: dict[str, WhyNot] = {}
        self._memory = Memory()

    def settle(self, rows: Sequence[ConsentRow], today: date) -> None:
        """Note what the students' consents come to."""
        said: defaultdict[str, ConsentHistory] = defaultdict(lambda: ConsentHistory(self.feed.id))
        given: defaultdict[str, list[ConsentRow]] = defaultdict(list)
        for row in rows:
            said[row.student_id].take(row)
            given[row.student_id].append(row)
        for number, (student_id, mine) in enumerate(said.items()):
            found = standing((one.term(self._policy) for one in mine.kept.values()), today)
            if found.run is not None:
                self.known[student_id] = ConsentedStudent(number, Pseudonym(""), Slot(0), found.run)
                continue
            if found.next_change is not None:
                self._to_come.add(student_id)
            self._why_not[student_id] = self._why(given[student_id], today, to_come=found.next_change is not None)

    def takes(self, row: ConsentRow) -> bool:
        """Whether the row of a consent is kept."""
        kept = row.student_id in self.known or row.student_id in self._to_come
        return kept and self._missed(row) is None

    def classed(self, rows: Sequence[MarkRow], times: Sequence[datetime | None]) -> Iterator[tuple[int, Outcome]]:
        """The outcome of each row that is in scope, and its place."""
        places = [
            place for place, row in enumerate(rows) if covers(self._agreement, self.feed, row.school_id, row.date)
        ]
        mine, moments = [rows[place] for place in places], [times[place] for place in places]
        found = classify(mine, moments, self.known, self._memory, self._taking, self._why_not)
        return zip(places, found.outcomes, strict=True)

    def judged(self, row: Record, days: RecordDays, enrolled: Iterable[Enrolled]) -> Outcome:
        """What becomes of a record of the feed's kind, but for repeats."""
        student = self.known.get(row.student_id)
        if student is None:
            return NOT_CONSENTED[self._why_not.get(row.student_id, "unknown_student")]
        spans = [(one.entry, one.exit) for one in enrolled if self.feed.has(one.school_id)]
        return may_be_kept(days, spans, self._agreement, student.run) or ACCEPTED

    def _missed(self, row: ConsentRow) -> WhyNot | None:
        return self._policy.misses(row.agreement_id, row.records, row.purpose, row.recipients)

    def _why(self, mine: Sequence[ConsentRow], today: date, *, to_come: bool) -> WhyNot:
        """Why none of a student's consents is in force."""
        if to_come:
            return "not_yet"
        missed = [self._missed(row) for row in mine if row.signed_on is not None]
        if missed and all(missed):
            return missed[-1] or "ended"
        return "withdrawn" if any(row.revoked_on and row.revoked_on <= today for row in mine) else "ended"


class _Seen:
    """What was said of each key, to find repeats."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._said: dict[tuple[str, Hashable], object] = {}

    def take(
        self,
        kind: str,
        key: Hashable,
        row: object,
        *,
        consented: bool = True,
        in_scope: bool = True,
        warning: str | None = None,
    ) -> None:
        """Count a row of this kind."""
        outcome = self._outcome((kind, key), row, consented=consented) if in_scope else OUT_OF_SCOPE
        self._report.count(kind, [replace(outcome, warning=warning if consented else None)])

    def take_if(self, kind: str, key: Hashable, row: object, outcome: Outcome) -> None:
        """Count a row of this kind of which it is known what becomes of it, but for repeats."""
        told = self._outcome((kind, key), row, consented=True) if outcome.status == "accepted" else outcome
        self._report.count(kind, [told])

    def _outcome(self, key: tuple[str, Hashable], row: object, *, consented: bool) -> Outcome:
        if not consented:
            return NOT_CONSENTED["unknown_student"]
        known = self._said.get(key) == row
        self._said[key] = row
        return DUPLICATE if known else ACCEPTED
