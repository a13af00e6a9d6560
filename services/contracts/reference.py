"""What marks are read against: school days, enrollments and consents (compacted topics)."""

from __future__ import annotations

from datetime import date

from services.contracts.base import Event


class SchoolDay(Event):
    """`school.days.v1`, key `school_id|date` (`school_id|date|calendar` of a calendar), sent to every partition.

    `instructional` is None when the school gave no calendar for the date. `reported` says that the
    school has closed the date; windows take that from `DaysClosed`, which travels behind the marks.
    """

    school_id: str
    date: date
    instructional: bool | None = None
    reported: bool = False
    calendar: str | None = None
    """Of the students whose enrollment names this calendar alone; None: the school's own."""
    assumed: bool = False
    """A guess, for want of a calendar: nothing that needs one is said at the school."""


class EnrollmentSpan(Event):
    """Days enrolled at one school, both ends inclusive; no `exit_date` means still enrolled."""

    school_id: str
    entry_date: date
    exit_date: date | None = None
    calendar: str | None = None
    """The student's own calendar at the school; None: the school's."""
    shared: bool = True
    """Days that are not shared end a streak and count nowhere."""


class Enrollment(Event):
    """`enrollments.v1`, key the student's pseudonym: all spans known, replacing earlier ones."""

    student: str
    spans: list[EnrollmentSpan]
    grade: str | None = None
    household: str | None = None
    agency: str | None = None
    """Who gets what is found of the student; None in records from before there were several."""


class Consent(Event):
    """`consents.v1`, key the student's pseudonym; a tombstone when the student is erased.

    The unbroken run of days on which some consent covers the field set, purpose and recipient.
    """

    student: str
    valid_from: date
    valid_through: date | None = None
    """The last day in force, inclusive; None when no end is set."""
