"""What is known of one student, of each kind of records that is shared with the reader."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class SchoolAttendance:
    """School days of a student, in any order."""

    enrolled: tuple[date, ...] = ()
    """Days that count: instructional, enrolled, consented, and reported by the school or marked."""
    absent: tuple[date, ...] = ()
    """Those of them with an absence, for any reason."""
    has_calendar: bool = True
    """Else which days count is assumed, and a rate of them says nothing."""


class Suspension(NamedTuple):
    """A suspension, whatever its kind."""

    began_on: date
    known_from: date
    """The first day on which it was known."""


@dataclass(frozen=True, slots=True)
class SuspensionsOnFile:
    """A student's suspensions, in any order."""

    suspensions: tuple[Suspension, ...] = ()
    handed_in: bool = True
    """Whether the district ever handed suspensions in: else none on file says nothing."""


@dataclass(frozen=True, slots=True)
class CourseMark:
    """A mark in a course, for a term."""

    course: str
    """The district's id of it: marks of one course are compared."""
    term: str
    mark: str
    """A letter in capitals, or a number of the term's scale."""
    known_from: date
    """The first day on which it was known."""
    title: str | None = None
    subject: str | None = None
    scale_max: Decimal | None = None
    """The best number; None: it is not known."""
    first: date | None = None
    last: date | None = None
    """The term's days, both inclusive; None when they are not known."""


@dataclass(frozen=True, slots=True)
class EngagementFacts:
    """All that engagement is judged by; None in the place of a kind: it is not shared with the reader."""

    attendance: SchoolAttendance | None
    suspensions: SuspensionsOnFile | None
    marks: tuple[CourseMark, ...] | None
    """In any order; one of a course and term."""
