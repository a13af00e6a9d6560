"""A partition's students and schools: what each record does to them, and the alerts that follow.

Pure: no Kafka, no clock. Records are applied one by one and evaluated together; the order
in which records of different topics come changes nothing in the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import msgspec

from models.attendance import NO_TIME, SectionMark, code_of
from models.enrollment import FOREVER, Span
from models.episodes import Episode, episodes, standing, with_household
from models.policy import ELEVATED, WATCH, Policy
from models.school import School
from models.school_year import first_day, year_of
from models.shock import HeadCount
from models.track import Turn
from services.contracts.alerts import AlertEvent
from services.contracts.ids import Pseudonym
from services.contracts.reference import Consent, Enrollment, SchoolDay
from services.contracts.risk import ThresholdSet, WeekCounted
from services.warning.lifecycle import Subject, close_year, level_told, tell, withdraw_all
from services.warning.roll import Roll
from services.warning.steering import Steering
from services.warning.stored_school import dump_school
from services.warning.student import Student, dump
from services.warning.tracks import Tracks
from services.warning.wire import AttendanceMark, DayCounts, DaysClosed, MarkBatch, WeekClosed

DAYS_AHEAD = 31
"""A mark dated further ahead of its batch may be a slip of the year: it begins no school year by itself."""
SUNDAY = 6
"""Days from a Monday."""


class Partition:
    """The state of one partition. `changed_*` name what must be written to the table."""

    def __init__(self, policy: Policy, steering: Steering | None = None) -> None:
        self.schools: dict[str, School] = {}
        self.students: dict[str, Student] = {}
        self.changed_students: set[Student] = set()
        self.changed_schools: set[str] = set()
        self.telling: set[Student] = set()
        """Students with events that Kafka has not acknowledged yet."""
        self.steering = steering or Steering(None, None)
        self.outbox: list[WeekCounted | ThresholdSet] = []
        """What is to be said of the week."""
        self._policy = policy
        self._roll = Roll()
        self.tracks = Tracks(policy, self.schools, self._roll, self.steering)
        self.caused_at = datetime.fromtimestamp(0, UTC)
        """When ingest took the last record."""
        self._unsettled: set[Student] = set()
        self._asked: set[Student] = set()
        """Students whose alerts must be looked at again though their own days are the same: a sibling has changed."""
        self._holding: set[Student] = set()
        """Withdrawn students whose late marks are held until the day's close."""

    def add(self, student: Student) -> None:
        """Take in a student read from the table."""
        self.students[student.pseudonym] = student
        self._roll.enter(student)
        if student.pending:
            self.telling.add(student)
        if student.withdrawn and (student.year.marks or student.year.ahead):
            self._holding.add(student)

    def take_marks(self, batch: MarkBatch) -> None:
        """Take a batch of marks, and what ingest knew of the schools' days."""
        for counts in batch.counts:
            self._take_counts(counts)
        horizon = batch.taken_at.toordinal() + DAYS_AHEAD
        for mark in batch.marks:
            self._take_mark(mark, batch.taken_at, horizon)

    def take_closes(self, closed: DaysClosed) -> None:
        """Take closes: enrolled students without a mark of their own were present."""
        for close in closed.closes:
            if close.counts is not None:
                self._take_counts(close.counts)
            day = close.date.toordinal()
            if self._school(close.school_id).close(day, history=close.history):
                self.changed_schools.add(close.school_id)
                for student in self._roll.at_school(close.school_id):
                    if not student.year.has_decided(day):
                        self._reach(student, day, closed.taken_at)
                        self._look_again(student, day)
        self._purge_withdrawn()

    def take_school_day(self, fact: SchoolDay) -> None:
        """Take a calendar row."""
        if fact.instructional is None:
            return
        if self._school(fact.school_id).set_calendar(
            fact.date.toordinal(), self._policy.shock, instructional=fact.instructional
        ):
            for student in self._roll.at_school(fact.school_id):
                student.year.forget_track()
                self._unsettled.add(student)
        self.changed_schools.add(fact.school_id)

    def take_enrollment(self, pseudonym: Pseudonym, enrollment: Enrollment | None, taken_at: datetime) -> None:
        """Take a student's enrollments; None drops them."""
        student = self._student(pseudonym)
        before = self._roll.siblings(student)
        self._roll.leave(student)
        spans = enrollment.spans if enrollment else []
        student.household = enrollment.household if enrollment else None
        student.grade = enrollment.grade if enrollment else None
        student.year.set_spans(
            [
                Span(s.entry_date.toordinal(), s.exit_date.toordinal() if s.exit_date else FOREVER, s.school_id)
                for s in spans
            ]
        )
        self._roll.enter(student)
        after = self._roll.siblings(student)
        if after != before:
            self._asked |= {student} | before | after
        self._catch_up(student, taken_at)

    def take_consent(self, pseudonym: Pseudonym, consent: Consent | None, taken_at: datetime) -> None:
        """Take a student's consent; a tombstone (None) removes the window and withdraws open alerts."""
        student = self._student(pseudonym)
        if consent is None:
            self._say(student, withdraw_all(student.told, self._subject(student, taken_at)))
            student.forget()
            self.changed_students.add(student)
            self._asked |= self._roll.siblings(student)
            return
        student.withdrawn = False
        through = consent.valid_through.toordinal() if consent.valid_through else None
        student.year.set_consent(consent.valid_from.toordinal(), through)
        self._catch_up(student, taken_at)

    def close_week(self, closed: WeekClosed, *, number: int, partitions: int) -> bool:
        """Count the week, when there is a capacity to steer by; False when nothing is to be steered."""
        if not self.steering.steers:
            return False
        self.evaluate()
        students = [s for s in self.students.values() if s.year.school_on(closed.week.toordinal() + SUNDAY) is not None]
        tracks = self.tracks.of(students)
        self.outbox.append(
            self.steering.count(
                closed.week,
                [standing(track) for track in tracks if track.logits],
                partition=number,
                partitions=partitions,
                token=closed.token,
            )
        )
        return True

    def take_count(self, counted: WeekCounted) -> None:
        """A partition has counted its week; the owner finds the threshold when all have."""
        found = self.steering.take_count(counted)
        if found is not None:
            self.outbox.append(found)

    def take_threshold(self, told: ThresholdSet) -> None:
        """Another threshold holds from a Monday on."""
        first = self.steering.take_threshold(told)
        if first is None:
            return
        for student in self.students.values():
            if student.year.decide_again(first):
                self._unsettled.add(student)

    @property
    def due(self) -> bool:
        """Whether evaluation must be completed before the next record is applied."""
        return False

    @property
    def touched(self) -> bool:
        """Whether something waits for evaluation."""
        return bool(self._unsettled or self._asked)

    def evaluate(self) -> bool:
        """Decide what the records applied since the last call mean for alerts; True while more remains."""
        self._settle(self.caused_at)
        return False

    def take_changes(self) -> list[tuple[str, bytes | None]]:
        """What must be written since the last call, by key; marks of change are cleared."""
        changes: list[tuple[str, bytes | None]] = [(f"s|{s.pseudonym}", dump(s)) for s in self.changed_students]
        changes += [(f"c|{name}", dump_school(self.schools[name])) for name in self.changed_schools]
        if self.steering.steers:
            changes.append(("r|", msgspec.msgpack.encode(self.steering.dump())))
        self.changed_students, self.changed_schools = set(), set()
        return changes

    def _settle(self, caused_at: datetime) -> None:
        asked, self._asked = self._asked, set()
        unsettled, self._unsettled = self._unsettled, set()
        students = [student for student in unsettled if student.counts]
        found = self.tracks.with_siblings(students)
        # A sibling's scores may have changed with these students' days: what is stored of them must follow.
        self.changed_students |= found.keys() - set(students)
        changed = self.changed_students & found.keys()
        self.changed_students |= {other for student in changed for other in self._roll.counting_siblings(student)}
        for student, track in found.items():
            turns = track.turns
            if not _same(turns, student.turns_told):
                first = student.turns_told is None and not turns and not student.told
                student.turns_told = tuple(turns)
                if not first:
                    asked |= {student} | self._roll.siblings(student)
        for student in asked:
            now, before = self._episodes(student), level_told(student.told)
            self._say(student, tell(student.told, now, self._subject(student, caused_at)))
            if before < ELEVATED <= level_told(student.told):
                self.steering.entered(student.year.year)

    def told(self, student: Student, events: int) -> None:
        """Kafka has acknowledged so many of the student's pending events, the first ones."""
        student.pending = student.pending[events:]
        if not student.pending:
            self.telling.discard(student)
        self.changed_students.add(student)

    def _take_mark(self, mark: AttendanceMark, taken_at: datetime, horizon: int) -> None:
        student = self._student(Pseudonym(mark.student))
        day = mark.date.toordinal()
        if day <= horizon:
            self._reach(student, day, taken_at)
        if year_of(day) < student.year.year:
            return
        school = self._school(mark.school_id)
        recorded_at = round(mark.recorded_at.timestamp() * 1_000_000) if mark.recorded_at else NO_TIME
        row = SectionMark(mark.school_id, mark.section or "", code_of(mark.status, mark.excused), recorded_at)
        live = not mark.history and day > school.history_through
        if student.year.take_mark(day, row, live=live):
            self.changed_students.add(student)
            self._unsettled.add(student)
            if student.withdrawn:
                self._holding.add(student)

    def _take_counts(self, counts: DayCounts) -> None:
        school = self._school(counts.school_id)
        head_count = HeadCount(counts.absent, counts.reported, counts.expected)
        flipped = school.set_counts(counts.date.toordinal(), head_count, self._policy.shock)
        self.changed_schools.add(counts.school_id)
        for day in flipped:
            for student in self._roll.at_school(counts.school_id):
                self._look_again(student, day)

    def _look_again(self, student: Student, day: int) -> None:
        student.year.look_again(day)
        self._unsettled.add(student)

    def _reach(self, student: Student, day: int, taken_at: datetime) -> None:
        """Begin another school year when the day is in a later one than the student's."""
        year = year_of(day)
        if year > student.year.year:
            subject = self._subject(student, taken_at)
            self._say(student, close_year(student.told, first_day(year), subject))
            student.told = []
            student.turns_told = None
            student.year.start_anew(year)
            self.changed_students.add(student)

    def _catch_up(self, student: Student, taken_at: datetime) -> None:
        """Closes may have come before: the student's year is at least that of the schools' last report."""
        schools = [self.schools[span.school] for span in student.year.spans if span.school in self.schools]
        last = max((school.last_reported() or 0 for school in schools), default=0)
        if last:
            self._reach(student, last, taken_at)
        self.changed_students.add(student)
        self._unsettled.add(student)

    def _purge_withdrawn(self) -> None:
        for student in self._holding:
            if student.withdrawn:
                student.forget()
                self.changed_students.add(student)
        self._holding.clear()

    def _episodes(self, student: Student) -> list[Episode]:
        own = episodes(self._turns(student))
        rule = self.tracks.rules(student).household
        if rule is None or not own:
            return own
        siblings = [e for sibling in self._roll.siblings(student) for e in episodes(self._turns(sibling))]
        return with_household(own, siblings, rule, lowest=ELEVATED if self.tracks.capped else WATCH)

    def _turns(self, student: Student) -> tuple[Turn, ...]:
        return tuple(self.tracks.of([student])[0].turns) if student.counts else ()

    def _say(self, student: Student, events: Iterable[AlertEvent]) -> None:
        before = len(student.pending)
        student.pending.extend(events)
        if len(student.pending) > before:
            self.telling.add(student)
            self.changed_students.add(student)

    def _subject(self, student: Student, caused_at: datetime) -> Subject:
        return Subject(
            student.pseudonym, student.household, self.tracks.current_school(student) or "", caused_at, student.last_seq
        )

    def _school(self, school_id: str) -> School:
        school = self.schools.get(school_id)
        if school is None:
            school = self.schools[school_id] = School()
        return school

    def _student(self, pseudonym: Pseudonym) -> Student:
        student = self.students.get(pseudonym)
        if student is None:
            student = self.students[pseudonym] = Student(pseudonym)
        return student


def _same(turns: Sequence[Turn], told: Sequence[Turn] | None) -> bool:
    """Whether these turns were told. Turns are added and taken back only at the end: the same last, the same all."""
    if told is None or len(turns) != len(told):
        return False
    return not turns or turns[-1] is told[-1] or tuple(turns) == told
