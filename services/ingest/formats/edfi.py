"""Ed-Fi data standard 4.0 and 5.x: the resources that are imported, where their fields are, what they become.

Codes are those of the standard's descriptors; a descriptor is a URI whose part after `#` is the code.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Generic

from services.contracts.marks import AttendanceStatus
from services.ingest import fields, rows
from services.ingest.fields import FieldError, Values
from services.ingest.formats.base import RowT_co
from services.ingest.formats.calendar import CalendarDay, CalendarEntry, CalendarKey, SchoolSession
from services.ingest.rows import MarkRow, RowError

_CATEGORIES: Final[dict[str, tuple[AttendanceStatus, bool | None]]] = {
    "In Attendance": ("present", None),
    "Present": ("present", None),
    "Excused Absence": ("absent", True),
    "Unexcused Absence": ("absent", False),
    "Tardy": ("tardy", None),
    "Early departure": ("early_departure", None),
    "Partial": ("partial", None),
}
_BY_CODE: Final = {code.lower(): meaning for code, meaning in _CATEGORIES.items()}
_ONE_CATEGORY: Final = f"an AttendanceEventCategory of {', '.join(_CATEGORIES)}"
_INSTRUCTIONAL: Final = frozenset({"instructional day", "make-up day", "student late arrival/early dismissal"})
_NOT_THE_SCHOOLS: Final = frozenset({"student specific", "iep", "staff"})
"""Calendar types that say nothing about the days on which the school's students have school."""
_LONGEST_SESSION: Final = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class Field:
    """Where a field is: a path of elements below the resource's own, and a path of JSON keys."""

    name: str
    xml: str
    json: str
    many: bool = False
    """The last element repeats; in JSON the last key is that of each member of the array before it."""


@dataclass(frozen=True, slots=True)
class Resource(Generic[RowT_co]):
    """One kind of element or JSON object; `parse` returns None for one that has nothing to say."""

    element: str
    collection: str
    fields: tuple[Field, ...]
    parse: Callable[[Values], RowT_co | RowError | None]


def code_of(descriptor: object) -> str:
    """The code of a descriptor, in lower case; empty when there is none."""
    return descriptor.rpartition("#")[2].strip().lower() if isinstance(descriptor, str) else ""


def _mark(values: Values) -> MarkRow | RowError:
    code = code_of(values.get("category"))
    meaning = _BY_CODE.get(code)
    if meaning is None:
        return RowError.of(FieldError("status", _ONE_CATEGORY, missing=not code))
    status, excused = meaning
    return rows.parse_mark({**values, "status": status, "excused": excused})


def _section_mark(values: Values) -> MarkRow | RowError:
    row = _mark(values)
    if isinstance(row, MarkRow) and row.section_id is None:
        return RowError.of(FieldError("section_id", "a SectionIdentifier", missing=True))
    return row


def _enrollment(values: Values) -> rows.EnrollmentRow | RowError:
    return rows.parse_enrollment({**values, "grade": code_of(values.get("grade"))})


def _other_calendar(values: Values) -> CalendarKey | RowError | None:
    if code_of(values.get("type")) not in _NOT_THE_SCHOOLS:
        return None
    try:
        return _calendar_key(values)
    except FieldError as error:
        return RowError.of(error)


def _calendar_day(values: Values) -> CalendarEntry | RowError:
    events = values.get("events")
    codes = {code_of(event) for event in events} if isinstance(events, list) else set()
    try:
        return CalendarDay(_calendar_key(values), fields.required_date(values, "date"), bool(codes & _INSTRUCTIONAL))
    except FieldError as error:
        return RowError.of(error)


def _calendar_key(values: Values) -> CalendarKey:
    return CalendarKey(
        fields.required_id(values, "school_id"),
        fields.required_id(values, "calendar"),
        fields.optional_id(values, "year") or "",
    )


def _session(values: Values) -> CalendarEntry | RowError:
    try:
        session = SchoolSession(
            fields.required_id(values, "school_id"),
            fields.required_date(values, "begin"),
            fields.required_date(values, "end"),
        )
    except FieldError as error:
        return RowError.of(error)
    if not timedelta(0) <= session.end - session.begin <= _LONGEST_SESSION:
        return RowError.of(FieldError("end", f"a day in the {_LONGEST_SESSION.days} days after the session's begin"))
    return session


