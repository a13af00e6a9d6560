"""OneRoster 1.2 and 1.1 CSV: who is where, it has no attendance; courses and grades are in `oneroster_gradebook`.

Files refer to each other by sourcedId; our ids are `identifier`, else `sourcedId`. Both end dates are exclusive there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from typing import Final, TypeVar

from services.ingest.formats.base import Found, Item, ReadLog, Rejection
from services.ingest.formats.calendar import CalendarEntry, SchoolSession
from services.ingest.formats.csv_table import CsvReader, Table
from services.ingest.formats.inputs import Input
from services.ingest.formats.layout import Layout
from services.ingest.formats.oneroster_sessions import SESSIONS, AcademicSession
from services.ingest.formats.oneroster_table import NAME_LENGTH, NOT_THERE, STUDENT, is_deleted, roster_table, word
from services.ingest.rows import fields
from services.ingest.rows.fields import FieldError, Values
from services.ingest.rows.parse import EnrollmentRow, RowError, SchoolRow, StudentRow

RowT = TypeVar("RowT")

_SCHOOL: Final = "school"
_TERMS: Final = ("term", "semester", "gradingperiod", "schoolyear")
"""Types of academic sessions, those that leave holidays out first."""
_DATES: Final = "a beginDate, or an academicSession of type schoolYear in its place"


@dataclass(frozen=True, slots=True)
class _Org:
    sourced_id: str
    school_id: str
    name: str | None
    is_school: bool
    deleted: bool


@dataclass(frozen=True, slots=True)
class _User:
    sourced_id: str
    row: StudentRow
    role: str | None
    """Only 1.1 has it here."""
    deleted: bool


@dataclass(frozen=True, slots=True)
class _Place:
    """A user's role at a school, of a class there or of the school itself."""

    user: str
    org: str
    role: str
    begin: date | None
    end: date | None
    """The first day without it."""
    deleted: bool


def _org(values: Values) -> _Org:
    sourced_id = fields.required_id(values, "sourcedId")
    return _Org(
        sourced_id,
        fields.optional_id(values, "identifier") or sourced_id,
        fields.optional_words(values, "name", NAME_LENGTH),
        word(values, "type") == _SCHOOL,
        is_deleted(values),
    )


def _user(values: Values) -> _User:
    sourced_id = fields.required_id(values, "sourcedId")
    row = StudentRow(
        fields.optional_id(values, "identifier") or sourced_id,
        fields.optional_words(values, "givenName", NAME_LENGTH),
        fields.optional_words(values, "familyName", NAME_LENGTH),
        grade=str(values.get("grades") or "").partition(",")[0].strip()[: fields.MAX_ID] or None,
    )
    return _User(sourced_id, row, word(values, "role") or None, is_deleted(values))


def _place(values: Values) -> _Place:
    return _Place(
        fields.required_id(values, "userSourcedId"),
        fields.required_id(values, "schoolSourcedId"),
        word(values, "role"),
        fields.optional_date(values, "beginDate"),
        fields.optional_date(values, "endDate"),
        is_deleted(values),
    )


_ORGS: Final = roster_table("sourcedId status name type identifier", "parentSourcedId", "sourcedId name type", _org)
_USERS: Final = roster_table(
    "sourcedId status role givenName familyName identifier grades",
    "enabledUser username userIds middleName email sms phone agentSourcedIds orgSourcedIds password "
    "userMasterIdentifier resourceSourcedIds preferredGivenName preferredMiddleName preferredFamilyName "
    "primaryOrgSourcedId pronouns",
    "sourcedId givenName familyName username",
    _user,
)
_ENROLLMENTS: Final = roster_table(
    "status userSourcedId schoolSourcedId role beginDate endDate",
    "sourcedId classSourcedId primary",
    "userSourcedId schoolSourcedId role classSourcedId",
    _place,
)
_ROLES_COLUMNS: Final = roster_table(
    "status userSourcedId role beginDate endDate",
    "sourcedId roleType userProfileSourcedId",
    "userSourcedId role orgSourcedId roleType",
    _place,
)
_ROLES: Final = Table(
    {**_ROLES_COLUMNS.columns, "orgsourcedid": "schoolSourcedId"},
    _ROLES_COLUMNS.required,
    _ROLES_COLUMNS.parse,
    _ROLES_COLUMNS.ignored,
)
TABLES: Final[dict[str, Table[object]]] = {
    "orgs": _ORGS,
    "users": _USERS,
    "roles": _ROLES,
    "enrollments": _ENROLLMENTS,
    "academicsessions": SESSIONS,
}
"""By the name of the file, in lower case, without its suffix."""
NOT_READ: Final = frozenset({"demographics", "manifest", "resources", "userprofiles"})
"""Files of a OneRoster set of which an import reads nothing."""


