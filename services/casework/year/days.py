"""What each day of a student's school year was: pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal

from models.attendance import EARLY_DEPARTURE, EXCUSED, PARTIAL, PRESENT, RETRACTED, TARDY, UNEXCUSED
from models.engagement.days import ReportedDays, SchoolDay
from models.enrollment import Segment

WhatDay = Literal["absent", "excused", "tardy", "early_departure", "present", "no_data", "not_shared", "no_school"]
ABSENT: Final = frozenset({"absent", "excused"})
ATTENDED: Final = frozenset({"present", "tardy", "early_departure"})
SATURDAY: Final = 5
RECENT: Final = 20
"""School days that are compared with those before them."""
_BY_CODE: Final[Mapping[int, WhatDay]] = {
    UNEXCUSED: "absent",
    EXCUSED: "excused",
    PARTIAL: "early_departure",
    EARLY_DEPARTURE: "early_departure",
    TARDY: "tardy",
    PRESENT: "present",
}


@dataclass(frozen=True, slots=True)
class YearDay:
    """A day, and at which school; no school where nothing is shared."""

    day: date
    what: WhatDay
    school: str | None


@dataclass(frozen=True, slots=True)
class UsualAbsence:
    """The last 20 school days with something known, against the days before them."""

    recent_days: int
    recent_absent: int
    before_days: int
    before_absent: int
    longest_run: int
    """Absences in a row, excused or not."""


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where a student was, and what of it may be shown: segments of one school each."""

    enrolled: Sequence[Segment]
    shared: Sequence[Segment]


def days_of(
    where: Whereabouts, codes: Mapping[SchoolDay, int], reported: ReportedDays, first: date, last: date
) -> list[YearDay]:
    """Each weekday from the first to the last, and each other day on which there was school."""
    known = {part: frozenset(reported.between(part)) for part in where.shared}
    found = []
    for day in _each(first, last):
        one = _day(day, where, codes, reported, known)
        if day.weekday() < SATURDAY or one.what not in {"no_school", "not_shared"}:
            found.append(one)
    return found


def usual_of(days: Sequence[YearDay]) -> UsualAbsence:
    """How the last school days compare with the student's own usual."""
    counting = [one for one in days if one.what in ABSENT | ATTENDED]
    recent, before = counting[-RECENT:], counting[:-RECENT]
    return UsualAbsence(len(recent), _absent(recent), len(before), _absent(before), _longest(counting))


def counts_of(days: Sequence[YearDay]) -> Counter[WhatDay]:
    """How many days were what."""
    return Counter(one.what for one in days)


def _day(
    day: date,
    where: Whereabouts,
    codes: Mapping[SchoolDay, int],
    reported: ReportedDays,
    known: Mapping[Segment, frozenset[date]],
) -> YearDay:
    part = _part(where.shared, day)
    if part is None or not part.school:
        enrolled = _part(where.enrolled, day)
        hidden = enrolled is not None and (not enrolled.school or reported.is_school_day(enrolled, day))
        return YearDay(day, "not_shared" if hidden else "no_school", None)
    if not reported.is_school_day(part, day):
        return YearDay(day, "no_school", part.school)
    code = codes.get((part.school, day), RETRACTED)
    if code in _BY_CODE:
        return YearDay(day, _BY_CODE[code], part.school)
    return YearDay(day, "present" if day in known[part] else "no_data", part.school)


def _part(parts: Sequence[Segment], day: date) -> Segment | None:
    ordinal = day.toordinal()
    return next((part for part in parts if part.first <= ordinal <= part.last), None)


def _absent(days: Sequence[YearDay]) -> int:
    return sum(one.what in ABSENT for one in days)


def _longest(days: Sequence[YearDay]) -> int:
    longest = run = 0
    for one in days:
        run = run + 1 if one.what in ABSENT else 0
        longest = max(longest, run)
    return longest


def _each(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(days=step) for step in range((last - first).days + 1))
