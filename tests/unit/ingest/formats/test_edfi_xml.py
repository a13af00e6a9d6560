from __future__ import annotations

import tracemalloc
from datetime import date
from pathlib import Path

import psutil
import pytest

from services.ingest.formats import FormatError, Item, Rejection, Source, open_sources
from services.ingest.rows.parse import EnrollmentRow, MarkRow, SchoolRow, StudentRow
from tests.unit.ingest.formats import edfi_files as edfi


def opened(folder: Path, content: str, name: str = "file.xml") -> Source:
    (folder / name).write_text(content)
    return open_sources([folder])


def attendance(folder: Path, *elements: str) -> list[Item[MarkRow] | Rejection]:
    return list(opened(folder, edfi.interchange("StudentAttendance", *elements)).attendance())


@pytest.mark.parametrize(
    ("category", "status", "excused"),
    [
        ("Excused Absence", "absent", True),
        ("Unexcused Absence", "absent", False),
        ("unexcused absence", "absent", False),
        ("Tardy", "tardy", None),
        ("Early departure", "early_departure", None),
        ("Partial", "partial", None),
        ("In Attendance", "present", None),
    ],
)
def test_a_category_is_a_status_and_its_excuse(tmp_path, category, status, excused):
    (found,) = attendance(tmp_path, edfi.event("S1", category=category))
    assert found == Item(MarkRow("S1", "255", date(2021, 9, 7), status, excused), "file.xml", 3)


def test_an_unknown_category_is_rejected_with_the_known_ones(tmp_path):
    (found,) = attendance(tmp_path, edfi.event("S1", category="Zebulon"))
    assert isinstance(found, Rejection)
    assert (found.line, found.field) == (3, "status")
    assert "Excused Absence" in found.reason
    assert "Zebulon" not in found.reason


def test_a_section_event_has_its_section_and_the_school_of_the_course_offering(tmp_path):
    good, bad = attendance(
        tmp_path,
        edfi.section_event("S1", "<SectionIdentifier>MATH-1</SectionIdentifier>"),
        edfi.section_event("S1", ""),
    )
    assert isinstance(good, Item)
    assert (good.row.school_id, good.row.section_id, good.row.status) == ("255", "MATH-1", "tardy")
    assert isinstance(bad, Rejection)
    assert (bad.field, bad.line) == ("section_id", 4)


def test_a_missing_reference_is_a_rejection(tmp_path):
    (found,) = attendance(tmp_path, edfi.event("S1").replace(edfi.student("S1"), '<StudentReference ref="STU_1"/>'))
    assert isinstance(found, Rejection)
    assert found.field == "student_id"


def test_what_comes_before_malformed_xml_counts_and_the_error_is_one_rejection(tmp_path):
    content = edfi.interchange("StudentAttendance", edfi.event("S1"), edfi.event("S2"), "<Broken></Brok>", "<x/>")
    found = list(opened(tmp_path, content).attendance())

    assert [(type(entry).__name__, entry.line) for entry in found] == [("Item", 3), ("Item", 4), ("Rejection", 5)]
    assert "Brok" not in str(found[-1])


def test_a_file_that_was_cut_off_ends_in_a_rejection(tmp_path):
    content = edfi.interchange("StudentAttendance", edfi.event("S1"), edfi.event("S2"))
    found = list(opened(tmp_path, content[:-150]).attendance())
    assert [type(entry).__name__ for entry in found] == ["Item", "Rejection"]


def test_entities_are_not_read(tmp_path):
    doctype = '<!DOCTYPE x [<!ENTITY a "1"><!ENTITY b SYSTEM "file:///etc/hostname">]>'
    content = edfi.interchange("StudentAttendance", edfi.event("6&a;&b;")).replace("?>\n", f"?>\n{doctype}\n")
    (found,) = opened(tmp_path, content).attendance()
    assert isinstance(found, Rejection)
    assert "DOCTYPE" in found.reason


def test_elements_below_the_root_alone_are_resources(tmp_path):
    (found,) = attendance(tmp_path, f"<Other>{edfi.event('S1')}</Other>", edfi.event("S2"))
    assert isinstance(found, Item)
    assert found.row.student_id == "S2"


