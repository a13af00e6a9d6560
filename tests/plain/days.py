"""The days of a student's school year that count: one mark each, at one school."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import NamedTuple

from models.shock import ShockRule
from tests.plain.facts import Child, Row, SchoolFacts, Stay

BEFORE_ALL = datetime.min.replace(tzinfo=UTC)
GRAVITY = ("retracted", "present", "early_departure", "tardy", "partial", "absent")
"""At one moment the later of these wins."""
KINDS = {"tardy": "late", "early_departure": "left", "partial": "left"}
CODES = {"present": "P", "tardy": "T", "early_departure": "D", "partial": "Q"}


class Day(NamedTuple):
    """A day that counts for the student, or one that is not shared."""

    day: date
    school: str
    status: str
    excused: bool = False
    shock: bool = False
    step: bool = True
    """Levels are decided on it: it is not inside an imported history."""
    assumed: bool = False
    """The school's calendar is a guess."""
    shared: bool = True

    @property
    def absent(self) -> bool:
        """For any reason."""
        return self.status == "absent"

    @property
    def neutral(self) -> bool:
        """Neither for nor against, in all rules but the 10% and 20% ones."""
        return self.shock or (self.absent and self.excused)

    @property
    def bad(self) -> bool:
        """An absence that the other rules count."""
        return self.absent and not self.neutral

    @property
    def code(self) -> str:
        """One letter: present, tardy, dismissed, partial (Q), excused, unexcused."""
        return CODES.get(self.status) or ("E" if self.excused else "U")

    @property
    def kind(self) -> str:
        """What the model counts it as; a shock day is nothing to it."""
        if self.shock or self.status == "present":
            return ""
        if self.absent:
            return "excused" if self.excused else "unexcused"
        return KINDS[self.status]


def merged(rows: Iterable[Row], school: str, day: date) -> tuple[str, bool] | None:
    """The one mark (status, excused) that a school's rows of a date make, or None without any."""
    sections: dict[str, list[Row]] = {}
    for row in rows:
        if row.school == school and row.day == day:
            sections.setdefault(row.section or "", []).append(row)
    marks = [_winner(of_section) for of_section in sections.values()]
    marks = [mark for mark in marks if mark.status != "retracted"]
    if not marks:
        return None
    absent = [mark for mark in marks if mark.status == "absent"]
    if absent and Fraction(len(absent), len(marks)) >= Fraction(1, 2):
        return "absent", all(mark.excused for mark in absent)
    others = {mark.status for mark in marks} - {"present"}
    if not others:
        return "present", False
    return (others.pop(), False) if len(others) == 1 and not absent else ("partial", False)


def _winner(rows: Sequence[Row]) -> Row:
    """The later moment wins, one with a moment beats one without; else the gravest, unexcused before excused."""

    def weight(row: Row) -> tuple[datetime, int, bool]:
        return row.recorded_at or row.as_of or BEFORE_ALL, GRAVITY.index(row.status), not row.excused

    return max(rows, key=weight)


def stay_on(stays: Iterable[Stay], day: date) -> Stay | None:
    """Where the student counts on a day: at the school entered later, when enrolled at two."""
    held = [stay for stay in stays if stay.entry <= day and (stay.exit is None or day <= stay.exit)]
    return max(held, key=lambda stay: (stay.entry, stay.exit or date.max, stay.school)) if held else None


def dates(child: Child) -> list[date]:
    """The days of the school year with a consent in force."""
    if child.consent is None:
        return []
    first, last = child.consent
    day, end = max(date(child.year, 7, 1), first), min(date(child.year + 1, 6, 30), last or date.max)
    return [day + timedelta(days=n) for n in range((end - day).days + 1)]


def told_days(child: Child, schools: Mapping[str, SchoolFacts], rule: ShockRule) -> list[Day]:
    """The days that count, in order, and those among them that are not shared."""
    found = (_day(child, schools, day, rule) or _not_shared(child, schools, day) for day in dates(child))
    return [day for day in found if day is not None]


def shared(told: Iterable[Day]) -> list[Day]:
    """The days that count."""
    return [day for day in told if day.shared]


def _day(child: Child, schools: Mapping[str, SchoolFacts], day: date, rule: ShockRule) -> Day | None:
    stay = stay_on(child.stays, day)
    school = schools.get(stay.school) if stay is not None and stay.shared else None
    if stay is None or school is None or not school.instructional(day, stay.track):
        return None
    mark = merged(child.rows, stay.school, day)
    if mark is None and day in school.closed:
        mark = "present", False
    if mark is None:
        return None
    live = any(row.live for row in child.rows if row.day == day)
    step = live or (day in school.closed and day not in school.history)
    shock = school.shock(day, rule)
    return Day(day, stay.school, *mark, shock, step, school.assumed)


def _not_shared(child: Child, schools: Mapping[str, SchoolFacts], day: date) -> Day | None:
    """When there was school where nothing is shared is told by the shared school before it, else the one after it."""
    here = stay_on(child.stays, day)
    if here is None or here.shared:
        return None
    stays = [(other, stay) for other in dates(child) if (stay := stay_on(child.stays, other)) and stay.shared]
    before, after = [stay for other, stay in stays if other < day], [stay for other, stay in stays if other > day]
    telling = [*before[-1:], *after[:1]]
    school = schools.get(telling[0].school) if telling else None
    if school is None or day not in school.closed or not school.instructional(day, telling[0].track):
        return None
    return Day(day, here.school, "present", shared=False)
