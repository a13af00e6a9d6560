"""What is kept beside attendance, kind by kind, in tables that a parent reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Final, NamedTuple

from services.ingest.inspection.schemas import HeldFeed, HeldRecord
from services.inspection import words
from services.inspection.parts import DASH, table_or
from services.inspection.words import Plain, day
from services.platform.page.elements import Element, tag

Value = bool | str | None
_Say = Callable[[str], str]


def _plain(value: str) -> str:
    return value


def _day(value: str) -> str:
    return day(date.fromisoformat(value))


class _Column(NamedTuple):
    title: str
    field: str
    say: _Say = _plain


class _Told(NamedTuple):
    """How the rows of a file are told."""

    title: str
    caption: str
    columns: Sequence[_Column]


TOLD: Final[Mapping[str, _Told]] = {
    "demographics": _Told(
        "Gender, race and ethnicity, English, special education",
        "From the district's list of students",
        (
            _Column("Gender", "gender"),
            _Column("Race and ethnicity", "race_ethnicity"),
            _Column("Learns English", "english_learner"),
            _Column("Has special education", "special_education"),
        ),
    ),
    "programs": _Told(
        "Programmes",
        "Programmes that the student took part in",
        (
            _Column("Programme", "program"),
            _Column("First day", "entry_date", _day),
            _Column("Last day", "exit_date", _day),
        ),
    ),
    "eligibility": _Told(
        "Programmes that were open to the student",
        "Programmes that the student could take part in",
        (
            _Column("Programme", "program"),
            _Column("From", "from_date", _day),
            _Column("To", "through", _day),
            _Column("Why", "reason"),
        ),
    ),
    "courses": _Told(
        "Courses",
        "Courses that the student was in",
        (
            _Column("Course", "course"),
            _Column("Title", "title"),
            _Column("Subject", "subject"),
            _Column("Level", "level", words.course_level),
            _Column("Term", "term"),
            _Column("First day", "start_date", _day),
            _Column("Last day", "end_date", _day),
        ),
    ),
    "grades": _Told(
        "Grades",
        "Grades in courses",
        (
            _Column("Course", "course"),
            _Column("Term", "term"),
            _Column("Grade", "grade"),
            _Column("Credits", "credits"),
        ),
    ),
    "assessments": _Told(
        "Tests",
        "What came out of tests",
        (
            _Column("Test", "assessment"),
            _Column("Day", "date", _day),
            _Column("Score", "scale_score"),
            _Column("Level reached", "performance_level"),
        ),
    ),
    "suspensions": _Told(
        "Suspensions",
        "Suspensions, by the day on which each began",
        (
            _Column("Day", "date", _day),
            _Column("School days", "days_out"),
            _Column("In school", "in_school"),
            _Column("The school's number of it", "action"),
        ),
    ),
    "graduations": _Told(
        "Graduation",
        "How school ended, or that it goes on",
        (
            _Column("Class of", "cohort_year", words.class_of),
            _Column("What is known", "status", words.graduation),
            _Column("Day", "date", _day),
        ),
    ),
}
"""By file, in the order in which they are told."""


def records_of(feed: HeldFeed, files: Iterable[str], plain: Plain) -> Iterable[Element]:
    """What is kept of a feed, a table for each of these files; what was corrected stands beside what replaced it."""
    for file in files:
        told = TOLD[file]
        rows = [_row(told, one, plain) for one in feed.records if one.file == file]
        head = (*(column.title for column in told.columns), "As of when", "Counts")
        yield tag("h3", told.title)
        yield table_or(told.caption, head, rows, "None is kept.")


def _row(told: _Told, one: HeldRecord, plain: Plain) -> Sequence[str]:
    counts = "counts" if one.until is None else f"corrected or taken back {plain.moment(one.until)}"
    return *(_cell(column, one.says.get(column.field)) for column in told.columns), plain.moment(one.said_at), counts


def _cell(column: _Column, value: Value) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return DASH if value is None or value == "" else column.say(value)
