"""Who lives together, among a partition's students."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from services.warning.school_year import SchoolYear
from services.warning.student import NO_ROW, Student


class Homes:
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
        """The other students of the household."""
        if student.household is None:
            return set()
        home = self._homes[student.household]
        return home - {student} if len(home) > 1 else set()

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
