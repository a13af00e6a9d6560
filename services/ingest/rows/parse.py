"""The rows that come in, by file or HTTP: one function a kind reads CSV strings and JSON values alike.

A function returns the row, or a `RowError` whose reason is safe to show: it holds nothing of what was given.
Unknown fields are ignored. What the agreement shares beside attendance is in `parse_records`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, tzinfo
from functools import lru_cache
from typing import Final, Literal, get_args
from zoneinfo import available_timezones

from services.contracts.marks import AttendanceStatus
from services.ingest.rows import fields
from services.ingest.rows.fields import FieldError, Values

Relationship = Literal["parent", "guardian", "self"]
"""Whose signature it is: the student's own counts from the eighteenth birthday on."""

STATUSES: Final[dict[str, AttendanceStatus]] = {
    "present": "present",
    "absent": "absent",
    "tardy": "tardy",
    "early_departure": "early_departure",
    "partial": "partial",
    "retracted": "retracted",
}
REASONS: Final = frozenset(
    {"illness", "medical", "family", "bereavement", "religious", "weather", "transport", "suspension", "unknown"}
)
"""The codes of a reason that are kept; anything else is free text and is dropped."""

_MINUTES_A_DAY: Final = 1440
_NAME_LENGTH: Final = 200
_ONE_STATUS: Final = f"one of {', '.join(STATUSES)}"
_RELATIONSHIPS: Final[dict[str, Relationship]] = {one: one for one in get_args(Relationship)}
_ONE_RELATIONSHIP: Final = f"one of {', '.join(_RELATIONSHIPS)}"
_OF_A_CONSENT: Final = {
    "signed_on": "a date as YYYY-MM-DD, or revoked_on with one",
    "signed_by": "who signed",
    "relationship": _ONE_RELATIONSHIP,
    "method": "how it was signed",
    "records": "the kinds of records, as a list or parted by ;",
    "purpose": "the purpose",
    "recipients": "who may have them, as a list or parted by ;",
}
"""What a consent must say, and what is expected there."""


@dataclass(frozen=True, slots=True)
class RowError:
    """Why a row cannot be used; `field` is None when it is the whole row."""

    field: str | None
    reason: str

    @classmethod
    def of(cls, error: FieldError) -> RowError:
        """The error of one field."""
        return cls(error.field, str(error))


@dataclass(unsafe_hash=True, slots=True)  # nothing changes one, but `frozen` triples the time to make one
class MarkRow:
    """A row of `attendance.csv`. `recorded_at` without an offset stands in the school's timezone."""

    student_id: str
    school_id: str
    date: date
    status: AttendanceStatus
    excused: bool | None = None
    section_id: str | None = None
    minutes_missed: int | None = None
    reason: str | None = None
    recorded_at: datetime | None = None
    modified_at: datetime | None = None
    """When the source last changed it (UTC): the moment of what an import says, but not the day of a replay."""
    event_id: str | None = None
    """The sender's own id of the event; only HTTP entries have it."""


@dataclass(frozen=True, slots=True)
class ConsentRow:
    """A row of `consents.csv`; one without `signed_on` is a revocation alone.

    A revocation is of the records, purpose and recipients that it names: of all, where it names none.
    """

    student_id: str
    agreement_id: str
    signed_by: str | None
    relationship: Relationship | None
    signed_on: date | None
    method: str | None
    records: tuple[str, ...]
    purpose: str | None
    recipients: tuple[str, ...]
    expires_on: date | None
    """The last day in force."""
    revoked_on: date | None
    """The first day without it."""
    household_id: str | None = None
    """Only HTTP entries have it: known at the first consent, it brings siblings together."""
    birth_date: date | None = None
    """Whose eighteenth birthday it is from which a student signs alone; where it is known."""


@dataclass(frozen=True, slots=True)
class EnrollmentRow:
    """A row of `enrollments.csv`; both ends are days enrolled."""

    student_id: str
    school_id: str
    entry_date: date
    exit_date: date | None = None
    household_id: str | None = None
    grade: str | None = None
    calendar: str | None = None
    """Which of the school's calendars the student follows; None: what all of them come to."""


@dataclass(frozen=True, slots=True)
class SchoolDayRow:
    """A row of `calendar.csv`; `reported` says that the school has closed the day."""

    school_id: str
    date: date
    instructional: bool | None = None
    reported: bool = False
    calendar: str | None = None
    """The day of the students who follow this calendar; None: the school's."""
    assumed: bool = False
    """Nobody said so: a weekday of a school without a calendar."""


@dataclass(frozen=True, slots=True)
class SchoolRow:
    """A row of `schools.csv`; `timezone` is an IANA name."""

    school_id: str
    name: str | None = None
    campus: str | None = None
    timezone: str | None = None


@dataclass(frozen=True, slots=True)
class StudentRow:
    """What is read of a row of `students.csv`."""

    student_id: str
    first_name: str | None = None
    last_name: str | None = None
    birth_date: date | None = None
    grade: str | None = None
    household_id: str | None = None


def parse_mark(values: Values, modified_at: datetime | None = None) -> MarkRow | RowError:
    """The mark of a row of `attendance.csv` or an entry of `POST /v1/attendance`."""
    try:
        return MarkRow(
            student_id=fields.required_id(values, "student_id"),
            school_id=fields.required_id(values, "school_id"),
            date=fields.required_date(values, "date"),
            status=_status(values),
            excused=fields.optional_flag(values, "excused"),
            section_id=fields.optional_id(values, "section_id"),
            minutes_missed=fields.optional_count(values, "minutes_missed", _MINUTES_A_DAY),
            reason=reason_code(values.get("reason")),
            recorded_at=fields.optional_moment(values, "recorded_at"),
            modified_at=modified_at,
            event_id=fields.optional_id(values, "event_id"),
        )
    except FieldError as error:
        return RowError.of(error)


