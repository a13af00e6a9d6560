"""Who lives together, among a partition's students."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from models.engine.scores import MOST_AT_HOME
from services.warning.school_year import SchoolYear
from services.warning.student import NO_ROW, Student


class Households:
    """Students by household."""

    def __init__(self) -> None:
        self._homes: defaultdict[str, set[Student]] = defaultdict(set)

    def enter(self, student: Student) -> None:
        """Take a student in."""
        if student.household is not None:
            self._homes[student.household].add(student)

    def leave(self, student: Student) -> None:
        """Take a student out, before the household changes."""
        if student.household is not None:
            self._homes[student.household].discard(student)

    def siblings(self, student: Student) -> set[Student]:
        """The other students of the household; none of one that is too large to be one."""
        home = self._home(student)
        return home - {student} if 1 < len(home) <= MOST_AT_HOME else set()

    def others(self, student: Student) -> set[Student]:
        """Who has, or with this student alone away would have, the student as a sibling."""
        home = self._home(student)
        return home - {student} if len(home) <= MOST_AT_HOME + 1 else set()

    def meet(self, years: Mapping[int, SchoolYear], students: Iterable[Student]) -> None:
        """Say anew who shares in these students' scores: siblings of the same school year with a consent in force."""
        for student in students:
            if student.row == NO_ROW:
                continue
            others = [
                sibling.row
                for sibling in self.siblings(student)
                if student.counts and sibling.counts and sibling.year == student.year and sibling.row != NO_ROW
            ]
            years[student.year].cohort.scores.siblings.set(student.row, sorted(others))

    def _home(self, student: Student) -> set[Student]:
        return self._homes[student.household] if student.household is not None else set()
