"""Rows of what is shared beside attendance: what is read of each, and what is told of what cannot be used."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from services.ingest.rows import parse_records as parse
from services.ingest.rows.kinds import RECORD_TABLES
from services.ingest.rows.parse import RowError
from services.ingest.rows.records import GradeRow, RecordDays, SuspensionRow, TermRow


def grade(mark: object, **more: object) -> Any:
    return parse.parse_grade({"student_id": "S1", "course": "M7", "term": "T1", "grade": mark, **more})


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("b+", "B+"),
        (" A- ", "A-"),
        ("inc", "INC"),
        ("93.50", "93.5"),
        ("90", "90"),
        (88.5, "88.5"),
        (4, "4"),
        ("0", "0"),
    ],
)
def test_a_mark_is_a_letter_in_capitals_or_a_number_without_needless_zeros(written: object, kept: str) -> None:
    assert grade(written) == GradeRow("S1", "M7", "T1", kept)


@pytest.mark.parametrize("written", ["", None, "banana", "NaN", "inf", "-3", "1e3", "90%", "A B", "1001", True])
def test_what_is_no_mark_is_told_without_being_repeated(written: object) -> None:
    error = grade(written)
    assert isinstance(error, RowError)
    assert (error.field, "expected a letter such as A" in error.reason) == ("grade", True)
    assert str(written) not in error.reason or not written


@pytest.mark.parametrize(
    ("parse_row", "values", "field"),
    [
        (parse.parse_program, {"program": "P", "entry_date": "2016-09-02", "exit_date": "2016-09-01"}, "exit_date"),
        (parse.parse_eligibility, {"program": "P", "from": "2016-09-02", "through": "2016-09-01"}, "through"),
        (parse.parse_course, {"course": "C", "start_date": "2016-09-02", "end_date": "2016-09-01"}, "end_date"),
        (parse.parse_course, {"course": "C", "level": "college"}, "level"),
        (parse.parse_assessment, {"assessment": "T", "date": "2016-09-02", "scale_score": "high"}, "scale_score"),
        (parse.parse_suspension, {"date": "2016-09-02", "days": "400"}, "days"),
        (parse.parse_graduation, {"cohort_year": "16", "status": "graduated"}, "cohort_year"),
        (parse.parse_graduation, {"cohort_year": "2016", "status": "left"}, "status"),
        (parse.parse_demographics, {"english_learner": "perhaps"}, "english_learner"),
    ],
)
def test_the_field_that_is_wrong_is_named(parse_row: Any, values: dict[str, str], field: str) -> None:
    error = parse_row({"student_id": "S1", **values})
    assert isinstance(error, RowError)
    assert error.field == field
    assert error.reason.startswith(f"{field}: expected ")


@pytest.mark.parametrize("scale", ["0", "-1", "1001"])
def test_a_scale_ends_above_nought(scale: str) -> None:
    term = {"term": "T1", "start_date": "2016-09-01", "end_date": "2016-11-01", "grade_scale_max": scale}
    assert isinstance(parse.parse_term(term), RowError)
    assert parse.parse_term({**term, "grade_scale_max": "4.0"}) == TermRow(
        "T1", date(2016, 9, 1), date(2016, 11, 1), Decimal("4.0")
    )


def test_a_row_is_about_its_days() -> None:
    row = parse.parse_suspension({"student_id": "S1", "date": "2016-12-06", "days": "0.5", "in_school": "Y"})
    assert row == SuspensionRow("S1", date(2016, 12, 6), Decimal("0.5"), in_school=True)
    assert row.days == RecordDays(date(2016, 12, 6), date(2016, 12, 6))
    diploma = parse.parse_graduation({"student_id": "S1", "status": "graduated", "date": "2016-06-20"})
    assert not isinstance(diploma, RowError)
    assert diploma.days == RecordDays(None, date(2016, 6, 20))  # it is dated after the last day at school


@pytest.mark.parametrize("name", RECORD_TABLES)
def test_a_row_without_its_student_is_refused_by_every_table(name: str) -> None:
    error = RECORD_TABLES[name].parse(dict.fromkeys(RECORD_TABLES[name].columns, ""))
    assert isinstance(error, RowError)
    assert error.field in RECORD_TABLES[name].required
