from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from services.ingest.rows import parse
from services.ingest.rows.parse import ConsentRow, EnrollmentRow, MarkRow, RowError, SchoolDayRow, SchoolRow, StudentRow

MARK = {"student_id": "S1", "school_id": "dearborn", "date": "2016-12-01", "status": "absent"}


def test_a_mark_of_csv_strings_and_one_of_json_values_are_the_same():
    text = {**MARK, "excused": "Yes", "section_id": "", "minutes_missed": "30", "recorded_at": "2016-12-01T08:15:00"}
    json = {**MARK, "excused": True, "section_id": None, "minutes_missed": 30, "recorded_at": "2016-12-01T08:15:00"}

    assert parse.parse_mark(text) == parse.parse_mark(json)
    assert parse.parse_mark(text) == MarkRow(
        "S1",
        "dearborn",
        date(2016, 12, 1),
        "absent",
        excused=True,
        minutes_missed=30,
        recorded_at=datetime.fromisoformat("2016-12-01T08:15:00"),
    )


def test_empty_and_absent_fields_are_unknown():
    empty = {**MARK, "excused": " ", "section_id": " ", "minutes_missed": "", "reason": "", "recorded_at": " "}
    assert parse.parse_mark(empty) == parse.parse_mark(MARK)


def test_a_json_number_is_an_id_as_its_digits():
    row = parse.parse_mark({**MARK, "student_id": 604821, "school_id": " 255901001 "})
    assert isinstance(row, MarkRow)
    assert (row.student_id, row.school_id) == ("604821", "255901001")


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("student_id", "", "missing"),
        ("student_id", ["S1"], "printable"),
        ("student_id", 1.5, "printable"),
        ("student_id", True, "printable"),
        ("student_id", 10**70, "printable"),
        ("student_id", "x" * 65, "printable"),
        ("student_id", "a\tb", "printable"),
        ("student_id", "a\u200bb", "printable"),
        ("student_id", "a\udc80", "printable"),
        ("school_id", None, "missing"),
        ("date", "12/01/2016", "YYYY-MM-DD"),
        ("date", "20161201", "YYYY-MM-DD"),
        ("date", "2016-W48-4", "YYYY-MM-DD"),
        ("date", "2016-02-30", "YYYY-MM-DD"),
        ("date", "1999-12-31", "2000"),
        ("date", 20161201, "YYYY-MM-DD"),
        ("date", " ", "missing"),
        ("status", "sick", "expected one of present, absent, tardy, early_departure, partial"),
        ("status", {}, "expected one of present"),
        ("status", "", "missing"),
        ("excused", "maybe", "true or false"),
        ("excused", 2, "true or false"),
        ("excused", [], "true or false"),
        ("minutes_missed", "-5", "0 to 1440"),
        ("minutes_missed", "1441", "0 to 1440"),
        ("minutes_missed", "9" * 5000, "0 to 1440"),
        ("minutes_missed", "\u0662", "0 to 1440"),
        ("minutes_missed", True, "0 to 1440"),
        ("recorded_at", "yesterday", "date and time"),
        ("recorded_at", "2016-12-01", "date and time"),
        ("recorded_at", "0001-01-01T00:00:00+23:59", "date and time"),
        ("event_id", {"id": 1}, "printable"),
    ],
)
def test_a_bad_field_is_named_with_what_is_expected(field, value, expected):
    error = parse.parse_mark({**MARK, field: value})

    assert isinstance(error, RowError)
    assert error.field == field
    assert error.reason.startswith(f"{field}: ")
    assert expected in error.reason


def test_no_reason_echoes_the_input():
    secret = "Zebulon-4711!"
    for read in (
        parse.parse_mark,
        parse.parse_consent,
        parse.parse_enrollment,
        parse.parse_school_day,
        parse.parse_school,
        parse.parse_student,
    ):
        base = {**MARK, "entry_date": "2016-09-01", "signed_on": "2016-09-01"}
        fields = {*base, "excused", "reported", "instructional", "exit_date", "timezone", "birth_date", "records"}
        for field in fields:
            for value in (secret * 20, [secret], f"{secret}\n"):
                found = read({**base, field: value})
                assert not isinstance(found, RowError) or secret not in found.reason


@pytest.mark.parametrize(
    ("given", "kept"), [("illness", "illness"), (" Weather ", "weather"), ("flu, says her mother", None), (7, None)]
)
def test_a_reason_is_kept_as_a_known_code_or_not_at_all(given, kept):
    row = parse.parse_mark({**MARK, "reason": given})
    assert isinstance(row, MarkRow)
    assert row.reason == kept


def test_a_moment_without_an_offset_stands_in_the_schools_timezone():
    zone = ZoneInfo("America/New_York")
    assert parse.to_utc(datetime.fromisoformat("2016-12-01T08:00"), zone) == datetime(2016, 12, 1, 13, tzinfo=UTC)
    elsewhere = datetime(2016, 12, 1, 8, tzinfo=timezone(timedelta(hours=1)))
    assert parse.to_utc(elsewhere, zone) == datetime(2016, 12, 1, 7, tzinfo=UTC)


CONSENT = {
    "student_id": "S1",
    "agreement_id": "A",
    "signed_by": "A. Guardian",
    "relationship": "guardian",
    "signed_on": "2016-09-01",
    "method": "paper",
    "records": "attendance; contact;",
    "purpose": "p",
    "recipients": "project-hope",
}