def test_students_schools_and_enrollments_are_read(tmp_path):
    (tmp_path / "s.xml").write_text(
        edfi.interchange(
            "Student",
            "<Student><StudentUniqueId>S1</StudentUniqueId><Name><FirstName>Ana</FirstName><LastSurname>L\u00f3pez"
            "</LastSurname></Name><BirthData><BirthDate>2008-01-02</BirthDate></BirthData></Student>",
        )
    )
    (tmp_path / "o.xml").write_text(
        edfi.interchange(
            "EducationOrganization",
            "<School><NameOfInstitution>Burke</NameOfInstitution><SchoolId>255</SchoolId></School>",
        )
    )
    source = opened(
        tmp_path,
        edfi.interchange(
            "StudentEnrollment",
            f"<StudentSchoolAssociation>{edfi.student('S1')}{edfi.school('255')}<EntryDate>2021-08-23</EntryDate>"
            "<EntryGradeLevel>uri://ed-fi.org/GradeLevelDescriptor#Ninth grade</EntryGradeLevel>"
            "<ExitWithdrawDate>2022-01-10</ExitWithdrawDate></StudentSchoolAssociation>",
        ),
    )
    assert [found.row for found in source.students() if isinstance(found, Item)] == [
        StudentRow("S1", "Ana", "L\u00f3pez", date(2008, 1, 2))
    ]
    assert [found.row for found in source.schools() if isinstance(found, Item)] == [SchoolRow("255", "Burke")]
    assert [found.row for found in source.enrollments() if isinstance(found, Item)] == [
        EnrollmentRow("S1", "255", date(2021, 8, 23), date(2022, 1, 10), grade="ninth grade")
    ]


def days(source: Source) -> dict[str, bool | None]:
    return {
        found.row.date.isoformat(): found.row.instructional for found in source.school_days() if isinstance(found, Item)
    }


def test_calendar_events_say_which_days_are_instructional(tmp_path):
    source = opened(
        tmp_path,
        edfi.interchange(
            "EducationOrgCalendar",
            edfi.session("2021-09-01", "2021-09-30"),
            edfi.calendar_date("MAIN", "2021-09-06", "Holiday"),
            edfi.calendar_date("MAIN", "2021-09-07", "Instructional day"),
            edfi.calendar_date("MAIN", "2021-09-08", "Make-up day"),
            edfi.calendar_date("MAIN", "2021-09-09", "Weather day"),
            edfi.calendar_date("MAIN", "2021-09-10", "Teacher only day"),
            edfi.calendar_date("MAIN", "2021-09-13", "Instructional day", "Student late arrival/early dismissal"),
            edfi.calendar("MAIN", "School"),
        ),
    )
    assert days(source) == {
        "2021-09-06": False,
        "2021-09-07": True,
        "2021-09-08": True,
        "2021-09-09": False,
        "2021-09-10": False,
        "2021-09-13": True,
    }


def test_a_student_specific_calendar_says_nothing_about_the_school_wherever_it_is_declared(tmp_path):
    source = opened(
        tmp_path,
        edfi.interchange(
            "EducationOrgCalendar",
            edfi.calendar_date("4711", "2021-09-18", "Instructional day"),
            edfi.calendar("4711", "Student Specific"),
            edfi.session("2021-09-06", "2021-09-08"),
        ),
    )
    assert days(source) == {"2021-09-07": True, "2021-09-08": True}
    assert list(source.terms()) == []
    assert source.bytes_read == source.size()


def test_a_bad_calendar_row_is_rejected_once(tmp_path):
    source = opened(
        tmp_path,
        edfi.interchange(
            "EducationOrgCalendar",
            edfi.calendar("", "Student Specific"),
            edfi.session("2021-09-06", "2031-09-08"),
            edfi.calendar_date("MAIN", "09/07/2021", "Holiday"),
        )
        + "<",
    )
    rejected = [found for found in source.school_days() if isinstance(found, Rejection)]
    assert [(found.line, found.field) for found in rejected] == [(3, "calendar"), (6, None), (4, "end"), (5, "date")]


@pytest.mark.parametrize("namespace", ["http://ed-fi.org/3.3.0", "http://example.org/"])
def test_another_namespace_is_not_recognised(tmp_path, namespace):
    with pytest.raises(FormatError):
        opened(tmp_path, edfi.interchange("StudentAttendance", edfi.event("S1"), namespace=namespace))


def test_lines_are_right_beyond_65535(tmp_path):
    compact = edfi.event("S1")
    deep = compact.replace("<EventDate>", "\n\n<EventDate>")
    loose = compact.replace("<AttendanceEvent>", "\n<AttendanceEvent>")
    filler = "\n" * 65_530
    found = attendance(tmp_path, filler, *([compact] * 5), deep, loose, compact)
    assert [event.line for event in found] == [65_534, 65_535, 65_536, 65_537, 65_538, 65_539, 65_542, 65_544]


@pytest.mark.slow
def test_memory_does_not_grow_with_the_file(tmp_path):
    with (tmp_path / "events.xml").open("w") as file:
        file.writelines(edfi.many_events(100_000))
    source = open_sources([tmp_path])
    process = psutil.Process()
    tracemalloc.start()
    lines_each = edfi.event("100000").count("><") + 1
    count, resident = 0, 0
    for found in source.attendance():
        assert found.line == 2 + count * lines_each
        count += 1
        if count == 5_000:
            resident = process.memory_info().rss
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert count == 100_000
    assert peak < 2_000_000
    assert process.memory_info().rss - resident < 20_000_000
