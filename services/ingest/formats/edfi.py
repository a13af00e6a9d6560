"""Ed-Fi data standard 4.0 and 5.x: attendance, and who is where, where their fields are, what they become.

Codes are those of the standard's descriptors. What is kept beside attendance is in `edfi_records` and `edfi_courses`.
"""

from __future__ import annotations

from datetime import UTC, timedelta
from hashlib import blake2b
from typing import Final

from services.contracts.marks import AttendanceStatus
from services.ingest.formats.calendar import CalendarDay, CalendarEntry, CalendarKey, SchoolSession
from services.ingest.formats.edfi_fields import (
    SCHOOL,
    STUDENT,
    Field,
    Resource,
    code_of,
    plain,
    section_fields,
    told,
    year_of,
)
from services.ingest.formats.mapping import MEANINGS, Mapping
from services.ingest.rows import fields, parse
from services.ingest.rows.fields import FieldError, Values
from services.ingest.rows.parse import MarkRow, RowError

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
_ONE_CATEGORY: Final = f"an AttendanceEventCategory of {', '.join(_CATEGORIES)}, or one that the --mapping names"
_INSTRUCTIONAL: Final = ("Instructional day", "Make-up day", "Student late arrival/early dismissal")
_NO_SCHOOL: Final = (
    "Emergency day",
    "Holiday",
    "Non-instructional day",
    "Other",
    "Strike",
    "Teacher only day",
    "Weather day",
)
_EVENTS: Final = {
    **{code.lower(): True for code in _INSTRUCTIONAL},
    **{code.lower(): False for code in _NO_SCHOOL},
}
"""By code, whether it makes a day instructional."""
_ONE_EVENT: Final = f"CalendarEvents of {', '.join((*_INSTRUCTIONAL, *_NO_SCHOOL))}, or such as the --mapping names"
_NOT_THE_SCHOOLS: Final = frozenset({"student specific", "iep", "staff"})
"""Calendar types that say nothing about the days on which the school's students have school."""
_LONGEST_SESSION: Final = timedelta(days=400)
_LONGEST_NAME: Final = 200
_SECTION_BYTES: Final = 12


def _mark(values: Values, mapping: Mapping) -> MarkRow | RowError:
    code = code_of(values.get("category"))
    named = mapping.attendance_categories.get(code)
    meaning = _BY_CODE.get(code) if named is None else MEANINGS[named]
    if meaning is None:
        return RowError.of(FieldError("status", _ONE_CATEGORY, missing=not code))
    status, excused = meaning
    try:
        modified_at = fields.optional_moment(values, "modified_at")
    except FieldError as error:
        return RowError.of(error)
    if modified_at is not None:
        modified_at = parse.to_utc(modified_at, UTC)
    return parse.parse_mark({**values, "status": status, "excused": excused}, modified_at)


def _section_mark(values: Values, mapping: Mapping) -> MarkRow | RowError:
    """A section is known by its course, school, year and session too: its identifier may come again."""
    try:
        identifier = fields.optional_id(values, "section_id")
        if identifier is None:
            return RowError.of(FieldError("section_id", "a SectionIdentifier", missing=True))
        rest = [fields.optional_text(values, name, _LONGEST_NAME) or "" for name in ("course", "year", "session")]
    except FieldError as error:
        return RowError.of(error)
    return _mark({**values, "section_id": _section(identifier, *rest)}, mapping)


def _section(identifier: str, course: str, year: str, session: str) -> str:
    """One text for what makes a section unique; where nothing but the identifier is given, that alone."""
    if not (course or year or session):
        return identifier
    whole = "\x1f".join((identifier, course, year_of(year), session))
    return blake2b(whole.encode(), digest_size=_SECTION_BYTES).hexdigest()


def _enrollment(values: Values) -> parse.EnrollmentRow | RowError:
    return parse.parse_enrollment({**values, "grade": code_of(values.get("grade"))})


def _other_calendar(values: Values) -> CalendarKey | RowError | None:
    if code_of(values.get("type")) not in _NOT_THE_SCHOOLS:
        return None
    try:
        return _calendar_key(values)
    except FieldError as error:
        return RowError.of(error)


