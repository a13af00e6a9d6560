from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from services.ingest.formats import FormatError, Item, Rejection, open_sources
from services.ingest.formats.json_items import MAX_ITEM
from services.ingest.rows.parse import EnrollmentRow, MarkRow

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


def calendar_date(*events: str) -> dict[str, object]:
    return {
        "calendarReference": {"calendarCode": "MAIN", "schoolId": 255, "schoolYear": 2022},
        "date": "2021-09-07",
        "calendarEvents": [{"calendarEventDescriptor": event} for event in events],
    }


STATES = "uri://state.example/CalendarEventDescriptor#"


@pytest.mark.parametrize("event", [f"{STATES}ID", f"{STATES}Snow-day"])
@pytest.mark.parametrize("others", [[], [f"{STATES}Instructional day"], [f"{STATES}Holiday"]])
def test_a_calendar_event_that_is_not_known_is_rejected_with_its_code(tmp_path, event, others):
    (tmp_path / "calendarDates.json").write_text(json.dumps([calendar_date(*others, event)]))
    (found,) = open_sources([tmp_path]).school_days()

    assert isinstance(found, Rejection)
    assert (found.line, found.field) == (1, "events")
    assert found.reason.endswith(f"not '{event.removeprefix(STATES)}'")


@pytest.mark.parametrize("event", ["Ana Lopez", f"{STATES}Ana; Lopez", ""])
def test_what_is_no_code_of_a_descriptor_is_not_told(tmp_path, event):
    (tmp_path / "calendarDates.json").write_text(json.dumps([calendar_date(event)]))
    (found,) = open_sources([tmp_path]).school_days()
    assert isinstance(found, Rejection)
    assert "Ana" not in found.reason


def section_event(**more: object) -> dict[str, object]:
    section = {key: value for key, value in EVENT.items() if key != "schoolReference"}
    return {**section, "sectionReference": {"schoolId": 255, "sectionIdentifier": "1", **more}}


def test_a_section_is_what_makes_it_unique(tmp_path):
    events = [
        section_event(),
        section_event(localCourseCode="MATH", schoolYear=2022, sessionName="Fall"),
        section_event(localCourseCode="ART", schoolYear=2022, sessionName="Fall"),
        section_event(localCourseCode="MATH", schoolYear=2023, sessionName="Fall"),
        section_event(localCourseCode="MATH", schoolYear=2022, sessionName="Spring"),
        section_event(localCourseCode="MATH", schoolYear="2021-2022", sessionName="Spring"),
    ]
    found = attendance(tmp_path, json.dumps(events), "studentSectionAttendanceEvents.json")
    sections = [one.row.section_id for one in found if isinstance(one, Item)]

    assert sections[0] == "1"
    assert sections[4] == sections[5]
    assert len(set(sections)) == 5


def test_when_the_source_last_changed_an_event_is_kept_apart_from_when_it_was_recorded(tmp_path):
    (found,) = attendance(tmp_path, json.dumps([{**EVENT, "_lastModifiedDate": "2021-10-01T12:00:00.1234567Z"}]))
    assert isinstance(found, Item)
    assert found.row.recorded_at is None
    assert found.row.modified_at == datetime(2021, 10, 1, 12, 0, 0, 123456, UTC)


def test_an_enrollment_names_the_calendar_that_its_student_follows(tmp_path):
    association = {
        "studentReference": {"studentUniqueId": "S1"},
        "schoolReference": {"schoolId": 255},
        "entryDate": "2021-08-23",
        "calendarReference": {"calendarCode": "MAIN", "schoolId": 255, "schoolYear": 2022},
    }
    (tmp_path / "studentSchoolAssociations.json").write_text(json.dumps([association]))
    day = calendar_date("uri://ed-fi.org/CalendarEventDescriptor#Instructional day")
    (tmp_path / "calendarDates.json").write_text(json.dumps([day]))
    source = open_sources([tmp_path])

    (span,) = source.enrollments()
    assert isinstance(span, Item)
    assert span.row.calendar == "MAIN"
    assert [one.row.calendar for one in source.school_days() if isinstance(one, Item)] == [None, "MAIN"]
