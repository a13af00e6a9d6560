from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from services.ingest.formats import FormatError, Item, Rejection, open_sources
from services.ingest.formats.mapping import load_mapping
from services.ingest.rows.parse import MarkRow

SHIPPED = Path(__file__).resolve().parents[4] / "deploy" / "mappings"
FLAGGED = """
date_format = "%m/%d/%Y"
[columns]
student_id = "Local ID"
school_id = "School ID"
date = "Date"
absent = "Absent?"
tardy = "Tardy?"
dismissed = "Dismissed?"
excused = "Excused?"
code = "Code"
[codes]
ILL = "illness"
"""
HEADER = "Local ID,School ID,Date,Absent?,Tardy?,Dismissed?,Excused?,Code\n"


def flagged(folder: Path) -> Path:
    path = folder.with_name(f"{folder.name}.toml")
    path.write_text(FLAGGED)
    return path


def read(folder: Path, *rows: str) -> list[Item[MarkRow] | Rejection]:
    mapping = flagged(folder)
    (folder / "export.csv").write_text(HEADER + "".join(f"{row}\n" for row in rows))
    return list(open_sources([folder], mapping).attendance())


@pytest.mark.parametrize(
    ("flags", "status", "excused"),
    [
        ("Y,N,N,Y", "absent", True),
        ("1,0,0,0", "absent", False),
        ("true,,,", "absent", None),
        ("N,Y,N,N", "tardy", False),
        ("N,N,Y,Y", "early_departure", True),
        ("N,Y,Y,N", "tardy", False),
        ("Y,Y,N,N", "absent", False),
        ("N,N,N,N", "present", None),
        (",,,", "present", None),
    ],
)
def test_flags_make_one_status(tmp_path, flags, status, excused):
    (found,) = read(tmp_path, f"S1,burke,12/01/2016,{flags},")
    assert isinstance(found, Item)
    assert found.row == MarkRow("S1", "burke", date(2016, 12, 1), status, excused)
    assert (found.file, found.line) == ("export.csv", 2)


def test_a_code_is_kept_as_the_reason_that_the_mapping_gives_it(tmp_path):
    ill, other = read(tmp_path, "S1,burke,12/01/2016,Y,,,,ill", "S1,burke,12/02/2016,Y,,,,her aunt called")
    assert isinstance(ill, Item)
    assert isinstance(other, Item)
    assert (ill.row.reason, other.row.reason) == ("illness", None)


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ("S1,burke,2016-12-01,Y,,,,", "date"),
        ("S1,burke,,Y,,,,", "date"),
        ("S1,burke,12/01/1816,Y,,,,", "date"),
        ("S1,burke,12/01/2016,X,,,,", "absent"),
        (",burke,12/01/2016,Y,,,,", "student_id"),
    ],
)
def test_a_bad_row_is_rejected_by_field(tmp_path, row, field):
    (found,) = read(tmp_path, row)
    assert isinstance(found, Rejection)
    assert found.field == field


def test_an_export_that_is_called_attendance_is_still_aspens(tmp_path):
    (tmp_path / "attendance.csv").write_text(f"{HEADER}S1,burke,12/01/2016,Y,,,,\n")
    (found,) = open_sources([tmp_path], flagged(tmp_path)).attendance()
    assert isinstance(found, Item)


def test_a_mapping_that_fits_no_file_is_an_error(tmp_path):
    (tmp_path / "export.csv").write_text("Student,Day\n")
    with pytest.raises(FormatError, match="which the mapping names"):
        open_sources([tmp_path], flagged(tmp_path))


