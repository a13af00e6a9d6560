"""The alerts of a partition: put in words when a level turns, emitted by the difference to what was emitted last."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from models.engine.cohort import Turned
from models.engine.episodes import Episode, Turn, episodes, with_household
from models.engine.reasons import Course, put_in_words
from models.engine.register import NOT_SHARED
from models.policy import ELEVATED, WATCH
from models.school_year import first_day
from services.contracts.alerts import AlertEvent
from services.warning.capacity import CapacityControl
from services.warning.changes import Changes
from services.warning.households import Households
from services.warning.lifecycle import Subject, close_year, emit, emitted_level
from services.warning.school_year import SchoolYear
from services.warning.student import NO_ROW, Student


class Alerts:
    """Reads the partition's columns and homes; changes what was emitted of students."""

    def __init__(
        self, years: Mapping[int, SchoolYear], homes: Households, capacity_control: CapacityControl, changes: Changes
    ) -> None:
        self._years = years
        self._homes = homes
        self._capacity_control = capacity_control
        self._changes = changes
        self.emitting: set[Student] = set()
        """Students with events that Kafka has not acknowledged yet."""
        self._asked: set[Student] = set()
        """Students whose alerts must be looked at: their levels turned, or a sibling's."""
        self._moved: set[Student] = set()
        """Students whose emitted level is another than at the last close."""

    @property
    def asked(self) -> bool:
        """Whether anybody's alerts must be looked at."""
        return bool(self._asked)

    def add(self, student: Student) -> None:
        """Take in a student read from the table."""
        if student.pending:
            self.emitting.add(student)
        if emitted_level(student.emitted) != student.level_at_close:
            self._moved.add(student)

    def ask(self, students: Iterable[Student]) -> None:
        """These students' alerts may be others."""
        self._asked.update(students)

    def take_turned(self, year: SchoolYear, turned: Turned) -> None:
        """Put in words what turned of a school year's rows."""
        for row in year.levels.take_noted():
            student = year.students[row]
            if student is not None:
                self._changes.students.add(student)
        students = [(student, row) for row in turned if (student := year.students[row]) is not None]
        courses: list[Course] = []
        for student, row in students:
            known = student.turns or []
            kept = sum(change.position < turned[row] for change in student.changes[: len(known)])
            student.changes = year.levels.changes(row)
            courses.append((row, student.changes, known[:kept]))
        words = put_in_words(year.cohort, courses, capped=self._capacity_control.capped)
        for (student, _), turns in zip(students, words, strict=True):
            student.turns = turns
            self._asked |= {student} | self._homes.siblings(student)

    def emit(self, caused_at: datetime) -> None:
        """Say what is to be said of those whose alerts must be looked at; the events become `pending`."""
        asked, self._asked = self._asked, set()
        for student in asked:
            self._say(student, emit(student.emitted, self.episodes(student), self._subject(student, caused_at)))

    def remove(self, student: Student) -> None:
        """Say nothing more of a student who is erased, also not what was pending; look at the siblings'."""
        for students in (self.emitting, self._asked, self._moved):
            students.discard(student)
        self._asked |= self._homes.siblings(student)

    def close_year(self, student: Student, year: int, caused_at: datetime) -> None:
        """Clear every open alert at the start of another school year."""
        self._say(student, close_year(student.emitted, first_day(year), self._subject(student, caused_at)))
        student.emitted, student.changes, student.turns = [], [], None
        self._moved.add(student)

    def emitted(self, student: Student, events: int) -> None:
        """Kafka has acknowledged so many of the student's pending events, the first ones."""
        student.pending = student.pending[events:]
        if not student.pending:
            self.emitting.discard(student)
        self._changes.students.add(student)

    def count_entered(self) -> None:
        """At a close: count who has entered elevated or urgent since the last one."""
        for student in self._moved:
            level = emitted_level(student.emitted)
            if student.level_at_close < ELEVATED <= level:
                self._capacity_control.entered(student.agency, student.year)
            if level != student.level_at_close:
                student.level_at_close = level
                self._changes.students.add(student)
        self._moved.clear()

    def episodes(self, student: Student) -> list[Episode]:
        """The student's alerts as they stand, the household's rule on top."""
        own = episodes(self.turns(student))
        if not own or student.row == NO_ROW:
            return own
        rule = self._years[student.year].cohort.rules.household
        if rule is None:
            return own
        siblings = [e for sibling in self._homes.siblings(student) for e in episodes(self.turns(sibling))]
        return with_household(own, siblings, rule, lowest=ELEVATED if self._capacity_control.capped else WATCH)

    def turns(self, student: Student) -> list[Turn]:
        """Every change of the student's own level, in words."""
        if not student.counts or student.row == NO_ROW:
            return []
        if student.turns is None:
            year = self._years[student.year]
            student.changes = year.levels.changes(student.row)
            course: Course = (student.row, student.changes, [])
            (student.turns,) = put_in_words(year.cohort, [course], capped=self._capacity_control.capped)
        return student.turns

    def current_school(self, student: Student) -> str | None:
        """The school of the last counted day, else the first to come; None when not enrolled."""
        if not student.counts or not student.segments:
            return None
        cohort = self._years[student.year].cohort
        shared = [segment.school for segment in student.segments if segment.school != NOT_SHARED]
        return cohort.register.names[cohort.ledger.school[student.row]] or next(iter(shared), None)

    def _say(self, student: Student, events: Iterable[AlertEvent]) -> None:
        before = len(student.pending)
        student.pending.extend(events)
        if len(student.pending) > before:
            self.emitting.add(student)
            self._changes.students.add(student)
            self._moved.add(student)

    def _subject(self, student: Student, caused_at: datetime) -> Subject:
        school = self.current_school(student) or ""
        unshared = any(segment.school == NOT_SHARED for segment in student.segments)
        return Subject(student.pseudonym, student.household, school, caused_at, student.agency, unshared)
