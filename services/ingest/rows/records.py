"""The rows of what the agreement shares beside attendance; `parse_records` reads them.

`days` are the first and the last day that a row is about, both inclusive; None where it sets no end, or says nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final, Literal, NamedTuple

CourseLevel = Literal["regular", "honors", "advanced", "dual"]
GraduationStatus = Literal["graduated", "continuing", "dropped_out", "transferred"]


class RecordDays(NamedTuple):
    """The days that a row is about, both ends inclusive; None: no end is known."""

    first: date | None = None
    last: date | None = None


NO_DAYS: Final = RecordDays()


@dataclass(frozen=True, slots=True)
class DemographicsRow:
    """The demographic columns of a row of `students.csv`: measured by, and never a feature of the risk model."""

    student_id: str
    gender: str | None = None
    race_ethnicity: str | None = None
    english_learner: bool | None = None
    special_education: bool | None = None

    @property
    def days(self) -> RecordDays:
        """It holds for no certain days."""
        return NO_DAYS


def group_word(value: str | bool | None) -> str:
    """A value of demographics as the name of a group; empty when it is unknown."""
    return str(value).lower() if isinstance(value, bool) else value or ""


@dataclass(frozen=True, slots=True)
class ProgramRow:
    """A row of `programs.csv`: a student takes part in a programme, from entry to exit, both inclusive."""

    student_id: str
    program: str
    entry_date: date
    exit_date: date | None = None

    @property
    def days(self) -> RecordDays:
        """The days of taking part."""
        return RecordDays(self.entry_date, self.exit_date)


@dataclass(frozen=True, slots=True)
class EligibilityRow:
    """A row of `eligibility.csv`: a student could take part in a programme on these days, both inclusive."""

    student_id: str
    program: str
    from_date: date
    through: date | None = None
    reason: str | None = None

    @property
    def days(self) -> RecordDays:
        """The days on which the student could take part."""
        return RecordDays(self.from_date, self.through)


@dataclass(frozen=True, slots=True)
class TermRow:
    """A row of `terms.csv`, of no student: when a term is, and the best numeric grade in it (100, or 4.0)."""

    term: str
    start_date: date
    end_date: date
    grade_scale_max: Decimal | None = None


@dataclass(frozen=True, slots=True)
class CourseRow:
    """A row of `courses.csv`: a student is enrolled in a course of a term."""

    student_id: str
    course: str
    term: str = ""
    title: str | None = None
    subject: str | None = None
    level: CourseLevel | None = None
    start_date: date | None = None
    end_date: date | None = None

    @property
    def days(self) -> RecordDays:
        """The days in the course; where it gives none, its term's are meant."""
        return RecordDays(self.start_date, self.end_date)


@dataclass(frozen=True, slots=True)
class GradeRow:
    """A row of `grades.csv`: a mark in a course, for a term; a letter in capitals, or a number of the term's scale."""

    student_id: str
    course: str
    term: str
    grade: str
    credits: Decimal | None = None

    @property
    def days(self) -> RecordDays:
        """Its term's are meant."""
        return NO_DAYS


@dataclass(frozen=True, slots=True)
class AssessmentRow:
    """A row of `assessments.csv`: what came out of a test."""

    student_id: str
    assessment: str
    date: date
    scale_score: Decimal | None = None
    performance_level: str | None = None

    @property
    def days(self) -> RecordDays:
        """The day of the test."""
        return RecordDays(self.date, self.date)


@dataclass(frozen=True, slots=True)
class SuspensionRow:
    """A row of `suspensions.csv`: from this date for so many school days, in school or out of it."""

    student_id: str
    date: date
    days_out: Decimal | None = None
    in_school: bool | None = None
    action: str = ""
    """The source's id of it, where it has one: there may be several on one day."""

    @property
    def days(self) -> RecordDays:
        """The day on which it began."""
        return RecordDays(self.date, self.date)


@dataclass(frozen=True, slots=True)
class GraduationRow:
    """A row of `graduations.csv`: how school ended for a student of the cohort (the year of expected graduation)."""

    student_id: str
    cohort_year: int
    """0 when it is unknown."""
    status: GraduationStatus
    date: date | None = None

    @property
    def days(self) -> RecordDays:
        """All until the day on which it ended: a diploma is dated after the last day at school."""
        return RecordDays(None, self.date)


Record = (
    DemographicsRow | ProgramRow | EligibilityRow | CourseRow | GradeRow | AssessmentRow | SuspensionRow | GraduationRow
)
"""A row about one student."""
