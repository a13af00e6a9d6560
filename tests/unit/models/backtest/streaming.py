"""Hands a district to partitions of the stream as a replay does, a day at a time."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time
from uuid import UUID

from models.enrollment import FOREVER
from models.policy import Policy
from services.contracts import topics
from services.contracts.marks import AttendanceMark, DayClosed, DayCounts, DaysClosed, WeekClosed
from services.contracts.packed import PlainMark
from services.contracts.reference import Consent, Enrollment, EnrollmentSpan, SchoolDay
from services.contracts.risk import WeekCounted
from services.contracts.sealed import seal_event
from services.ingest.publish.batches import mark_records
from services.warning import records
from services.warning.capacity import CapacityControl
from services.warning.lifecycle import emitted_level
from services.warning.partition import Partition
from services.warning.student import NO_ROW, Student
from services.warning.window import scores_of
from tests.unit.models.backtest.districts import Child, Counting, District, Row
from tests.unit.warning.keys import CIPHERS, FakeKeys

TOKEN = UUID("6f1e5d5e-6d0c-5f43-9d5c-0f1b57be11aa")
SUNDAY = 0
_AGAIN = "/"
WEEK = 7


class Stream:
    """Partitions that together hold a district's students; siblings are in one."""

    def __init__(
        self, district: District, policy: Policy, partitions: int, capacity_control: Callable[[], CapacityControl]
    ) -> None:
        self.partitions = [Partition(policy, capacity_control()) for _ in range(partitions)]
        self._district = district
        self._counting = Counting()
        self._reporting = district.reporting()
        self._closed: set[int] = set()
        self._recounted: list[tuple[str, date]] = []
        self._day = 0
        self._keys = FakeKeys()
        self._erased = Counter[str]()

    def hand_in(self, day: int) -> None:
        """Make it this day: consents end and begin, the day's rows come, and what they report is closed."""
        first, self._day = self._day == 0, day
        self._sweep(day, first=first)
        rows = self._district.rows.get(day, [])
        self._close_silent_days(rows)
        self._recounted = []
        if rows:
            self._take_marks(day, rows)
        self._reporting.see((row.school, date.fromordinal(row.day)) for row in rows)
        due = [(school, on) for school, report in self._reporting.schools.items() for on in report.due()]
        self._close(due + [key for key in self._recounted if key not in due])
        if day % WEEK == SUNDAY and self._closed & set(range(day - 6, day + 1)):
            week = WeekClosed(taken_at=self._now(), token=TOKEN, week=date.fromordinal(day - 6))
            self._to_all(topics.MARKS.name, week.model_dump_json().encode())

    def students(self) -> Iterable[tuple[str, Student, Partition]]:
        """Those whose consent is in force."""
        for partition in self.partitions:
            for name, student in partition.students.items():
                if student.counts:
                    yield child_of(name), student, partition

    def days(self) -> dict[str, int]:
        """How many days count, of students with any."""
        found = {
            name: int(partition.years[student.year].cohort.ledger.length[student.row])
            for name, student, partition in self.students()
            if student.row != NO_ROW
        }
        return {name: days for name, days in found.items() if days}

    def scores(self) -> dict[str, float]:
        """Probabilities, as of now."""
        found: dict[str, float] = {}
        for partition in self.partitions:
            found |= {child_of(name): score for name, score in scores_of(partition).items()}
        return found

    def levels(self) -> dict[str, int]:
        """What was told last, of students whose consent is in force."""
        return {name: emitted_level(student.emitted) for name, student, _ in self.students()}

    def entered(self) -> int:
        """New alerts at elevated or above, over all partitions; 0 when nothing is steered."""
        if not self.partitions[0].capacity_control.steers:
            return 0
        return sum(sum(partition.capacity_control.dump().entered.values()) for partition in self.partitions)

    def thresholds(self) -> dict[int, float]:
        """Those in force, which every partition must have heard."""
        found = [
            partition.capacity_control.thresholds[0].by_week if partition.capacity_control.capped else {}
            for partition in self.partitions
        ]
        assert all(one == found[0] for one in found)
        return dict(found[0])

    def _sweep(self, day: int, *, first: bool) -> None:
        children = self._district.children
        for child in children:
            if not first and child.run_on(day) is None and child.run_on(day - 1) is not None:
                self._to(child, topics.CONSENTS.name, None)
                self._to(child, topics.ENROLLMENTS.name, None)
                self._erased[child.name] += 1
        for child in children:
            run = child.run_on(day)
            if run is not None and (first or child.run_on(day - 1) != run):
                self._to(child, topics.CONSENTS.name, _consent(self._pseudonym(child.name), run))
                self._to(
                    child,
                    topics.ENROLLMENTS.name,
                    _enrollment(self._pseudonym(child.name), child, self._district.unshared),
                )
        if first:
            for school, days in self._district.calendar.items():
                for on, open_ in days.items():
                    fact = SchoolDay(school_id=school, date=date.fromordinal(on), instructional=open_)
                    self._to_all(topics.SCHOOL_DAYS.name, fact.model_dump_json().encode())

    def _close_silent_days(self, rows: Iterable[Row]) -> None:
        first: dict[str, date] = {}
        for row in rows:
            on = date.fromordinal(row.day)
            first[row.school] = min(on, first.get(row.school, on))
        self._reporting.see(first.items())
        self._close(
            [
                (school, due)
                for school, report in self._reporting.schools.items()
                for due in report.due()
                if school in first and due < first[school]
            ]
        )

    def _take_marks(self, day: int, rows: list[Row]) -> None:
        changed = self._counting.add(rows)
        self._recounted = [
            (school, date.fromordinal(on))
            for school, on in sorted(changed)
            if date.fromordinal(on) in self._reporting.school(school).closed
        ]
        counts = {(school, date.fromordinal(on)): self._counts(school, on) for school, on in changed}
        places = {child.name: self._place(child) for child in self._district.children}
        marks = [
            (places[row.student], PlainMark.of(_mark(self._pseudonym(row.student), row)))
            for row in self._district.passed(day)
        ]
        for record in mark_records(marks, self._now(), counts, CIPHERS):
            self._feed(record.partition, record.topic, record.key.encode(), record.value)

    def _close(self, closes: list[tuple[str, date]]) -> None:
        if not closes:
            return
        for school, on in closes:
            self._reporting.schools[school].closed.add(on)
            self._closed.add(on.toordinal())
        value = DaysClosed(
            taken_at=self._now(),
            token=TOKEN,
            closes=[
                DayClosed(school_id=school, date=on, counts=self._counts(school, on.toordinal()))
                for school, on in closes
            ],
        )
        self._to_all(topics.MARKS.name, value.model_dump_json(exclude_none=True).encode())

    def _counts(self, school: str, day: int) -> DayCounts:
        heads = self._counting.of(school, day)
        return DayCounts(
            school_id=school,
            date=date.fromordinal(day),
            absent=heads.absent,
            reported=heads.seen,
            expected=self._district.expected(school, day),
        )

    def _now(self) -> datetime:
        return datetime.combine(date.fromordinal(self._day), time(23), UTC)

    def _place(self, child: Child) -> int:
        return zlib.crc32((child.household or child.name).encode()) % len(self.partitions)

    def _to(self, child: Child, topic: str, value: bytes | None) -> None:
        self._feed(self._place(child), topic, self._pseudonym(child.name).encode(), value)

    def _pseudonym(self, name: str) -> str:
        """Another one after each erasure."""
        erased = self._erased[name]
        return f"{name}{_AGAIN}{erased}" if erased else name

    def _to_all(self, topic: str, value: bytes) -> None:
        for number in range(len(self.partitions)):
            self._feed(number, topic, b"", value)

    def _feed(self, number: int, topic: str, key: bytes, value: bytes | None) -> None:
        partition = self.partitions[number]
        place = records.Place(number, len(self.partitions))
        records.take(partition, place, topic, key, value, self._now().timestamp(), self._keys)
        while partition.touched and partition.evaluate():
            pass
        for student in list(partition.emitting):
            partition.emitted(student, len(student.pending))
        while partition.outbox:
            said = partition.outbox.pop(0)
            if isinstance(said, WeekCounted):
                self._feed(0, topics.RISK_WEEKS.name, b"", said.model_dump_json().encode())
            else:
                self._to_all(topics.THRESHOLDS.name, said.model_dump_json().encode())


def child_of(pseudonym: str) -> str:
    """Whose it is."""
    return pseudonym.partition(_AGAIN)[0]


def _mark(student: str, row: Row) -> AttendanceMark:
    return AttendanceMark(
        student=student,
        school_id=row.school,
        date=date.fromordinal(row.day),
        status=row.status,
        excused=row.excused,
        section=row.section,
        recorded_at=row.recorded_at,
    )


def _consent(student: str, run: tuple[int, int]) -> bytes:
    first, last = run
    through = None if last == FOREVER else date.fromordinal(last)
    consent = Consent(student=student, valid_from=date.fromordinal(first), valid_through=through)
    return seal_event(CIPHERS[student], topics.CONSENTS, consent)


def _enrollment(student: str, child: Child, unshared: frozenset[str]) -> bytes:
    spans = [
        EnrollmentSpan(
            school_id="" if span.school in unshared else span.school,
            shared=span.school not in unshared,
            entry_date=date.fromordinal(span.entry),
            exit_date=None if span.exit == FOREVER else date.fromordinal(span.exit),
        )
        for span in child.seen(unshared)
    ]
    enrollment = Enrollment(student=student, spans=spans, household=child.household)
    return seal_event(CIPHERS[student], topics.ENROLLMENTS, enrollment)
