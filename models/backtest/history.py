"""A district's school year as columns: what was handed in, and on which day it became known.

Days are proleptic ordinals (`date.toordinal()`); students, schools and households are positions.
"""

from __future__ import annotations

from dataclasses import dataclass

from models.arrays import Codes, Flags, Ints


@dataclass(frozen=True, slots=True)
class Runs:
    """Unbroken runs of days with a consent in force, one row each, by student then first day."""

    student: Ints
    first: Ints
    last: Ints
    """Inclusive; `models.enrollment.FOREVER` when no end is set."""


@dataclass(frozen=True, slots=True)
class Spans:
    """Enrollment spans, both ends inclusive, of students who ever consented."""

    student: Ints
    school: Ints
    entry: Ints
    exit: Ints
    """`models.enrollment.FOREVER` when no end is set."""
    calendar: tuple[str, ...] | None = None
    """Which calendar of the school each follows, empty for the school's; None when all follow that."""


@dataclass(frozen=True, slots=True)
class DayMarks:
    """What a student-day came to, each time it changed, by `known_on`.

    One row per (student, school, day, known_on): the one code (`models.attendance.day_code`) that all rows handed in
    on or before `known_on`, while a consent was in force, make together.
    """

    known_on: Ints
    """The day of handing in: the school-local date of `recorded_at`, never before the marked day."""
    student: Ints
    school: Ints
    day: Ints
    code: Codes


@dataclass(frozen=True, slots=True)
class Counts:
    """Head counts over all students, consented or not, each time they changed, by `known_on`."""

    known_on: Ints
    school: Ints
    day: Ints
    absent: Ints
    """Students of whom any row handed in so far said absent; a later correction takes nobody out."""
    seen: Ints
    """Students of whom any row was handed in so far."""
    expected: Ints
    """Students enrolled on the day."""


@dataclass(frozen=True, slots=True)
class Closes:
    """Days that became closed, by `known_on`: a reported date and every instructional day before it."""

    known_on: Ints
    school: Ints
    day: Ints
    expected: Ints
    """Students enrolled on the day."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """The calendar's rows; a school without any is open on the weekdays that it reports."""

    school: Ints
    day: Ints
    instructional: Flags


@dataclass(frozen=True, slots=True)
class History:
    """One school year of a district. Only students who ever had a consent in force are in it."""

    student_ids: tuple[str, ...]
    schools: tuple[str, ...]
    household: Ints
    """Per student; one without a household id has one of their own."""
    groups: dict[str, tuple[str, ...]]
    """Per group (gender, race_ethnicity, english_learner, special_education): each student's value, empty unknown."""
    runs: Runs
    spans: Spans
    calendar: Calendar
    marks: DayMarks
    counts: Counts
    closes: Closes
    identified_student: Ints
    identified_day: Ints
    """Every `homelessness_identified` of these students."""
    rows: int
    """Attendance rows read, consented or not."""
    followed: tuple[tuple[int, str, int, bool], ...] = ()
    """Days of calendars that only some students follow: school, calendar, day, and whether it is instructional."""
    assumed: frozenset[int] = frozenset()
    """Schools whose calendar is assumed: nothing that needs one is said there."""
    unshared: Spans | None = None
    """When these students were enrolled where nothing is shared; `school` says nothing. No day of `spans` is in it."""