_STUDENT: Final = Field(
    "student_id", "StudentReference/StudentIdentity/StudentUniqueId", "studentReference/studentUniqueId"
)
_SCHOOL: Final = Field("school_id", "SchoolReference/SchoolIdentity/SchoolId", "schoolReference/schoolId")
_DATE: Final = Field("date", "AttendanceEvent/EventDate", "eventDate")
_CATEGORY: Final = Field("category", "AttendanceEvent/AttendanceEventCategory", "attendanceEventCategoryDescriptor")
_REASON: Final = Field("reason", "AttendanceEvent/AttendanceEventReason", "attendanceEventReason")
_SECTION_PATH: Final = "SectionReference/SectionIdentity"
_CALENDAR_PATH: Final = "CalendarReference/CalendarIdentity"

ATTENDANCE: Final[tuple[Resource[MarkRow], ...]] = (
    Resource(
        "StudentSchoolAttendanceEvent",
        "studentSchoolAttendanceEvents",
        (_STUDENT, _SCHOOL, _DATE, _CATEGORY, _REASON),
        _mark,
    ),
    Resource(
        "StudentSectionAttendanceEvent",
        "studentSectionAttendanceEvents",
        (
            _STUDENT,
            Field(
                "school_id",
                f"{_SECTION_PATH}/CourseOfferingReference/CourseOfferingIdentity/{_SCHOOL.xml}",
                "sectionReference/schoolId",
            ),
            Field("section_id", f"{_SECTION_PATH}/SectionIdentifier", "sectionReference/sectionIdentifier"),
            _DATE,
            _CATEGORY,
            _REASON,
        ),
        _section_mark,
    ),
)
CALENDARS: Final[tuple[Resource[CalendarKey], ...]] = (
    Resource(
        "Calendar",
        "calendars",
        (
            _SCHOOL,
            Field("calendar", "CalendarCode", "calendarCode"),
            Field("year", "SchoolYear", "schoolYearTypeReference/schoolYear"),
            Field("type", "CalendarType", "calendarTypeDescriptor"),
        ),
        _other_calendar,
    ),
)
CALENDAR_ENTRIES: Final[tuple[Resource[CalendarEntry], ...]] = (
    Resource(
        "CalendarDate",
        "calendarDates",
        (
            Field("school_id", f"{_CALENDAR_PATH}/{_SCHOOL.xml}", "calendarReference/schoolId"),
            Field("calendar", f"{_CALENDAR_PATH}/CalendarCode", "calendarReference/calendarCode"),
            Field("year", f"{_CALENDAR_PATH}/SchoolYear", "calendarReference/schoolYear"),
            Field("date", "Date", "date"),
            Field("events", "CalendarEvent", "calendarEvents/calendarEventDescriptor", many=True),
        ),
        _calendar_day,
    ),
    Resource(
        "Session",
        "sessions",
        (_SCHOOL, Field("begin", "BeginDate", "beginDate"), Field("end", "EndDate", "endDate")),
        _session,
    ),
)
STUDENTS: Final[tuple[Resource[rows.StudentRow], ...]] = (
    Resource(
        "Student",
        "students",
        (
            Field("student_id", "StudentUniqueId", "studentUniqueId"),
            Field("first_name", "Name/FirstName", "firstName"),
            Field("last_name", "Name/LastSurname", "lastSurname"),
            Field("birth_date", "BirthData/BirthDate", "birthDate"),
        ),
        rows.parse_student,
    ),
)
SCHOOLS: Final[tuple[Resource[rows.SchoolRow], ...]] = (
    Resource(
        "School",
        "schools",
        (Field("school_id", "SchoolId", "schoolId"), Field("name", "NameOfInstitution", "nameOfInstitution")),
        rows.parse_school,
    ),
)
ENROLLMENTS: Final[tuple[Resource[rows.EnrollmentRow], ...]] = (
    Resource(
        "StudentSchoolAssociation",
        "studentSchoolAssociations",
        (
            _STUDENT,
            _SCHOOL,
            Field("entry_date", "EntryDate", "entryDate"),
            Field("exit_date", "ExitWithdrawDate", "exitWithdrawDate"),
            Field("grade", "EntryGradeLevel", "entryGradeLevelDescriptor"),
        ),
        _enrollment,
    ),
)

ELEMENTS: Final = frozenset(
    resource.element
    for resources in (ATTENDANCE, CALENDARS, CALENDAR_ENTRIES, STUDENTS, SCHOOLS, ENROLLMENTS)
    for resource in resources
)
"""The elements that are read, whichever interchange they are in."""
