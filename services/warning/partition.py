"""A partition's students and schools: what each record does to them, and the alerts that follow.

Pure: no Kafka, no clock. Facts mark what they touch; `evaluate` decides, once for many records. The order in which
records come changes nothing in the end.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from types import MappingProxyType

import numpy as np
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from models.arrays import Places
from models.attendance import SectionMark, with_mark
from models.capacity import DAYS_TO_SUNDAY
from models.engine.cohort import WeekStanding
from models.engine.levels import Strategy
from models.engine.marks import OneRow, Rows
from models.engine.register import NOT_SHARED
from models.enrollment import FOREVER, Segment, Span, segments
from models.policy import Policy
from models.school_year import first_day, last_day, year_of
from services.contracts.ids import Pseudonym
from services.contracts.reference import Consent, Enrollment, EnrollmentSpan
from services.contracts.risk import ThresholdSet, WeekCounted
from services.contracts.sealed import UnsealError, unseal
from services.platform.erasure.entry import Removed
from services.warning.alerts import Alerts
from services.warning.capacity import CapacityControl
from services.warning.changes import Changes
from services.warning.columns import MarkColumns, SingleMark
from services.warning.households import Households
from services.warning.school_facts import SchoolFacts
from services.warning.school_year import SchoolYear
from services.warning.sealing import TOPIC, Open
from services.warning.student import NO_ROW, NO_YEAR, Student
from services.warning.wire import DaysClosed, WeekClosed, head_count

DAYS_AHEAD = 31
"""A mark dated further ahead of its batch may be a slip of the year: it begins no school year by itself."""


class Partition:
    """The state of one partition."""

    def __init__(self, policy: Policy, capacity_control: CapacityControl | None = None) -> None:
        self.policy = policy
        self.students: dict[str, Student] = {}
        self.years: dict[int, SchoolYear] = {}
        self.capacity_control = capacity_control or CapacityControl(None, None)
        self.outbox: list[WeekCounted | ThresholdSet] = []
        """What is to be said of the week."""
        self.changes = Changes()
        self.school_facts = SchoolFacts(policy, self.years, self.changes)
        self.removals: dict[str, Removed] = {}
        """What was removed of erased students, by pseudonym, until that is written."""
        self.unreadable: dict[str, bytes] = {}
        """Students whose key is not known, and their heads as the table has them: nothing of theirs is taken."""
        self.homes = Households()
        self.alerts = Alerts(self.years, self.homes, self.capacity_control, self.changes)
        self._reached: dict[str, int] = {}
        """By school: the school year of its last close."""
        self._closed = False
        """Whether a day was closed since those who entered were last counted."""
        self._weeks: list[tuple[WeekClosed, int, int]] = []
        """Weeks to be counted when all before them is evaluated, with the partition's number and of how many."""
        self._caused_at: datetime | None = None

    @property
    def due(self) -> bool:
        """Whether evaluation must be completed before the next record: the capacity's places are counted here."""
        return self.capacity_control.steers and (self._closed or bool(self._weeks))

    @property
    def emitting(self) -> set[Student]:
        """Students with events that Kafka has not acknowledged yet."""
        return self.alerts.emitting

    @property
    def touched(self) -> bool:
        """Whether anything waits for evaluation."""
        return bool(
            self.school_facts.recounted
            or self.alerts.asked
            or self.due
            or any(year.cohort.touched for year in self.years.values())
        )

    def add(self, student: Student) -> None:
        """Take in a student read from the table."""
        self.students[student.pseudonym] = student
        self._enroll(student)
        self.alerts.add(student)

    def caused(self, taken_at: datetime) -> None:
        """A record was taken: what is evaluated next was caused no later."""
        self._caused_at = min(taken_at, self._caused_at or taken_at)

    def take_marks(self, marks: MarkColumns, taken_at: datetime) -> None:
        """Take a batch of marks."""
        if not len(marks.day):
            return
        horizon = taken_at.toordinal() + DAYS_AHEAD
        first, last = year_of(int(marks.day.min())), year_of(int(marks.day.max()))
        if first == last:
            self._take_marks_of(first, marks, horizon, taken_at)
            return
        years = np.array([year_of(day) for day in marks.day.tolist()])
        for year in dict.fromkeys(years.tolist()):
            self._take_marks_of(year, marks.at_places(np.flatnonzero(years == year)), horizon, taken_at)

    def take_mark(self, mark: SingleMark, taken_at: datetime) -> None:
        """Take one mark, as `take_marks` takes many: a live stream has one a record."""
        year = self.years.get(year_of(mark.day))
        row = year.rows.get(mark.student) if year is not None else None
        if year is None or row is None:
            self.take_marks(mark.columns(), taken_at)
            return
        live = not mark.history and mark.day > self.school_facts.school(mark.school).history_through
        number = year.cohort.register.number(mark.school)
        if year.marks.take_one(OneRow(row, mark.day, number, mark.section, mark.code, mark.moment, live)):
            year.note_one(row, mark.day)

    def take_closes(self, closed: DaysClosed) -> None:
        """Take closes: enrolled students without a mark of their own were present."""
        for close in closed.closes:
            if close.counts is not None:
                self.school_facts.take_counts(*head_count(close.counts))
            day = close.date.toordinal()
            if self.school_facts.close(close.school_id, day, history=close.history):
                self._begin_year(close.school_id, day, closed.taken_at)
                self.school_facts.closed(close.school_id, day)
        self._closed = True

    def take_enrollment(self, pseudonym: Pseudonym, enrollment: Enrollment, taken_at: datetime) -> None:
        """Take a student's enrollments."""
        student = self._student(pseudonym)
        before, household = self.homes.others(student), student.household
        self._leave_schools(student)
        student.household, student.grade, student.agency = enrollment.household, enrollment.grade, enrollment.agency
        student.spans = tuple(sorted(map(_span, enrollment.spans)))
        self._enroll(student)
        self._catch_up(student, taken_at)
        after = self.homes.others(student)
        if student.household != household:
            self.alerts.ask({student} | before | after)
            self.homes.meet(self.years, before | after)
            self._decide_households_anew({student} | before | after)

    def take_consent(self, pseudonym: Pseudonym, consent: Consent, taken_at: datetime) -> None:
        """Take a student's consent."""
        student = self._student(pseudonym)
        through = consent.valid_through.toordinal() if consent.valid_through else FOREVER
        student.consent = (consent.valid_from.toordinal(), through)
        self._catch_up(student, taken_at)

    def remove(self, pseudonym: Pseudonym) -> None:
        """Remove all of an erased student, and say nothing more of them; siblings are looked at without them.

        What was decided in the home before stands. `removals` has it until it is written.
        """
        student = self.students.pop(pseudonym, None)
        if student is None:
            if pseudonym in self.unreadable:
                self._remove_unreadable(pseudonym)
                self.note_removal(pseudonym)
            return
        others = self.homes.others(student)
        said = 0
        self.alerts.remove(student)
        self._leave_schools(student)
        if student.row != NO_ROW:
            year = self.years[student.year]
            said = int(np.count_nonzero(year.cohort.register.said[student.row]))
            year.leave(student)
        self.homes.meet(self.years, others)
        alerts = {old.id for old in student.emitted} | {event.alert_id.hex for event in student.pending}
        self.note_removal(pseudonym, {"warning.windows": 1, "warning.days": said, "warning.alerts": len(alerts)})
        self.changes.students.discard(student)

    def opens_unread(self, pseudonym: str, cipher: AESGCM) -> bool:
        """Whether what the table has of the student, unread, opens with the key that came since.

        If it does not, the key was made anew: what is there never opens again, and is let go of.
        """
        head = self.unreadable.get(pseudonym)
        if head is None:
            return False
        try:
            unseal(cipher, TOPIC, head)
        except UnsealError:
            self._remove_unreadable(pseudonym)
            return False
        return True

    def note_removal(self, pseudonym: str, removed: Removed = MappingProxyType({"warning.windows": 1})) -> None:
        """What the table has of an erased student is to be removed with the next write."""
        self.changes.gone.add(f"s|{pseudonym}")
        self.removals[pseudonym] = removed

    def close_week(self, closed: WeekClosed, *, number: int, partitions: int) -> bool:
        """Count the week, when there is a capacity to steer by; False when nothing is to be steered."""
        if self.capacity_control.steers:
            self._weeks.append((closed, number, partitions))
        return self.capacity_control.steers

    def take_count(self, counted: WeekCounted) -> None:
        """A partition has counted its week; the owner finds the thresholds when all have."""
        self.outbox += self.capacity_control.take_count(counted)

    def take_threshold(self, published: ThresholdSet) -> None:
        """Another threshold holds from a Monday on."""
        change = self.capacity_control.take_threshold(published)
        if change is not None:
            for year in self.years.values():
                year.cohort.threshold_changed(*change)

    def evaluate(self) -> bool:
        """Decide some of what the records meant; True while more remains. Events become `pending`."""
        self.school_facts.find_shocks()
        waiting = next((year for year in self.years.values() if year.cohort.touched), None)
        if waiting is not None:
            self.alerts.take_turned(waiting, waiting.cohort.evaluate()[0])
        if self.alerts.asked:
            assert self._caused_at is not None
            self.alerts.emit(self._caused_at)
        if any(year.cohort.touched for year in self.years.values()):
            return True
        self._count()
        self._caused_at = None
        return False

    def emitted(self, student: Student, events: int) -> None:
        """Kafka has acknowledged so many of the student's pending events, the first ones."""
        if self.students.get(student.pseudonym) is student:
            self.alerts.emitted(student, events)

    def take_changes(self) -> list[tuple[str, Open]]:
        """Keys and values, not sealed yet, of what must be written since the last call; None for what is gone."""
        return self.changes.drain(self.years, self.school_facts.schools, self.capacity_control, self.policy)

    def year(self, year: int) -> SchoolYear:
        """The columns of a school year, begun when it is new."""
        found = self.years.get(year)
        if found is None:
            strategy = Strategy(rules=True, model=self.capacity_control.capped)
            found = SchoolYear(self.policy, year, strategy, self.capacity_control.models, self.school_facts.state_of)
            if self.capacity_control.capped:
                found.levels.thresholds = self.capacity_control.thresholds
            self.years[year] = found
        return found

    def place(self, student: Student) -> None:
        """Bring where the student's days count up to date."""
        if student.row == NO_ROW:
            return
        year = self.years[student.year]
        found: tuple[Segment, ...] = ()
        if student.counts and student.consent is not None:
            first, last = student.consent
            found = segments(student.spans, max(first, first_day(year.year)), min(last, last_day(year.year)))
        for segment in found:
            school = self.school_facts.known(segment.school)
            year.know(segment.school, school.closed)
            year.cohort.register.assume(segment.school, assumed=school.assumed)
        year.belong(student, self.capacity_control.number(student.agency))
        year.place(student, found)
        self.homes.meet(self.years, {student} | self.homes.siblings(student))

    def take_ahead(self, student: Student) -> None:
        """Put in the marks that were kept for the student's school year, where nothing was said since."""
        for day, (rows, live) in (student.ahead or {}).items():
            if year_of(day) == student.year:
                year = self.years[student.year]
                column = year.cohort.column(day)
                if not year.cohort.register.said[student.row, column]:
                    year.marks.put(student.row, column, rows, live=live)
                    year.cohort.touch(student.row, column)
                    year.note(np.array([student.row]), [day])

    def decide_anew(self, student: Student) -> None:
        """Decide the student's levels anew, from the first day on."""
        self.years[student.year].cohort.forget_days(student.row)
        self.alerts.ask([student])

    def _take_marks_of(self, number: int, marks: MarkColumns, horizon: int, taken_at: datetime) -> None:
        year = self.years.get(number)
        known = year.rows if year is not None else {}
        rows = [known.get(student, NO_ROW) for student in marks.students]
        if NO_ROW in rows:
            rows = self._rows_of(number, marks, rows, horizon, taken_at)
        row = np.array(rows, np.intp)[marks.of]
        if NO_ROW in rows:
            ours = np.flatnonzero(row != NO_ROW)
            row, marks = row[ours], marks.at_places(ours)
        if len(row):
            self._take_rows(self.year(number), row, marks)

    def _rows_of(self, number: int, marks: MarkColumns, rows: list[int], horizon: int, taken_at: datetime) -> list[int]:
        """Rows of the students who have none in this school year yet; `NO_ROW` for those who do not reach it."""
        result = list(rows)
        for place in [place for place, row in enumerate(rows) if row == NO_ROW]:
            student = self._student(Pseudonym(marks.students[place]))
            theirs = np.flatnonzero(marks.of == place)
            days = marks.day[theirs]
            if (days <= horizon).any():
                self._reach(student, int(days.min()), taken_at)
            if student.year == number:
                result[place] = student.row
            elif student.year < number:
                self._keep_for_later(student, marks.at_places(theirs))
        return result

    def _take_rows(self, year: SchoolYear, row: Places, marks: MarkColumns) -> None:
        register = year.cohort.register
        numbers = np.array([register.number(school) for school in marks.schools], np.uint16)
        through = np.array([self.school_facts.school(school).history_through for school in marks.schools], np.int32)
        live = ~marks.history & (marks.day > through[marks.at])
        rows = Rows(row, marks.day, numbers[marks.at], marks.section, marks.code, marks.moment, live)
        changed = year.marks.take(rows)
        if changed.any():
            year.note(row[changed], marks.day[changed])

    def _keep_for_later(self, student: Student, marks: MarkColumns) -> None:
        ahead = student.ahead = student.ahead or {}
        for place, day in enumerate(marks.day.tolist()):
            school = marks.schools[marks.at[place]]
            section = marks.section[place] if marks.section is not None else ""
            live = not marks.history[place] and day > self.school_facts.school(school).history_through
            rows, was_live = ahead.get(day, ((), False))
            row = SectionMark(school, section, int(marks.code[place]), int(marks.moment[place]))
            ahead[day] = (with_mark(rows, row), was_live or live)
        self.changes.students.add(student)

    def _count(self) -> None:
        """At a close: who has entered since the last one; and the weeks that are over."""
        if not (self._closed or self._weeks):
            return
        self.alerts.count_entered()
        self._closed = False
        weeks, self._weeks = self._weeks, []
        for closed, number, partitions in weeks:
            self.outbox += self._count_week(closed, number, partitions)

    def _count_week(self, closed: WeekClosed, number: int, partitions: int) -> list[WeekCounted]:
        sunday = closed.week.toordinal() + DAYS_TO_SUNDAY
        standing: defaultdict[str | None, list[WeekStanding]] = defaultdict(list)
        for year in self.years.values():
            rows: defaultdict[str | None, list[int]] = defaultdict(list)
            for student in year.students:
                if student is not None and student.school_on(sunday) is not None:
                    rows[student.agency].append(student.row)
            for agency, theirs in rows.items():
                scored = np.array(theirs, np.intp)
                scored = scored[year.cohort.ledger.length[scored] > 0]
                if len(scored):
                    standing[agency].append(year.cohort.standing(scored, year.levels))
        return self.capacity_control.count(
            closed.week, standing, partition=number, partitions=partitions, token=closed.token
        )

    def _begin_year(self, school_id: str, day: int, taken_at: datetime) -> None:
        """A school's first close in a school year begins it for everybody with a span there."""
        year = year_of(day)
        if year > self._reached.get(school_id, NO_YEAR):
            self._reached[school_id] = year
            for student in list(self.school_facts.students_at(school_id)):
                self._reach(student, day, taken_at)

    def _reach(self, student: Student, day: int, taken_at: datetime) -> None:
        """Begin another school year when the day is in a later one than the student's."""
        number = year_of(day)
        if number <= student.year:
            return
        self.alerts.close_year(student, number, taken_at)
        if student.row != NO_ROW:
            self.years[student.year].leave(student)
        student.year = number
        self.year(number).enter(student)
        student.ahead = {day: said for day, said in (student.ahead or {}).items() if year_of(day) >= number} or None
        self.take_ahead(student)
        self.place(student)
        self.changes.students.add(student)

    def _catch_up(self, student: Student, taken_at: datetime) -> None:
        """Closes may have come before: the student's year is at least that of the schools' last report."""
        last = max((self.school_facts.known(span.school).last_reported() or 0 for span in student.spans), default=0)
        if last:
            self._reach(student, last, taken_at)
        self.place(student)
        self.changes.students.add(student)

    def _remove_unreadable(self, pseudonym: str) -> None:
        del self.unreadable[pseudonym]
        for year in self.years.values():
            year.drop_sealed(pseudonym)

    def _decide_households_anew(self, students: Iterable[Student]) -> None:
        """The scores of who lives together hang together."""
        for student in students:
            if student.row != NO_ROW and self.capacity_control.models:
                self.years[student.year].cohort.forget_days(student.row)

    def _enroll(self, student: Student) -> None:
        self.school_facts.enter(student)
        self.homes.enter(student)

    def _leave_schools(self, student: Student) -> None:
        self.school_facts.leave(student)
        self.homes.leave(student)

    def _student(self, pseudonym: Pseudonym) -> Student:
        student = self.students.get(pseudonym)
        if student is None:
            student = self.students[pseudonym] = Student(pseudonym)
        return student


def _span(span: EnrollmentSpan) -> Span:
    last = span.exit_date.toordinal() if span.exit_date else FOREVER
    school = span.school_id if span.shared else NOT_SHARED
    return Span(span.entry_date.toordinal(), last, school, span.calendar or "")