COLUMNS = '[columns]\nstudent_id = "s"\nschool_id = "h"\ndate = "d"\n'


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("not toml", "is not TOML"),
        (COLUMNS, "columns: expected names of columns, each once, and either absent or status"),
        (f'{COLUMNS}absent = "a"\nstatus = "b"\n', "and either absent or status"),
        (f'{COLUMNS}status = "b"\n', r"mapping.toml: expected \[statuses\] when"),
        (f'{COLUMNS}status = "b"\n[statuses]\nX = "ill"\n', "statuses.X: expected a table from code to one of"),
        ('[calendar_events]\nX = "maybe"\n[weather]\n', "calendar_events.X: .*; weather: no such table"),
        (f'{COLUMNS}absent = "a"\nlunch = "l"\n', "columns.lunch: expected names of columns"),
        (f'{COLUMNS}absent = "D"\n', "columns: expected names of columns, each once"),
        (f'date_format = "%m/%d"\n{COLUMNS}absent = "a"\n', "date_format: expected a format with year"),
        (f'{COLUMNS}absent = "a"\n[codes]\nX = "his uncle"\n', "codes: expected a table"),
    ],
)
def test_a_bad_mapping_says_what_is_wrong(tmp_path, content, told):
    path = tmp_path / "mapping.toml"
    path.write_text(content)
    with pytest.raises(FormatError, match=told):
        load_mapping(path)


def test_a_mapping_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(FormatError, match="cannot be read"):
        load_mapping(tmp_path / "mapping.toml")


CODED = """
[columns]
student_id = "Student_Number"
school_id = "SchoolID"
date = "Att_Date"
status = "Att_Code"
section_id = "PeriodID"
[statuses]
A = "absent"
UX = "absent-unexcused"
EX = "absent-excused"
T = "tardy"
"""


def test_codes_mean_what_the_mapping_says_and_others_are_rejected(tmp_path):
    mapping = tmp_path / "mapping.toml"
    mapping.write_text(CODED, encoding="utf-8-sig")
    rows = "".join(
        f"S1\t7\t2016-12-01\t{code}\t{period}\n" for period, code in enumerate(("A", "ux", "EX", " T ", "Q", ""))
    )
    (tmp_path / "export.txt").write_text(f"student_number\tschoolid\tatt_date\tatt_code\tperiodid\n{rows}")
    found = list(open_sources([tmp_path / "export.txt"], mapping).attendance())

    said = [(one.row.status, one.row.excused, one.row.section_id) for one in found if isinstance(one, Item)]
    assert said == [("absent", None, "0"), ("absent", False, "1"), ("absent", True, "2"), ("tardy", None, "3")]
    assert [(one.line, one.field) for one in found if isinstance(one, Rejection)] == [(6, "status"), (7, "status")]


@pytest.mark.parametrize("column", ["PeriodID", "Att_Code"])
def test_a_column_that_the_mapping_misspells_refuses_the_file(tmp_path, column):
    mapping = tmp_path / "mapping.toml"
    mapping.write_text(CODED.replace(column, "Misspelt"))
    (tmp_path / "attendance.csv").write_text("Student_Number,SchoolID,Att_Date,Att_Code,PeriodID\n")
    with pytest.raises(FormatError, match=r"header: expected the columns .*misspelt"):
        open_sources([tmp_path], mapping)


def test_every_mapping_that_ships_can_be_used():
    for path in SHIPPED.glob("*.toml"):
        assert load_mapping(path).columns is not None


def test_ed_fi_codes_of_a_state_mean_what_the_mapping_says(tmp_path):
    mapping = tmp_path / "mapping.toml"
    mapping.write_text('[attendance_categories]\n"Nurse" = "partial"\n[calendar_events]\nID = "instructional"\n')
    event = {
        "studentReference": {"studentUniqueId": "S1"},
        "schoolReference": {"schoolId": 255},
        "eventDate": "2021-09-07",
        "attendanceEventCategoryDescriptor": "uri://state.example/AttendanceEventCategoryDescriptor#Nurse",
    }
    day = {
        "calendarReference": {"calendarCode": "MAIN", "schoolId": 255, "schoolYear": 2022},
        "date": "2021-09-07",
        "calendarEvents": [{"calendarEventDescriptor": "uri://state.example/CalendarEventDescriptor#ID"}],
    }
    (tmp_path / "studentSchoolAttendanceEvents.json").write_text(json.dumps([event]))
    (tmp_path / "calendarDates.json").write_text(json.dumps([day]))
    source = open_sources([tmp_path / "studentSchoolAttendanceEvents.json", tmp_path / "calendarDates.json"], mapping)

    (mark,) = source.attendance()
    (school_day,) = source.school_days()
    assert isinstance(mark, Item)
    assert isinstance(school_day, Item)
    assert (mark.row.status, school_day.row.instructional) == ("partial", True)
