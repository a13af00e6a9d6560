"""Files as they come out of spreadsheets, student information systems and APIs: read, or named."""

from __future__ import annotations

import gzip
import json
import zipfile
from datetime import date
from pathlib import Path

import pytest

from services.ingest.formats import FormatError, Item, Rejection, open_sources
from services.ingest.rows.parse import MarkRow
from tests.unit.ingest.formats.workbooks import workbook

TABLE = "student_id,school_id,date,status\nS1,burke,2016-12-01,absent\nS2,burke,2016-12-01,tardy\n"
MARKS = [
    MarkRow("S1", "burke", date(2016, 12, 1), "absent"),
    MarkRow("S2", "burke", date(2016, 12, 1), "tardy"),
]


def rows(folder: Path) -> list[MarkRow]:
    found = list(open_sources([folder]).attendance())
    assert all(isinstance(one, Item) for one in found), found
    return [one.row for one in found if isinstance(one, Item)]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("attendance.csv", TABLE.replace("\n", "\r").encode()),
        ("attendance.csv", TABLE.replace("\n", "\r").strip().encode()),
        ("attendance.csv", TABLE.replace("\n", "\r\n").encode("utf-16")),
        ("attendance.csv", TABLE.encode("utf-16-le")),
        ("attendance.csv", TABLE.encode("utf-16-be")),
        ("attendance.csv", TABLE.encode("utf-8-sig")),
        ("attendance.csv", TABLE.replace(",", ";").encode()),
        ("attendance.csv", b"sep=;\r\n" + TABLE.replace(",", ";").encode()),
        ("attendance.csv", b"\xef\xbb\xbfsep=,\r\n" + TABLE.encode()),
        ("attendance.csv", b"Attendance of the district\n\nFrom,2016-12-01\n" + TABLE.encode()),
        ("attendance.csv", TABLE.encode() + b",,,\n,,,\r\n , , , \n"),
        ("attendance.csv", TABLE.replace("absent\n", "absent,,\n").encode()),
        ("attendance.txt", TABLE.replace(",", "\t").encode()),
        ("attendance.tsv", TABLE.replace(",", "\t").encode()),
        ("Attendance.CSV", TABLE.encode()),
        ("attendance_2016-12.csv", TABLE.encode()),
        ("attendance (1).csv", TABLE.encode()),
        ("december.csv", TABLE.encode()),
        ("attendance.csv.gz", gzip.compress(TABLE.encode(), mtime=0)),
        ("attendance_2016-12.txt.gz", gzip.compress(TABLE.replace(",", "\t").encode("utf-16"), mtime=0)),
    ],
)
def test_a_table_is_read_however_it_was_saved(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    assert rows(tmp_path) == MARKS


@pytest.mark.parametrize("member", ["attendance.csv", "export/attendance_2016-12.csv"])
def test_the_tables_in_an_archive_are_read(tmp_path, member):
    with zipfile.ZipFile(tmp_path / "export.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(member, TABLE)
        archive.writestr("notes.doc", "x")
    source = open_sources([tmp_path])

    assert [one.row for one in source.attendance() if isinstance(one, Item)] == MARKS
    assert [one.file for one in source.not_read] == ["export.zip/notes.doc"]
    assert source.bytes_read == source.size()


def test_the_sheets_of_a_workbook_are_read(tmp_path):
    days = [["school_id", "date", "instructional"], ["burke", date(2016, 12, 1), True]]
    marks = [
        ["An export"],
        [],
        ["student_id", "school_id", "date", "status"],
        [604821, "burke", date(2016, 12, 1), "absent"],
    ]
    workbook(tmp_path / "export.xlsx", {"attendance": marks, "calendar": days, "Sheet3": [["x"]]})
    source = open_sources([tmp_path])

    (mark,) = source.attendance()
    (day,) = source.school_days()
    assert mark == Item(MarkRow("604821", "burke", date(2016, 12, 1), "absent"), "export.xlsx/attendance", 4)
    assert isinstance(day, Item)
    assert day.row.instructional is True
    assert [one.file for one in source.not_read] == ["export.xlsx/Sheet3"]


def test_a_workbook_of_one_sheet_is_known_by_its_name(tmp_path):
    workbook(tmp_path / "attendance.xlsx", {"Sheet1": [line.split(",") for line in TABLE.splitlines()]})
    assert rows(tmp_path) == MARKS


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("export.docx", b"x"),
        ("attendance.pdf", b"x"),
        ("attendance", TABLE.encode()),
        (".attendance.csv", TABLE.encode()),
        ("notes.csv", b"a,b\n1,2\n"),
        ("outcomes_2016.csv", b"student_id,date,kind\n"),
        ("attendance.xlsx", b"PK\x03\x04 no workbook"),
        ("attendance.zip", b"no archive"),
        ("notes.xml", b"<a/>"),
        ("package.json", b'{"a": 1}'),
    ],
)
def test_what_is_not_read_is_named_with_why_and_what_to_do(tmp_path, name, content):
    (tmp_path / "students.csv").write_text("student_id\nS1\n")
    (tmp_path / name).write_bytes(content)
    (named,) = open_sources([tmp_path]).not_read

    assert named.file == name
    assert named.reason
    assert named.hint


def test_a_folder_in_the_folder_is_named(tmp_path):
    (tmp_path / "students.csv").write_text("student_id\nS1\n")
    (tmp_path / "2016").mkdir()
    assert [one.file for one in open_sources([tmp_path]).not_read] == ["2016"]


