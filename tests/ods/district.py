"""A small district in an ODS: a school and its students, with rows of every resource that is read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, Final

from tests.ods.keys import Body
from tests.ods.store import OdsState
from tests.unit.ingest.formats.edfi_record_files import JSON, SESSION, descriptor

SCHOOL: Final = 255
NAME: Final = "Ignatz"
"""Every student's first name: it must be found nowhere but here."""
_OF_STUDENTS: Final = frozenset(name for name in JSON if name.startswith("student") or name == "grades") | {
    "disciplineActions"
}
_ABSENCES: Final = ("Unexcused Absence", "Excused Absence", "Tardy")


_MORE: Final[dict[str, Body]] = {
    "studentAcademicRecords": {"schoolYearTypeReference": {"schoolYear": 2022}},
    "studentAssessments": {"assessmentReference": {"namespace": "uri://test"}},
    "studentSpecialEducationProgramAssociations": {
        "educationOrganizationReference": {"educationOrganizationId": 1},
        "programReference": {"educationOrganizationId": 1},
    },
}
"""Parts of keys that an ODS always has and a file need not have."""


def student_id(number: int) -> str:
    """A student's id; none is part of another."""
    return f"STU{number:06d}"


def fill(state: OdsState, students: int = 12, begin_year: int = 2021, days: int = 30) -> None:
    """Put a district of so many students there, in the school year that begins then, with some marks each."""
    for resource, body in _bodies(students, days):
        state.put(resource, _in_year(body, begin_year))


def _bodies(students: int, days: int) -> Iterator[tuple[str, Body]]:
    school = {"schoolId": SCHOOL, "nameOfInstitution": "First School"}
    yield "schools", school
    yield from (("calendarDates", _calendar_date(day)) for day in _weekdays(days))
    for resource in (name for name in JSON if name not in _OF_STUDENTS):
        yield from ((resource, body) for body in JSON[resource])
    for number in range(students):
        student = student_id(number)
        yield (
            "students",
            {"studentUniqueId": student, "firstName": NAME, "lastSurname": "Test", "birthDate": "2009-04-01"},
        )
        for resource in sorted(_OF_STUDENTS):
            yield from ((resource, _of(student, resource, body)) for body in JSON[resource])
        yield from (("studentSchoolAttendanceEvents", event(student, day)) for day in _absent(number, days))


def event(student: str, day: date, code: str = "") -> Body:
    """A student's mark of a day; without a code, one that depends on the day."""
    return {
        "attendanceEventCategoryDescriptor": descriptor(
            "AttendanceEventCategory", code or _ABSENCES[day.toordinal() % len(_ABSENCES)]
        ),
        "eventDate": day.isoformat(),
        "schoolReference": {"schoolId": SCHOOL},
        "sessionReference": {"schoolId": SCHOOL, "schoolYear": 2022, "sessionName": SESSION},
        "studentReference": {"studentUniqueId": student},
    }


def _absent(number: int, days: int) -> Iterator[date]:
    return (day for place, day in enumerate(_weekdays(days)) if (place * 7 + number * 3) % 5 == 0)


def _weekdays(days: int) -> Iterator[date]:
    every = (date(2021, 8, 23) + timedelta(days=number) for number in range(days))
    return (day for day in every if day.weekday() < 5)


def _calendar_date(day: date) -> Body:
    return {
        "calendarReference": {"calendarCode": "MAIN", "schoolId": SCHOOL, "schoolYear": 2022},
        "date": day.isoformat(),
        "calendarEvents": [{"calendarEventDescriptor": descriptor("CalendarEvent", "Instructional day")}],
    }


def _of(student: str, resource: str, body: Body) -> Body:
    whole = dict(body)
    for part, more in _MORE.get(resource, {}).items():
        whole[part] = whole.get(part, {}) | more
    return _replaced(whole, {'"S1"': json.dumps(student)})


def _in_year(body: Body, begin_year: int) -> Body:
    later = begin_year - 2021
    return _replaced(body, {str(year): f"@{year + later}" for year in (2021, 2022, 2023)} | {"@": ""})


def _replaced(body: object, words: dict[str, str]) -> Any:
    text = json.dumps(body)
    for old, new in words.items():
        text = text.replace(old, new)
    return json.loads(text)
