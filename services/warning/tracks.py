"""The tracks of a partition's students: made and scored when they are asked for, siblings together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from models.policy import Policy
from models.reasons import Risk
from models.rules import Rules
from models.school import School
from models.scoring import Member, bring_up
from models.track import Track
from services.warning.roll import Roll
from services.warning.steering import Steering
from services.warning.student import Student


class Tracks:
    """Reads a partition's students, schools and thresholds; changes only the students' own tracks."""

    def __init__(self, policy: Policy, schools: Mapping[str, School], roll: Roll, steering: Steering) -> None:
        self._schools = schools
        self._roll = roll
        self._steering = steering
        self._rules = lru_cache(maxsize=8)(lambda year: Rules(policy, year))

    @property
    def risk(self) -> Risk | None:
        """The model in use, and the thresholds when there is a capacity."""
        return self._steering.risk

    @property
    def capped(self) -> bool:
        """Whether a capacity holds: elevated and urgent are its places."""
        return self.risk is not None and self.risk.thresholds is not None

    def rules(self, student: Student) -> Rules:
        """The rules of the student's school year."""
        return self._rules(student.year.year)

    def of(self, students: Sequence[Student]) -> list[Track]:
        """The tracks of students who count, all decided."""
        found = self.with_siblings(students)
        return [found[student] for student in students]

    def with_siblings(self, students: Iterable[Student]) -> dict[Student, Track]:
        """Their tracks, and with a model those of their siblings, who share in the score."""
        homes = {student: self._roll.counting_siblings(student) for student in students}
        if self.risk is not None:
            others = {sibling for siblings in homes.values() for sibling in siblings} - homes.keys()
            homes |= {student: self._roll.counting_siblings(student) for student in others}
        members = [Member(s.year, self.rules(s), [each.year for each in siblings]) for s, siblings in homes.items()]
        return dict(zip(homes, bring_up(members, self._schools, self.risk), strict=True))

    def current_school(self, student: Student) -> str | None:
        """The school of the last counted day, else the first to come; None when not enrolled."""
        if not student.counts or student.year.first_school() is None:
            return None
        return self.of([student])[0].totals.school or student.year.first_school()

    def has_school(self, student: Student, day: int) -> bool:
        """Whether the student is enrolled, with consent, at a school that is open on the day."""
        school_id = student.year.school_on(day)
        return school_id is not None and self._schools.get(school_id, School()).is_instructional(day)