def test_lists_of_a_consent_come_with_semicolons_or_as_arrays():
    text = parse.parse_consent(CONSENT)
    array = parse.parse_consent({**CONSENT, "records": ["attendance", "contact"], "recipients": ["project-hope"]})

    assert text == array
    assert isinstance(text, ConsentRow)
    assert text.records == ("attendance", "contact")


@pytest.mark.parametrize("records", [5, {"a": 1}, [1], ["x" * 65], ["a"] * 101, "a\x00b"])
def test_a_list_that_is_none_is_an_error(records):
    error = parse.parse_consent({**CONSENT, "records": records})
    assert isinstance(error, RowError)
    assert error.field == "records"


@pytest.mark.parametrize("field", list(CONSENT))
def test_what_is_missing_of_a_consent_is_named(field):
    error = parse.parse_consent({**CONSENT, field: " "})
    assert isinstance(error, RowError)
    assert error.field == field
    assert error.reason.startswith(f"{field}: missing; expected ")


def test_a_relationship_is_one_of_three():
    own = parse.parse_consent({**CONSENT, "relationship": " Self ", "birth_date": "1998-09-01"})
    assert isinstance(own, ConsentRow)
    assert (own.relationship, own.birth_date) == ("self", date(1998, 9, 1))
    error = parse.parse_consent({**CONSENT, "relationship": "neighbour"})
    assert error == RowError("relationship", "relationship: expected one of parent, guardian, self")


def test_a_revocation_alone_needs_id_agreement_and_date():
    row = parse.parse_consent({"student_id": "S1", "agreement_id": "A", "revoked_on": "2017-01-05"})
    assert isinstance(row, ConsentRow)
    assert (row.signed_on, row.revoked_on) == (None, date(2017, 1, 5))
    for missing in ("student_id", "agreement_id"):
        error = parse.parse_consent(
            {"student_id": "S1", "agreement_id": "A", "revoked_on": "2017-01-05", missing: None}
        )
        assert isinstance(error, RowError)
        assert error.field == missing


def test_a_consent_of_which_something_is_missing_can_still_be_revoked():
    row = parse.parse_consent({**CONSENT, "method": "", "revoked_on": "2017-01-05"})
    assert isinstance(row, ConsentRow)
    assert (row.signed_on, row.revoked_on, row.recipients) == (None, date(2017, 1, 5), ("project-hope",))
    word = parse.parse_consent({**CONSENT, "relationship": "neighbour", "revoked_on": "2017-01-05"})
    assert isinstance(word, ConsentRow)
    assert word.signed_on is None
    both = parse.parse_consent({**CONSENT, "revoked_on": "2017-01-05"})
    assert isinstance(both, ConsentRow)
    assert both.signed_on == date(2016, 9, 1)


def test_an_enrollment_ends_no_earlier_than_it_begins():
    span = {"student_id": "S1", "school_id": "burke", "entry_date": "2016-09-08", "exit_date": "2016-09-08"}
    assert parse.parse_enrollment({**span, "household_id": "H1", "grade": 9}) == EnrollmentRow(
        "S1", "burke", date(2016, 9, 8), date(2016, 9, 8), "H1", "9"
    )
    error = parse.parse_enrollment({**span, "exit_date": "2016-09-07"})
    assert isinstance(error, RowError)
    assert error.field == "exit_date"


def test_a_school_day_may_say_only_that_it_is_closed():
    row = parse.parse_school_day({"school_id": "burke", "date": "2016-09-08", "reported": True})
    assert row == SchoolDayRow("burke", date(2016, 9, 8), instructional=None, reported=True)


def test_a_schools_timezone_is_an_iana_name():
    row = parse.parse_school({"school_id": "burke", "name": "Burke High", "timezone": "America/New_York"})
    assert row == SchoolRow("burke", "Burke High", None, "America/New_York")
    for wrong in ("Boston", "America", "../etc/passwd"):
        assert isinstance(parse.parse_school({"school_id": "burke", "timezone": wrong}), RowError)


def test_of_a_student_no_demographic_field_is_kept():
    row = parse.parse_student(
        {"student_id": "S1", "first_name": "Ana", "birth_date": "1998-05-04", "gender": "F", "race_ethnicity": "x"}
    )
    assert row == StudentRow("S1", "Ana", None, date(1998, 5, 4), None, None)
    assert not {"gender", "race_ethnicity", "english_learner", "special_education"} & set(StudentRow.__slots__)


def test_a_line_break_in_a_name_is_a_space() -> None:
    row = parse.parse_student({"student_id": "1", "first_name": "Quix\r\notic", "last_name": " van \t Test "})
    assert isinstance(row, StudentRow)
    assert (row.first_name, row.last_name) == ("Quix otic", "van Test")


@pytest.mark.parametrize("text", ["1.23457E+11", "1,23457E+11", "1E+11", "1.2345678901234568e+17"])
@pytest.mark.parametrize("name", ["student_id", "school_id", "section_id"])
def test_an_id_that_a_spreadsheet_has_shortened_is_rejected_with_what_to_do(text, name):
    error = parse.parse_mark({**MARK, name: text})
    assert isinstance(error, RowError)
    assert error.field == name
    assert "make the column text" in error.reason
    assert text not in error.reason


@pytest.mark.parametrize("text", ["1E2", "1E-11", "E+11", "12E+11", "1.2.3E+11", "A1E+11"])
def test_a_room_and_other_ids_with_an_e_are_ids(text):
    row = parse.parse_mark({**MARK, "section_id": text})
    assert isinstance(row, MarkRow)
    assert row.section_id == text
