from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from services.ingest.formats import FormatError, Item, Rejection, open_sources
from services.ingest.rows.parse import MarkRow, SchoolDayRow

HEADER = "student_id,school_id,date,status,excused,section_id,minutes_missed,reason,recorded_at\n"
GOOD = "S{},burke,2016-12-01,absent,,,,,\n"


def attendance(folder: Path, content: str | bytes, name: str = "attendance.csv") -> list[Item[MarkRow] | Rejection]:
    data = content.encode() if isinstance(content, str) else content
    (folder / name).write_bytes(data)
    return list(open_sources([folder / name]).attendance())


def lines(found: list[Item[MarkRow] | Rejection]) -> list[tuple[str, int]]:
    return [(type(entry).__name__, entry.line) for entry in found]


def test_rows_carry_their_physical_line_and_the_base_name(tmp_path):
    found = attendance(tmp_path, "\ufeff" + HEADER + GOOD.format(1) + "\r\n" + GOOD.format(2))

    assert lines(found) == [("Item", 2), ("Item", 4)]
    assert {entry.file for entry in found} == {"attendance.csv"}


def test_a_quoted_newline_is_part_of_its_row_and_counts_as_a_line(tmp_path):
    row = 'S1,burke,2016-12-01,absent,,,,"flu,\r\nsays ""mother""",\r\n'
    found = attendance(tmp_path, HEADER.replace("\n", "\r\n") + row + GOOD.format(2))

    assert lines(found) == [("Item", 2), ("Item", 4)]


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        (b"S\xe9,burke,2016-12-01,absent,,,,,\n", "student_id"),
        (b"S9,burke,2016-12-01,absent,,,,,caf\xe9\n", "recorded_at"),
        (b"S9,bu\x00rke,2016-12-01,absent,,,,,\n", "school_id"),
        (b"S9,burke,2016-12-01,absent\n", None),
        (b"S9,burke,2016-12-01,absent,,,,,,x\n", None),
        (b'S9,"burke,2016-12-01,absent,,,,,\n', None),
        (b'S9,"bur"ke,2016-12-01,absent,,,,,\n', None),
        (b"S9,burke,2016-12-01,sick,,,,,\n", "status"),
        (b"S9,burke,01.12.2016,absent,,,,,\n", "date"),
        (b"S9,burke,2016-12-01,absent,,,,%s,\n" % (b"x" * 200_000), None),
        (b'S9,burke,2016-12-01,absent,,,,"%s",\n' % (b"x" * 200_000), None),
    ],
)
def test_a_bad_row_is_rejected_with_its_line_and_the_rest_goes_on(tmp_path, bad, field):
    content = (HEADER + GOOD.format(1)).encode() + bad + b'S2,"burke",2016-12-01,absent,,,,,\n'
    found = attendance(tmp_path, content)

    assert lines(found) == [("Item", 2), ("Rejection", 3), ("Item", 4)]
    rejection = found[1]
    assert isinstance(rejection, Rejection)
    assert rejection.field == field
    assert "S9" not in rejection.reason


def test_an_open_quote_takes_no_more_than_its_own_line(tmp_path):
    rows = [GOOD.format(n) for n in range(300)]
    rows[10] = 'S10,burke,2016-12-01,absent,,,,"never closed,\n'
    rows[200] = 'S200,burke,2016-12-01,absent,,,,"nor this,\n'
    found = attendance(tmp_path, HEADER + "".join(rows))

    assert [entry.line for entry in found if isinstance(entry, Rejection)] == [12, 202]
    assert len(found) == 300


def test_an_open_quote_that_a_later_one_closes_does_not_swallow_the_rows_between(tmp_path):
    content = HEADER + 'S1,"burke,2016-12-01,absent,,,,,\n' + GOOD.format(2) + 'S3,"burke",2016-12-01,absent,,,,,\n'
    assert lines(attendance(tmp_path, content)) == [("Rejection", 2), ("Item", 3), ("Item", 4)]


def test_a_last_row_without_a_line_end_is_read(tmp_path):
    assert lines(attendance(tmp_path, HEADER + GOOD.format(1).strip())) == [("Item", 2)]


@pytest.mark.parametrize(
    "content", ["student_id,date,status\nS1,2016-12-01,absent\n", "", "S1,burke,2016-12-01,absent\n"]
)
def test_a_header_that_cannot_be_used_is_an_error_before_anything_is_read(tmp_path, content):
    with pytest.raises(FormatError, match=r"attendance.csv, line 1: header: expected the columns .*school_id") as error:
        attendance(tmp_path, content)
    assert "S1" not in str(error.value)