@pytest.mark.slow
def test_what_comes_before_the_damage_of_a_packed_file_counts_and_the_rest_is_named(tmp_path):
    many = TABLE + "".join(f"S{n},burke,2016-12-01,absent\n" for n in range(100_000))
    packed = gzip.compress(many.encode(), mtime=0)
    (tmp_path / "attendance.csv.gz").write_bytes(packed[: len(packed) // 2])
    found = list(open_sources([tmp_path]).attendance())

    assert len(found) > 1_000
    assert [one for one in found if isinstance(one, Rejection)] == found[-1:]


def event(student: str) -> dict[str, object]:
    return {
        "studentReference": {"studentUniqueId": student},
        "schoolReference": {"schoolId": 255},
        "eventDate": "2021-09-07",
        "attendanceEventCategoryDescriptor": "uri://ed-fi.org/AttendanceEventCategoryDescriptor#Tardy",
    }


ONE, TWO, THREE = (json.dumps(event(name)) for name in ("S1", "S2", "S3"))


@pytest.mark.parametrize(
    "text",
    [
        f"[{ONE}]\n[{TWO}, {THREE}]",
        f"[{ONE}][]\n\n[{TWO}]\n[{THREE}]\n",
        f"{ONE}\n[{TWO}]\n[{THREE}]\n",
        f'{{"resource": [{ONE}, {TWO}]}}\n{{"resource": [{THREE}]}}\n',
        f'{{"resource": [{ONE}, {TWO}, {THREE}]}}',
        f'[{{"totalCount": 3, "items": [{ONE}]}}, {{"items": [{TWO}, {THREE}]}}]',
        f'{{"studentSchoolAttendanceEvents": [{ONE}, {TWO}, {THREE}]}}',
        json.dumps(event("S1"), indent=2) + json.dumps(event("S2"), indent=2) + THREE,
        json.dumps([event("S1"), event("S2"), event("S3")], indent=2),
        f"{ONE}\n{TWO}\n{THREE}",
        f"{ONE}\r{TWO}\r{THREE}",
    ],
)
@pytest.mark.parametrize("name", ["studentSchoolAttendanceEvents.json", "page1.ndjson"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_json_is_read_in_every_shape_that_an_api_answers_in(tmp_path, text, name, encoding):
    (tmp_path / name).write_bytes(text.encode(encoding))
    assert [row.student_id for row in rows(tmp_path)] == ["S1", "S2", "S3"]


@pytest.mark.slow
def test_a_page_longer_than_an_item_may_be_is_read(tmp_path):
    events = [event(f"S{n}") for n in range(8_000)]
    (tmp_path / "page.json").write_text(json.dumps({"totalCount": 8_000, "resource": events, "next": None}))
    assert len(rows(tmp_path)) == 8_000


def test_a_page_that_holds_several_collections_gives_each_its_own(tmp_path):
    school = {"schoolId": 255, "nameOfInstitution": "Burke"}
    page = {"schools": [school], "studentSchoolAttendanceEvents": [event("S1")]}
    (tmp_path / "all.json").write_text(json.dumps(page))
    source = open_sources([tmp_path])

    assert len(list(source.attendance())) == len(list(source.schools())) == 1


def test_what_follows_the_first_array_and_is_no_json_is_rejected(tmp_path):
    (tmp_path / "studentSchoolAttendanceEvents.json").write_text(f"[{ONE}]\nand so on")
    found = list(open_sources([tmp_path]).attendance())
    assert [type(one).__name__ for one in found] == ["Item", "Rejection"]


XML = """<InterchangeStudentAttendance xmlns="http://ed-fi.org/{}"><StudentSchoolAttendanceEvent>
<AttendanceEvent><EventDate>2021-09-07</EventDate>
<AttendanceEventCategory>uri://ed-fi.org/AttendanceEventCategoryDescriptor#Tardy</AttendanceEventCategory>
</AttendanceEvent><StudentReference><StudentIdentity><StudentUniqueId>S1</StudentUniqueId></StudentIdentity>
</StudentReference><SchoolReference><SchoolIdentity><SchoolId>255</SchoolId></SchoolIdentity></SchoolReference>
</StudentSchoolAttendanceEvent><StudentProgramAttendanceEvent/></InterchangeStudentAttendance>"""


@pytest.mark.parametrize("version", ["4.0.0", "4.0.0-a", "5.0.0", "5.2.0"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_ed_fi_xml_of_four_and_five_is_read_and_other_elements_are_named(tmp_path, version, encoding):
    (tmp_path / "attendance.xml").write_bytes(XML.format(version).encode(encoding))
    source = open_sources([tmp_path])

    (mark,) = source.attendance()
    assert isinstance(mark, Item)
    assert mark.row.student_id == "S1"
    assert source.warnings == ["attendance.xml: not read are the elements StudentProgramAttendanceEvent"]


@pytest.mark.parametrize(("namespace", "version"), [("0200", "2.0"), ("0310", "3.1"), ("3.3.1-b", "3.3.1-b")])
def test_older_ed_fi_is_named_by_its_version(tmp_path, namespace, version):
    (tmp_path / "attendance.xml").write_text(XML.format(namespace))
    with pytest.raises(FormatError, match=f"it is of version {version} of the Ed-Fi data standard"):
        open_sources([tmp_path])


def test_an_archive_of_a_version_that_is_not_read_is_named(tmp_path: Path) -> None:
    packed = tmp_path / "export.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("notes.txt", "nothing")
    content = bytearray(packed.read_bytes())
    content[content.index(b"PK\x01\x02") + 6] = 99  # the version that is needed to unpack it
    packed.write_bytes(content)
    (tmp_path / "consents.csv").write_text("student_id,agreement_id\n", encoding="utf-8")

    assert [one.file for one in open_sources([tmp_path]).not_read] == ["export.zip"]