@dataclass(eq=False)
class Roster:
    """The files of one set: what they say of each other is looked up once."""

    files: dict[str, tuple[Input, Layout]] = field(default_factory=dict)

    def rows(self, kind: str, table: Table[RowT], log: ReadLog) -> Iterator[Found[RowT]]:
        """The rows of a file; nothing when it is not there."""
        if kind in self.files:
            source, layout = self.files[kind]
            yield from CsvReader(source, table, layout).read(log)

    @cached_property
    def orgs(self) -> dict[str, _Org]:
        """By sourcedId, also those that are deleted."""
        return {one.row.sourced_id: one.row for one in self.usable("orgs", _ORGS)}

    @cached_property
    def users(self) -> dict[str, _User]:
        """By sourcedId, also those that are deleted."""
        return {one.row.sourced_id: one.row for one in self.usable("users", _USERS)}

    @cached_property
    def students(self) -> set[str]:
        """The sourcedIds of those users who have the role of a student anywhere."""
        found = {one.sourced_id for one in self.users.values() if one.role == STUDENT}
        for kind, table in (("roles", _ROLES), ("enrollments", _ENROLLMENTS)):
            found.update(one.row.user for one in self.usable(kind, table) if one.row.role == STUDENT)
        return found

    @cached_property
    def sessions(self) -> dict[str, AcademicSession]:
        """By sourcedId, without those that are deleted."""
        found = self.usable("academicsessions", SESSIONS)
        return {one.row.sourced_id: one.row for one in found if not one.row.deleted}

    @cached_property
    def begin(self) -> date | None:
        """The first day of the last school year of the set."""
        sessions = list(self.sessions.values())
        years = [one for one in sessions if one.type == "schoolyear"]
        if years:
            return max(one.begin for one in years)
        return min((one.begin for one in sessions), default=None)

    def usable(self, kind: str, table: Table[RowT]) -> Iterator[Item[RowT]]:
        """Another look at a file, which neither counts nor says anything; nothing when it is not there."""
        return (one for one in self.rows(kind, table, ReadLog()) if isinstance(one, Item))


@dataclass(frozen=True, slots=True)
class SchoolsReader:
    """The schools among the orgs."""

    source: Input
    roster: Roster

    def read(self, log: ReadLog) -> Iterator[Found[SchoolRow]]:
        """The rows in file order."""
        for one in self.roster.rows("orgs", _ORGS, log):
            if isinstance(one, Rejection):
                yield one
            elif one.row.is_school and not one.row.deleted:
                yield Item(SchoolRow(one.row.school_id, one.row.name), one.file, one.line)


@dataclass(frozen=True, slots=True)
class StudentsReader:
    """The students among the users."""

    source: Input
    roster: Roster

    def read(self, log: ReadLog) -> Iterator[Found[StudentRow]]:
        """The rows in file order."""
        for one in self.roster.rows("users", _USERS, log):
            if isinstance(one, Rejection):
                yield one
            elif one.row.sourced_id in self.roster.students and not one.row.deleted:
                yield Item(one.row.row, one.file, one.line)


@dataclass(frozen=True, slots=True)
class EnrollmentsReader:
    """A span a student and school: from the first to the last day of what a file says of the student there."""

    source: Input
    roster: Roster
    kind: str
    """`enrollments`, of classes; or `roles`, of schools."""

    def read(self, log: ReadLog) -> Iterator[Found[EnrollmentRow]]:
        """Rejections in file order, then the spans, each with its first row's line."""
        roster = self.roster
        spans: defaultdict[tuple[str, str], list[Item[EnrollmentRow]]] = defaultdict(list)
        table = _ENROLLMENTS if self.kind == "enrollments" else _ROLES
        for one in roster.rows(self.kind, table, log):
            if isinstance(one, Rejection):
                yield one
                continue
            if one.row.deleted or one.row.role != STUDENT:
                continue
            span = self._span(one.row)
            if isinstance(span, RowError):
                yield Rejection.of(span, one.file, one.line)
            elif span is not None:
                spans[span.student_id, span.school_id].append(Item(span, one.file, one.line))
        for items in spans.values():
            yield _whole(items)

    def _span(self, place: _Place) -> EnrollmentRow | RowError | None:
        """None at an org that is no school, and where either is deleted."""
        user, org = self.roster.users.get(place.user), self.roster.orgs.get(place.org)
        if user is None:
            return RowError.of(FieldError("userSourcedId", NOT_THERE))
        if org is None:
            return RowError.of(FieldError("schoolSourcedId", NOT_THERE))
        if not org.is_school or org.deleted or user.deleted:
            return None
        begin = place.begin or self.roster.begin
        if begin is None:
            return RowError.of(FieldError("beginDate", _DATES, missing=True))
        last = None if place.end is None else place.end - timedelta(days=1)
        if last is not None and last < begin:
            return RowError.of(FieldError("endDate", "a day after beginDate"))
        return EnrollmentRow(user.row.student_id, org.school_id, begin, last, grade=user.row.grade)


@dataclass(frozen=True, slots=True)
class SessionsReader:
    """The terms of the set, as sessions of each of its schools: an academic session belongs to none."""

    source: Input
    roster: Roster

    def read(self, log: ReadLog) -> Iterator[Found[CalendarEntry]]:
        """The rows in file order."""
        found = list(self.roster.rows("academicsessions", SESSIONS, log))
        usable = [one for one in found if isinstance(one, Item) and not one.row.deleted]
        wanted = next((kind for kind in _TERMS if any(one.row.type == kind for one in usable)), None)
        yield from (one for one in found if isinstance(one, Rejection))
        for one in usable:
            if one.row.type == wanted:
                for org in self.roster.orgs.values():
                    if org.is_school and not org.deleted:
                        yield Item(SchoolSession(org.school_id, one.row.begin, one.row.last), one.file, one.line)


def _whole(items: list[Item[EnrollmentRow]]) -> Item[EnrollmentRow]:
    exits = [one.row.exit_date for one in items]
    last = None if None in exits else max(day for day in exits if day is not None)
    first = items[0]
    row = EnrollmentRow(
        first.row.student_id,
        first.row.school_id,
        min(one.row.entry_date for one in items),
        last,
        grade=first.row.grade,
    )
    return Item(row, first.file, first.line)