def test_a_column_that_comes_twice_is_refused(tmp_path):
    with pytest.raises(FormatError, match="expected each column once, but status comes more often"):
        attendance(tmp_path, "student_id,school_id,date,status,status\nS1,b,2016-12-01,absent,present\n")


def test_a_demographic_column_that_comes_twice_is_refused(tmp_path):
    (tmp_path / "students.csv").write_text("student_id,gender,grade,gender\nS1,F,6,M\n")
    with pytest.raises(FormatError, match="expected each column once, but gender comes more often"):
        open_sources([tmp_path])


def test_a_scale_ends_above_nothing(tmp_path):
    header = "term,start_date,end_date,grade_scale_max\n"
    (tmp_path / "terms.csv").write_text(f"{header}Q1,2016-09-08,2016-11-10,0\nQ2,2016-11-14,2017-01-27,\n")
    wrong, right = open_sources([tmp_path]).terms()

    assert isinstance(wrong, Rejection)
    assert wrong.reason == "grade_scale_max: expected a number above 0, at most 1000, with a point before decimals"
    assert isinstance(right, Item)


def test_unknown_columns_are_told_once_strange_names_by_number_and_slips_with_what_was_meant(tmp_path):
    header = "homeroom,Status,student_id,school_id,date,Ana Lopez 604821,recordet_at\n"
    (tmp_path / "attendance.csv").write_text(header * 2)
    source = open_sources([tmp_path])
    list(source.attendance())
    list(source.attendance())

    told = "attendance.csv: not read are the unknown columns homeroom, 6, recordet_at (is it recorded_at?)"
    assert source.warnings == [told]


def test_demographic_columns_are_known_and_not_read(tmp_path):
    header = "student_id,first_name,last_name,birth_date,grade,household_id,gender,race_ethnicity,english_learner"
    (tmp_path / "students.csv").write_text(f"{header},special_education\nS1,Ana,Lopez,2004-01-02,6,H1,F,hispanic,n,n\n")
    source = open_sources([tmp_path])

    (student,) = source.students()
    assert "hispanic" not in repr(student)
    assert source.warnings == []


def test_a_folder_is_read_kind_by_kind_and_a_missing_file_is_not_imported(tmp_path):
    (tmp_path / "attendance.csv").write_text(HEADER + GOOD.format(1))
    (tmp_path / "calendar.csv").write_text("school_id,date,instructional\nburke,2016-12-01,true\nburke,2016-12-02,\n")
    (tmp_path / "outcomes.csv").write_text("student_id,date,kind\n")
    (tmp_path / "notes.csv").write_text("a,b\n")
    source = open_sources([tmp_path])

    days = [found.row for found in source.school_days() if isinstance(found, Item)]
    assert days == [
        SchoolDayRow("burke", date(2016, 12, 1), instructional=True),
        SchoolDayRow("burke", date(2016, 12, 2), instructional=None),
    ]
    assert len(list(source.attendance())) == 1
    assert list(source.schools()) == list(source.students()) == list(source.consents()) == []
    assert [one.file for one in source.not_read] == ["notes.csv", "outcomes.csv"]
    assert source.bytes_read == source.size() > 0


def test_a_file_of_another_name_is_told_by_its_columns_when_asked_for(tmp_path):
    assert lines(attendance(tmp_path, HEADER + GOOD.format(1), name="december.csv")) == [("Item", 2)]


def test_a_file_that_is_named_twice_is_read_once(tmp_path):
    (tmp_path / "attendance.csv").write_text(HEADER + GOOD.format(1))
    assert len(list(open_sources([tmp_path, tmp_path / "attendance.csv"]).attendance())) == 1


@pytest.mark.parametrize("name", ["notes.txt", "notes.csv", "notes.xml", "notes.json", "outcomes.csv"])
def test_what_is_not_recognised_is_an_error_that_lists_what_is(tmp_path, name):
    (tmp_path / name).write_text("a,b\n")
    for path in (tmp_path, tmp_path / name):
        with pytest.raises(FormatError, match="Supported are"):
            open_sources([path])


def test_a_path_that_does_not_exist_is_an_error(tmp_path):
    with pytest.raises(FormatError, match="does not exist"):
        open_sources([tmp_path / "nowhere"])
