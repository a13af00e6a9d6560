"""How the rows of what the agreement shares beside attendance are read: CSV strings and JSON values alike.

A function returns the row, or a `RowError` whose reason is safe to show: it holds nothing of what was given.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from functools import lru_cache
from typing import Final, TypeVar, get_args

from services.ingest.rows import fields
from services.ingest.rows.fields import FieldError, Values
from services.ingest.rows.parse import RowError
from services.ingest.rows.records import (
    AssessmentRow,
    CourseLevel,
    CourseRow,
    DemographicsRow,
    EligibilityRow,
    GradeRow,
    GraduationRow,
    GraduationStatus,
    ProgramRow,
    SuspensionRow,
    TermRow,
)

_WORDS: Final = 200
_A_MARK: Final = "a letter such as A, B+ or INC, or a number of the term's scale"
_GRADE: Final = re.compile(r"[A-Z]{1,3}[+-]?")
_NO_NUMBERS: Final = frozenset({"NAN", "INF"})
"""As some programs write a number that is none."""
_MOST_GRADE: Final = 1_000
_MOST_CREDITS: Final = 100
_MOST_SCORE: Final = 100_000
_MOST_DAYS: Final = 366
_LEVELS: Final[dict[str, CourseLevel]] = {one: one for one in get_args(CourseLevel)}
_STATUSES: Final[dict[str, GraduationStatus]] = {one: one for one in get_args(GraduationStatus)}

RowT = TypeVar("RowT")
Parse = Callable[[Values], RowT | RowError]


def _reading(make: Callable[[Values], RowT]) -> Parse[RowT]:
    """The row, or what is wrong with it."""

    def parse(values: Values) -> RowT | RowError:
        try:
            return make(values)
        except FieldError as error:
            return RowError.of(error)

    return parse


def _demographics(values: Values) -> DemographicsRow:
    return DemographicsRow(
        student_id=fields.required_id(values, "student_id"),
        gender=fields.optional_words(values, "gender", _WORDS),
        race_ethnicity=fields.optional_words(values, "race_ethnicity", _WORDS),
        english_learner=fields.optional_flag(values, "english_learner"),
        special_education=fields.optional_flag(values, "special_education"),
    )


def _program(values: Values) -> ProgramRow:
    entry, exit_ = fields.required_date(values, "entry_date"), fields.optional_date(values, "exit_date")
    _in_order("exit_date", "entry_date", entry, exit_)
    return ProgramRow(
        student_id=fields.required_id(values, "student_id"),
        program=fields.required_words(values, "program", _WORDS),
        entry_date=entry,
        exit_date=exit_,
    )


def _eligibility(values: Values) -> EligibilityRow:
    first, last = fields.required_date(values, "from"), fields.optional_date(values, "through")
    _in_order("through", "from", first, last)
    return EligibilityRow(
        student_id=fields.required_id(values, "student_id"),
        program=fields.required_words(values, "program", _WORDS),
        from_date=first,
        through=last,
        reason=fields.optional_words(values, "reason", _WORDS),
    )


def _term(values: Values) -> TermRow:
    start, end = fields.required_date(values, "start_date"), fields.required_date(values, "end_date")
    _in_order("end_date", "start_date", start, end)
    return TermRow(
        term=fields.required_words(values, "term", _WORDS),
        start_date=start,
        end_date=end,
        grade_scale_max=fields.optional_positive(values, "grade_scale_max", _MOST_GRADE),
    )


def _course(values: Values) -> CourseRow:
    start, end = fields.optional_date(values, "start_date"), fields.optional_date(values, "end_date")
    if start is not None:
        _in_order("end_date", "start_date", start, end)
    return CourseRow(
        student_id=fields.required_id(values, "student_id"),
        course=fields.required_words(values, "course", _WORDS),
        term=fields.optional_words(values, "term", _WORDS) or "",
        title=fields.optional_words(values, "title", _WORDS),
        subject=fields.optional_words(values, "subject", _WORDS),
        level=fields.optional_choice(values, "level", _LEVELS),
        start_date=start,
        end_date=end,
    )


def _grade(values: Values) -> GradeRow:
    return GradeRow(
        student_id=fields.required_id(values, "student_id"),
        course=fields.required_words(values, "course", _WORDS),
        term=fields.required_words(values, "term", _WORDS),
        grade=_mark(values),
        credits=fields.optional_number(values, "credits", _MOST_CREDITS),
    )


def _assessment(values: Values) -> AssessmentRow:
    return AssessmentRow(
        student_id=fields.required_id(values, "student_id"),
        assessment=fields.required_words(values, "assessment", _WORDS),
        date=fields.required_date(values, "date"),
        scale_score=fields.optional_number(values, "scale_score", _MOST_SCORE),
        performance_level=fields.optional_words(values, "performance_level", _WORDS),
    )


def _suspension(values: Values) -> SuspensionRow:
    return SuspensionRow(
        student_id=fields.required_id(values, "student_id"),
        date=fields.required_date(values, "date"),
        days_out=fields.optional_number(values, "days", _MOST_DAYS),
        in_school=fields.optional_flag(values, "in_school"),
    )


def _graduation(values: Values) -> GraduationRow:
    return GraduationRow(
        student_id=fields.required_id(values, "student_id"),
        cohort_year=fields.optional_year(values, "cohort_year") or 0,
        status=fields.required_choice(values, "status", _STATUSES),
        date=fields.optional_date(values, "date"),
    )


parse_demographics: Final = _reading(_demographics)
parse_program: Final = _reading(_program)
parse_eligibility: Final = _reading(_eligibility)
parse_term: Final = _reading(_term)
parse_course: Final = _reading(_course)
parse_grade: Final = _reading(_grade)
parse_assessment: Final = _reading(_assessment)
parse_suspension: Final = _reading(_suspension)
parse_graduation: Final = _reading(_graduation)


def _mark(values: Values) -> str:
    """A letter in capitals with its sign, or a number without needless zeros."""
    value = values.get("grade")
    text = str(value).strip() if isinstance(value, str | int | float) else ""
    mark = _plain_mark(text)
    if mark is None:
        raise FieldError("grade", _A_MARK, missing=not text)
    return mark


@lru_cache(maxsize=4096)
def _plain_mark(text: str) -> str | None:
    letters = text.upper()
    if _GRADE.fullmatch(letters) and letters not in _NO_NUMBERS:
        return letters
    try:
        number = fields.optional_number({"grade": text}, "grade", _MOST_GRADE)
    except FieldError:
        return None
    return None if number is None else fields.plain(number)


def _in_order(name: str, other: str, first: date, last: date | None) -> None:
    if last is not None and last < first:
        raise FieldError(name, f"{other} or a later day")
