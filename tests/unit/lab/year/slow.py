"""A slow reading of a small export set, day by day and row by row, with the product's own pieces."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from models.attendance import NO_TIME, RETRACTED, DayMarks, SectionMark, code_of, day_code, with_mark
from models.school_year import year_of
from services.contracts.ids import Pseudonym, Slot
from services.ingest.agreement.document import FeedId, assumed
from services.ingest.agreement.folder import AGENCY, PURPOSE
from services.ingest.classification.classify import Horizon, Memory, Taking, classify
from services.ingest.consent.history import ConsentHistory
from services.ingest.consent.in_force import ConsentPolicy, Run, standing
from services.ingest.formats import Item, Rejection, Source, open_sources
from services.ingest.identity.consented import ConsentedStudent
from services.ingest.imports.replayer import first_signed, handed_in_on
from services.ingest.reporting.assumed import assumed_days
from services.ingest.reporting.head_counts import DayHeads, Roll
from services.ingest.reporting.schools import Reporting, SchoolReport
from services.ingest.rows.parse import MarkRow, to_utc
from services.ingest.settings import IngestSettings
from services.platform.sharing import ANY

Mark = tuple[date, str, str, date, int]
Count = tuple[date, str, date, int, int, int]
Close = tuple[date, str, date, int]


def read_slowly(folder: Path) -> Slow:
    """Goes through the folder as `firstbell replay` would."""
    slow = Slow(open_sources([folder]))
    for day in slow.days():
        rows = slow.handed_in.get(day, [])
        slow.sweep(day)
        slow.take_marks(day, rows)
        slow.count(day, rows)
        slow.close(day, rows)
    return slow


@dataclass
class Slow:
    """What the stream would have known; every list holds changes, the day on which they became known first."""

    source: Source
    handed_in: defaultdict[date, list[MarkRow]] = field(default_factory=lambda: defaultdict(list))
    marks: list[Mark] = field(default_factory=list)
    counts: list[Count] = field(default_factory=list)
    closes: list[Close] = field(default_factory=list)
    runs: defaultdict[str, list[Run]] = field(default_factory=lambda: defaultdict(list))
    rejected: list[Rejection] = field(default_factory=list)
    rows: int = 0

    def __post_init__(self) -> None:
        settings = IngestSettings()
        self._zone = settings.tz
        self._policy = ConsentPolicy(ANY, PURPOSE, AGENCY)
        schools = [one.row for one in self.source.schools() if isinstance(one, Item)]
        self._zones = {school.school_id: ZoneInfo(school.timezone) for school in schools if school.timezone}
        self._read_attendance()
        self._keep_span()
        self._agreements = self._read_consents()
        self._running: dict[str, Run] = {}
        self._heads: defaultdict[str, int] = defaultdict(lambda: len(self._heads))
        self._enrolled = self._read_enrollments()
        self._reporting = self._read_calendars()
        self._memory, self._counting = Memory(), DayHeads(fresh=True)
        self._sections: defaultdict[tuple[str, date], DayMarks] = defaultdict(tuple)
        self._told: dict[tuple[str, str, date], int] = {}
        self._sums: defaultdict[tuple[str, date], tuple[int, int]] = defaultdict(lambda: (0, 0))

    def days(self) -> list[date]:
        """From the first to the last day of handing in."""
        first, last = min(self.handed_in), max(self.handed_in)
        return [first + timedelta(days=n) for n in range((last - first).days + 1)]

    def sweep(self, day: date) -> None:
        """Consents end and begin."""
        for student_id, mine in self._agreements.items():
            if student_id in self._running and not self._running[student_id].holds(day):
                del self._running[student_id]
            run = standing([one.term(self._policy) for one in mine.kept.values()], day).run
            if run is not None and student_id not in self._running:
                self._running[student_id] = run
                self.runs[student_id].append(run)

    def take_marks(self, day: date, rows: Sequence[MarkRow]) -> None:
        """The rows that pass the gate, merged with those of their day."""
        known = {
            one: ConsentedStudent(self._heads[one], Pseudonym(one), Slot(0), run) for one, run in self._running.items()
        }
        times = [
            None if row.recorded_at is None else to_utc(row.recorded_at, self._zones.get(row.school_id, self._zone))
            for row in rows
        ]
        taking = Taking(0, live=False, as_of=None, horizon=Horizon.of(day, self._zone), agency="hope")
        touched = set()
        for new in classify(rows, times, known, self._memory, taking).accepted:
            row, time = rows[new.place], times[new.place]
            at = NO_TIME if time is None else round(time.timestamp() * 1_000_000)
            mark = SectionMark(row.school_id, new.key.section, code_of(row.status, row.excused), at)
            key = (row.student_id, row.date)
            self._sections[key] = with_mark(self._sections[key], mark)
            touched.add((row.student_id, row.school_id, row.date))
        for student_id, school_id, on in touched:
            code = day_code(self._sections[student_id, on], school_id) or RETRACTED
            before = self._told.get((student_id, school_id, on), RETRACTED)
            if code != before and self._told.get((student_id, school_id, on)) != code:
                self._told[student_id, school_id, on] = code
                self.marks.append((day, student_id, school_id, on, code))

    def count(self, day: date, rows: Sequence[MarkRow]) -> None:
        """Heads over all rows."""
        for row in (one for one in rows if one.status != "retracted"):
            self._counting.add(row.school_id, row.date, self._heads[row.student_id], absent=row.status == "absent")
        for change in self._counting.drain():
            key = (change.school_id, change.date)
            absent, seen = self._sums[key]
            self._sums[key] = absent + change.absent, seen + change.seen
            self.counts.append((day, *key, *self._sums[key], self._expected(*key)))

    def close(self, day: date, rows: Sequence[MarkRow]) -> None:
        """What the rows close."""
        self._reporting.see((row.school_id, row.date) for row in rows if row.status != "retracted")
        for school_id, school in self._reporting.schools.items():
            due = school.due()
            school.closed.update(due)
            self.closes += [(day, school_id, one, self._expected(school_id, one)) for one in due]

    def _expected(self, school_id: str, day: date) -> int:
        return sum(change for on, change in self._enrolled.get(school_id, {}).items() if on <= day)

    def _read_attendance(self) -> None:
        for found in self.source.attendance():
            self.rows += 1
            if isinstance(found, Rejection):
                self.rejected.append(found)
            else:
                zone = self._zones.get(found.row.school_id, self._zone)
                self.handed_in[handed_in_on(found.row, zone)].append(found.row)

    def _keep_span(self) -> None:
        signed = first_signed(self.source, assumed(AGENCY, PURPOSE))
        days = [
            day
            for day, rows in self.handed_in.items()
            if any(row.date >= signed.get(row.student_id, date.max) for row in rows)
        ]
        for day in [day for day in self.handed_in if not min(days) <= day <= max(days)]:
            del self.handed_in[day]

    def _read_consents(self) -> dict[str, ConsentHistory]:
        said: defaultdict[str, ConsentHistory] = defaultdict(lambda: ConsentHistory(FeedId(AGENCY)))
        for row in (one.row for one in self.source.consents() if isinstance(one, Item)):
            said[row.student_id].take(row)
        return said

    def _read_enrollments(self) -> dict[str, dict[date, int]]:
        roll = Roll(fresh=True)
        for row in (one.row for one in self.source.enrollments() if isinstance(one, Item)):
            roll.add(row.school_id, self._heads[row.student_id], row.entry_date, row.exit_date)
        return {one.school_id: one.changes for one in roll.drain()}

    def _read_calendars(self) -> Reporting:
        calendars: defaultdict[str, dict[date, bool]] = defaultdict(dict)
        for row in (one.row for one in self.source.school_days() if isinstance(one, Item)):
            if row.instructional is not None:
                calendars[row.school_id][row.date] = row.instructional
        reported: defaultdict[str, set[date]] = defaultdict(set)
        for row in (row for rows in self.handed_in.values() for row in rows if row.status != "retracted"):
            reported[row.school_id].add(row.date)
        for school_id, days in reported.items():
            years = {year_of(day.toordinal()) for day in calendars[school_id]}
            calendars[school_id].update(dict.fromkeys(assumed_days(days, years), True))
        return Reporting({school_id: SchoolReport(days) for school_id, days in calendars.items()})