def _calendar_day(values: Values, mapping: Mapping) -> CalendarEntry | RowError:
    events = values.get("events")
    given = events if isinstance(events, list) else []
    named = {code: kind == "instructional" for code, kind in mapping.calendar_events.items()}
    known = _EVENTS | named if named else _EVENTS
    unknown = next((event for event in given if code_of(event) not in known), None)
    try:
        if unknown is not None or not given:
            raise FieldError("events", f"{_ONE_EVENT}{told(unknown)}", missing=not given)
        instructional = any(known[code_of(event)] for event in given)
        return CalendarDay(_calendar_key(values), fields.required_date(values, "date"), instructional)
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


_DATE: Final = Field("date", "AttendanceEvent/EventDate", "eventDate")
_CATEGORY: Final = Field("category", "AttendanceEvent/AttendanceEventCategory", "attendanceEventCategoryDescriptor")
_REASON: Final = Field("reason", "AttendanceEvent/AttendanceEventReason", "attendanceEventReason")
_MODIFIED: Final = Field("modified_at", "", "_lastModifiedDate")
"""XML interchanges do not say it."""
_CALENDAR_PATH: Final = "CalendarReference/CalendarIdentity"

ATTENDANCE: Final[tuple[Resource[MarkRow], ...]] = (
    Resource(
        "StudentSchoolAttendanceEvent",
        "studentSchoolAttendanceEvents",
        (STUDENT, SCHOOL, _DATE, _CATEGORY, _REASON, _MODIFIED),
        _mark,
    ),
    Resource(
        "StudentSectionAttendanceEvent",
        "studentSectionAttendanceEvents",
        (STUDENT, *section_fields(), _DATE, _CATEGORY, _REASON, _MODIFIED),
        _section_mark,
    ),
)
CALENDARS: Final[tuple[Resource[CalendarKey], ...]] = (
    Resource(
        "Calendar",
        "calendars",
        (
            SCHOOL,
            Field("calendar", "CalendarCode", "calendarCode"),
            Field("year", "SchoolYear", "schoolYearTypeReference/schoolYear"),
            Field("type", "CalendarType", "calendarTypeDescriptor"),
        ),
        plain(_other_calendar),
    ),
)
CALENDAR_ENTRIES: Final[tuple[Resource[CalendarEntry], ...]] = (
    Resource(
        "CalendarDate",
        "calendarDates",
        (
            Field("school_id", f"{_CALENDAR_PATH}/{SCHOOL.xml}", "calendarReference/schoolId"),
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
        (SCHOOL, Field("begin", "BeginDate", "beginDate"), Field("end", "EndDate", "endDate")),
        plain(_session),
    ),
)
STUDENTS: Final[tuple[Resource[parse.StudentRow], ...]] = (
    Resource(
        "Student",
        "students",
        (
            Field("student_id", "StudentUniqueId", "studentUniqueId"),
            Field("first_name", "Name/FirstName", "firstName"),
            Field("last_name", "Name/LastSurname", "lastSurname"),
            Field("birth_date", "BirthData/BirthDate", "birthDate"),
        ),
        plain(parse.parse_student),
    ),
)
SCHOOLS: Final[tuple[Resource[parse.SchoolRow], ...]] = (
    Resource(
        "School",
        "schools",
        (Field("school_id", "SchoolId", "schoolId"), Field("name", "NameOfInstitution", "nameOfInstitution")),
        plain(parse.parse_school),
    ),
)
ENROLLMENTS: Final[tuple[Resource[parse.EnrollmentRow], ...]] = (
    Resource(
        "StudentSchoolAssociation",
        "studentSchoolAssociations",
        (
            STUDENT,
            SCHOOL,
            Field("entry_date", "EntryDate", "entryDate"),
            Field("exit_date", "ExitWithdrawDate", "exitWithdrawDate"),
            Field("grade", "EntryGradeLevel", "entryGradeLevelDescriptor"),
            Field("calendar", f"{_CALENDAR_PATH}/CalendarCode", "calendarReference/calendarCode"),
        ),
        plain(_enrollment),
    ),
)