def parse_consent(values: Values) -> ConsentRow | RowError:
    """The consent, or revocation, of a row of `consents.csv` or an entry of `POST /v1/consents`.

    Of a consent nothing may be missing. Of one that was revoked what is there counts: as a revocation, then.
    """
    try:
        row = ConsentRow(
            student_id=fields.required_id(values, "student_id"),
            agreement_id=fields.required_id(values, "agreement_id"),
            signed_by=fields.optional_words(values, "signed_by", _NAME_LENGTH),
            relationship=_relationship(values),
            signed_on=fields.optional_date(values, "signed_on"),
            method=fields.optional_text(values, "method"),
            records=fields.text_list(values, "records"),
            purpose=fields.optional_text(values, "purpose"),
            recipients=fields.text_list(values, "recipients"),
            expires_on=fields.optional_date(values, "expires_on"),
            revoked_on=fields.optional_date(values, "revoked_on"),
            household_id=fields.optional_id(values, "household_id"),
            birth_date=fields.optional_birth_date(values, "birth_date"),
        )
    except FieldError as error:
        return RowError.of(error)
    missing = next((name for name in _OF_A_CONSENT if not getattr(row, name)), None)
    if missing is None:
        return row
    if row.revoked_on is None:
        empty = not str(values.get(missing) or "").strip()
        return RowError.of(FieldError(missing, _OF_A_CONSENT[missing], missing=empty))
    return replace(row, signed_on=None)


def parse_enrollment(values: Values) -> EnrollmentRow | RowError:
    """The span of a row of `enrollments.csv` or an entry of `POST /v1/enrollments`."""
    try:
        row = EnrollmentRow(
            student_id=fields.required_id(values, "student_id"),
            school_id=fields.required_id(values, "school_id"),
            entry_date=fields.required_date(values, "entry_date"),
            exit_date=fields.optional_date(values, "exit_date"),
            household_id=fields.optional_id(values, "household_id"),
            grade=fields.optional_text(values, "grade"),
            calendar=fields.optional_id(values, "calendar"),
        )
    except FieldError as error:
        return RowError.of(error)
    if row.exit_date is not None and row.exit_date < row.entry_date:
        return RowError("exit_date", "exit_date: expected entry_date or a later day")
    return row


def parse_school_day(values: Values) -> SchoolDayRow | RowError:
    """The day of a row of `calendar.csv` or an entry of `POST /v1/school-days`."""
    try:
        return SchoolDayRow(
            school_id=fields.required_id(values, "school_id"),
            date=fields.required_date(values, "date"),
            instructional=fields.optional_flag(values, "instructional"),
            reported=fields.optional_flag(values, "reported") or False,
            calendar=fields.optional_id(values, "calendar"),
        )
    except FieldError as error:
        return RowError.of(error)


def parse_school(values: Values) -> SchoolRow | RowError:
    """The school of a row of `schools.csv`."""
    try:
        row = SchoolRow(
            school_id=fields.required_id(values, "school_id"),
            name=fields.optional_words(values, "name", _NAME_LENGTH),
            campus=fields.optional_words(values, "campus", _NAME_LENGTH),
            timezone=fields.optional_text(values, "timezone"),
        )
    except FieldError as error:
        return RowError.of(error)
    if row.timezone is not None and row.timezone not in _zones():
        return RowError("timezone", "timezone: expected an IANA name such as America/New_York")
    return row


def parse_student(values: Values) -> StudentRow | RowError:
    """What is read of a row of `students.csv`."""
    try:
        return StudentRow(
            student_id=fields.required_id(values, "student_id"),
            first_name=fields.optional_words(values, "first_name", _NAME_LENGTH),
            last_name=fields.optional_words(values, "last_name", _NAME_LENGTH),
            birth_date=fields.optional_birth_date(values, "birth_date"),
            grade=fields.optional_text(values, "grade"),
            household_id=fields.optional_id(values, "household_id"),
        )
    except FieldError as error:
        return RowError.of(error)


def reason_code(value: object) -> str | None:
    """The known code that a reason is, or None: free text is never kept."""
    if not isinstance(value, str) or not value:
        return None
    code = value.strip().lower()
    return code if code in REASONS else None


def to_utc(recorded_at: datetime, zone: tzinfo) -> datetime:
    """The moment in UTC; one without an offset stands in the school's timezone."""
    local = recorded_at.replace(tzinfo=zone) if recorded_at.tzinfo is None else recorded_at
    return local.astimezone(UTC)


def _status(values: Values) -> AttendanceStatus:
    value = values.get("status")
    if isinstance(value, str):
        status = STATUSES.get(value) or STATUSES.get(value.strip().lower())
        if status is not None:
            return status
        if value.strip():
            raise FieldError("status", _ONE_STATUS)
    raise FieldError("status", _ONE_STATUS, missing=value is None or value == "")


def _relationship(values: Values) -> Relationship | None:
    """None also for another word: of a consent it is missing then, and a revocation does without."""
    return _RELATIONSHIPS.get((fields.optional_text(values, "relationship") or "").lower())


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())
