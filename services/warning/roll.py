"""Who is at which school, and who lives together, among a partition's students."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from services.warning.student import Student


class Roll:
    """Students by their schools (all of the year's spans) and households."""

    def __init__(self) -> None:
        self._at_school: defaultdict[str, set[Student]] = defaultdict(set)
        self._households: defaultdict[str, set[Student]] = defaultdict(set)

    def enter(self, student: Student) -> None:
        """Take a student in."""
        for found in self._of(student):
            found.add(student)

    def leave(self, student: Student) -> None:
        """Take a student out, before spans or household change."""
        for found in self._of(student):
            found.discard(student)

    def at_school(self, school_id: str) -> set[Student]:
        """Everybody with a span at the school."""
        return self._at_school[school_id]

    def siblings(self, student: Student) -> set[Student]:
        """The other students of the household."""
        if student.household is None:
            return set()
        home = self._households[student.household]
        return home - {student} if len(home) > 1 else set()

    def counting_siblings(self, student: Student) -> list[Student]:
        """Those of them in the same school year whose consent is in force."""
        year = student.year.year
        return [sibling for sibling in self.siblings(student) if sibling.counts and sibling.year.year == year]

    def _of(self, student: Student) -> Iterable[set[Student]]:
        yield from (self._at_school[span.school] for span in student.year.spans)
        if student.household is not None:
            yield self._households[student.household]
