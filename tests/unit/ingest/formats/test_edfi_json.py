from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from services.ingest.formats import FormatError, Item, Rejection, open_sources
from services.ingest.formats.json_items import MAX_ITEM
from services.ingest.rows import EnrollmentRow, MarkRow

EVENT = {
    "studentReference": {"studentUniqueId": "S1", "link": {"rel": "Student"}},
    "schoolReference": {"schoolId": 255},
    "sessionReference": {"schoolId": 255, "sessionName": "Fall", "schoolYear": 2022},
    "eventDate": "2021-09-07",
    "attendanceEventCategoryDescriptor": "uri://ed-fi.org/AttendanceEventCategoryDescriptor#Unexcused Absence",
}
MARK = MarkRow("S1", "255", date(2021, 9, 7), "absent", excused=False)


def attendance(
    folder: Path, content: str | bytes, name: str = "studentSchoolAttendanceEvents.json"
) -> list[Item[MarkRow] | Rejection]:
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return list(open_sources([folder]).attendance())


def test_an_array_gives_items_with_their_number(tmp_path):
    found = attendance(tmp_path, "\ufeff" + json.dumps([EVENT, {**EVENT, "eventDate": "x"}, 7, EVENT], indent=2))

    assert [(type(entry).__name__, entry.line) for entry in found] == [
        ("Item", 1),
        ("Rejection", 2),
        ("Rejection", 3),
        ("Item", 4),
    ]
    assert found[0] == Item(MARK, "studentSchoolAttendanceEvents.json", 1)


def test_ndjson_gives_items_with_their_physical_line_and_goes_on_after_a_bad_one(tmp_path):
    good = json.dumps(EVENT).encode()
    bad = [b"{", b"\xff", b'"' + b"x" * MAX_ITEM + b'"', b"[" * 100_000, b"1" * 5000]
    found = attendance(tmp_path, b"\n".join([good, b"", *bad, good]), "studentSchoolAttendanceEvents.ndjson")

    kinds = [(type(entry).__name__, entry.line) for entry in found]
    assert kinds == [("Item", 1), *[("Rejection", 3 + n) for n in range(5)], ("Item", 8)]


def test_an_array_longer_than_a_chunk_is_read_whole(tmp_path):
    events = [{**EVENT, "studentReference": {"studentUniqueId": f"S\u00e9{n}"}} for n in range(3_000)]
    found = attendance(tmp_path, json.dumps(events, ensure_ascii=False))
    assert [entry.row.student_id for entry in found if isinstance(entry, Item)] == [f"S\u00e9{n}" for n in range(3_000)]


@pytest.mark.parametrize(
    "tail", ["", "{", ",", " x", f',"{"x" * (2 * MAX_ITEM)}"', "," + "[" * 100_000, "," + "1" * 5000 + "]"]
)
def test_what_comes_before_a_malformed_array_item_counts(tmp_path, tail):
    found = attendance(tmp_path, f"[{json.dumps(EVENT)}{tail}")
    assert [type(entry).__name__ for entry in found] == ["Item", "Rejection"]


def test_an_empty_array_has_nothing(tmp_path):
    assert attendance(tmp_path, " [ ] ") == []


def test_bytes_that_are_no_text_end_an_array(tmp_path):
    found = attendance(tmp_path, b"[" + json.dumps(EVENT).encode() + b', "\xff"]')
    assert [type(entry).__name__ for entry in found][-1] == "Rejection"


@pytest.mark.parametrize("wrong", [None, [], "S1", {"studentUniqueId": ["S1"]}, {"studentUniqueId": None}])
def test_a_reference_of_the_wrong_shape_is_a_rejection(tmp_path, wrong):
    (found,) = attendance(tmp_path, json.dumps([{**EVENT, "studentReference": wrong}]))
    assert isinstance(found, Rejection)
    assert found.field == "student_id"


def test_the_content_tells_what_the_name_does_not(tmp_path):
    section = {key: value for key, value in EVENT.items() if key != "schoolReference"}
    section["sectionReference"] = {"schoolId": 255, "sectionIdentifier": "MATH-1"}
    (tmp_path / "a.json").write_text(json.dumps([section]))
    association = {
        "studentReference": {"studentUniqueId": "S1"},
        "schoolReference": {"schoolId": 255},
        "entryDate": "2021-08-23",
    }
    (tmp_path / "b.jsonl").write_text(json.dumps(association))
    source = open_sources([tmp_path])

    (mark,) = source.attendance()
    (span,) = source.enrollments()
    assert isinstance(mark, Item)
    assert isinstance(span, Item)
    assert mark.row.section_id == "MATH-1"
    assert span.row == EnrollmentRow("S1", "255", date(2021, 8, 23))


def test_json_that_is_nothing_of_ed_fi_is_not_recognised(tmp_path):
    with pytest.raises(FormatError):
        attendance(tmp_path, '{"a": 1}', "package.json")


def test_calendar_dates_leave_out_the_calendars_of_single_students(tmp_path):
    def day(code: str, on: str, event: str) -> dict[str, object]:
        return {
            "calendarReference": {"calendarCode": code, "schoolId": 255, "schoolYear": 2022},
            "date": on,
            "calendarEvents": [{"calendarEventDescriptor": f"uri://ed-fi.org/CalendarEventDescriptor#{event}"}],
        }

    dates = [day("MAIN", "2021-09-07", "Instructional day"), day("4711", "2021-09-08", "Instructional day")]
    calendar = {
        "schoolReference": {"schoolId": 255},
        "schoolYearTypeReference": {"schoolYear": 2022},
        "calendarCode": "4711",
        "calendarTypeDescriptor": "uri://ed-fi.org/CalendarTypeDescriptor#Student Specific",
    }
    (tmp_path / "calendarDates.json").write_text(json.dumps(dates))
    (tmp_path / "calendars.json").write_text(json.dumps([calendar]))

    (found,) = open_sources([tmp_path]).school_days()
    assert isinstance(found, Item)
    assert (found.row.date, found.row.instructional) == (date(2021, 9, 7), True)
