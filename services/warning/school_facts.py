"""What is known of a partition's schools: calendars, closes and head counts, and the shock days that follow."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from typing import Final

from models.engine.register import HISTORY, OF, OPEN, REPORTED
from models.policy import Policy
from models.school import School
from models.school_year import year_of
from models.shock import HeadCount
from services.contracts.reference import SchoolDay
from services.warning.changes import Changes
from services.warning.school_year import SchoolYear
from services.warning.student import NO_ROW, Student

_SILENT: Final = School()
"""One that has said nothing yet."""


class SchoolFacts:
    """The schools of a partition, and who is enrolled there; what they say touches the school years' columns."""

    def __init__(self, policy: Policy, years: dict[int, SchoolYear], changes: Changes) -> None:
        self.schools: dict[str, School] = {}
        self.recounted: set[str] = set()
        """Schools whose shock days may be others."""
        self._policy = policy
        self._years = years
        self._changes = changes
        self._at: defaultdict[str, set[Student]] = defaultdict(set)
        """By school: everybody with a span there."""

    def known(self, school_id: str) -> School:
        """What is known of a school; nothing, when it has said nothing."""
        return self.schools.get(school_id, _SILENT)

    def school(self, school_id: str) -> School:
        """What is known of a school, begun when it is new."""
        found = self.schools.get(school_id)
        if found is None:
            found = self.schools[school_id] = School()
        return found

    def students_at(self, school_id: str) -> Collection[Student]:
        """Everybody with a span there."""
        return self._at[school_id]

    def enter(self, student: Student) -> None:
        """A student has these spans now."""
        for span in student.spans:
            self._at[span.school].add(student)

    def leave(self, student: Student) -> None:
        """A student's spans are to be others."""
        for span in student.spans:
            self._at[span.school].discard(student)

    def take_counts(self, school_id: str, day: int, counts: HeadCount) -> None:
        """Take head counts of a school's day."""
        if self.school(school_id).set_counts(day, counts):
            self.recounted.add(school_id)
            self._changes.schools.add((school_id, day))

    def close(self, school_id: str, day: int, *, history: bool) -> bool:
        """A school has closed a day; whether that is news."""
        news = self.school(school_id).close(day, history=history)
        if news:
            self._changes.schools.add((school_id, day))
        return news

    def closed(self, school_id: str, day: int) -> None:
        """Make a column of a closed day: on it, who has no mark was present."""
        year = self._years.get(year_of(day))
        if year is not None:
            year.cohort.column(day)
            self._look_again(year, school_id, day)

    def take_school_day(self, fact: SchoolDay) -> None:
        """Take a calendar row."""
        if fact.instructional is None:
            return
        day, school = fact.date.toordinal(), self.school(fact.school_id)
        if fact.calendar is None:
            others = school.set_calendar(day, instructional=fact.instructional)
            self._assume(fact.school_id, assumed=fact.assumed)
        else:
            others = school.set_calendar_of(fact.calendar, day, instructional=fact.instructional)
        self._changes.schools.add((fact.school_id, day))
        if others is None:
            return
        self.recounted.add(fact.school_id)
        year = self._years.get(year_of(day))
        if year is not None:
            for each in list(year.cohort.register.days) if others else [day]:
                self._look_again(year, fact.school_id, each)

    def find_shocks(self) -> None:
        """Bring the schools' shock days up to date with what was said of them."""
        recounted, self.recounted = self.recounted, set()
        for school_id in recounted:
            for day in self.schools[school_id].find_shocks(self._policy.shock):
                year = self._years.get(year_of(day))
                if year is not None:
                    self._look_again(year, school_id, day)

    def state_of(self, school_id: str, day: int) -> tuple[int, bool]:
        """The state of a school's day, or that of one of its calendars, and whether it is a shock day."""
        school_id, _, calendar = school_id.partition(OF)
        school = self.known(school_id)
        if not school.is_instructional(day, calendar):
            return 0, False
        history = school.closed.get(day)
        state = OPEN if history is None else HISTORY if history else REPORTED
        return state, day in school.shocks

    def _assume(self, school_id: str, *, assumed: bool) -> None:
        """Whether the school's calendar is a guess: if it is, less is said there, so all is decided anew."""
        school = self.school(school_id)
        if school.assumed == assumed:
            return
        school.assumed = assumed
        self._changes.schools |= {(school_id, day) for day in school.days()}
        for year in self._years.values():
            year.cohort.register.assume(school_id, assumed=assumed)
            for student in self._at[school_id]:
                if student.row != NO_ROW and student.year == year.year:
                    year.cohort.forget_days(student.row)

    def _look_again(self, year: SchoolYear, school_id: str, day: int) -> None:
        """A day of a school may have another state now."""
        register = year.cohort.register
        if register.has(day):
            column = register.column(day)
            if register.look_up_all(register.number(school_id), column):
                rows = register.at_school(school_id, day)
                if len(rows):
                    year.cohort.touch(rows, column)
