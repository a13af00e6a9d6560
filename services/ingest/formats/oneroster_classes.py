"""OneRoster: terms, and the courses that students are in by their classes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Final

from services.ingest.formats.base import Found, Item, ReadLog, Rejection, RowT
from services.ingest.formats.csv_table import Table
from services.ingest.formats.inputs import Input
from services.ingest.formats.oneroster import Roster
from services.ingest.formats.oneroster_sessions import AcademicSession
from services.ingest.formats.oneroster_table import (
    NAME_LENGTH,
    NOT_THERE,
    STUDENT,
    first_of,
    ids_of,
    is_deleted,
    roster_table,
    word,
)
from services.ingest.rows import fields, parse_records
from services.ingest.rows.fields import FieldError, Values
from services.ingest.rows.parse import RowError
from services.ingest.rows.records import Record


@dataclass(frozen=True, slots=True)
class RosterCourse:
    """A row of `courses`."""

    sourced_id: str
    code: str
    title: str | None
    subject: str | None


@dataclass(frozen=True, slots=True)
class RosterClass:
    """A row of `classes`."""

    sourced_id: str
    title: str | None
    course: str
    """The sourcedId of its course."""
    terms: tuple[str, ...]
    """The sourcedIds of its academic sessions."""
    subject: str | None


@dataclass(frozen=True, slots=True)
class _Seat:
    user: str
    class_id: str
    role: str
    begin: date | None
    end: date | None
    """The first day without it."""
    deleted: bool


def _course(values: Values) -> RosterCourse:
    sourced_id = fields.required_id(values, "sourcedId")
    return RosterCourse(
        sourced_id,
        fields.optional_words(values, "courseCode", NAME_LENGTH) or sourced_id,
        fields.optional_words(values, "title", NAME_LENGTH),
        first_of(values, "subjects"),
    )


def _class(values: Values) -> RosterClass:
    sourced_id = fields.required_id(values, "sourcedId")
    return RosterClass(
        sourced_id,
        fields.optional_words(values, "title", NAME_LENGTH),
        fields.optional_id(values, "courseSourcedId") or sourced_id,
        ids_of(values, "termSourcedIds"),
        first_of(values, "subjects"),
    )


def _seat(values: Values) -> _Seat:
    return _Seat(
        fields.required_id(values, "userSourcedId"),
        fields.required_id(values, "classSourcedId"),
        word(values, "role"),
        fields.optional_date(values, "beginDate"),
        fields.optional_date(values, "endDate"),
        is_deleted(values),
    )


COURSES: Final = roster_table(
    "sourcedId title courseCode subjects",
    "status schoolYearSourcedId grades orgSourcedId subjectCodes resources",
    "sourcedId title orgSourcedId",
    _course,
)
CLASSES: Final = roster_table(
    "sourcedId title courseSourcedId termSourcedIds subjects",
    "status grades classCode classType location schoolSourcedId subjectCodes periods resources",
    "sourcedId courseSourcedId schoolSourcedId",
    _class,
)
_SEATS: Final = roster_table(
    "status userSourcedId classSourcedId role beginDate endDate",
    "sourcedId schoolSourcedId primary",
    "userSourcedId classSourcedId role",
    _seat,
)


@dataclass(eq=False)
class Classes:
    """What the classes of a set are of: as many as there are classes, courses and terms."""

    roster: Roster

    @cached_property
    def by_id(self) -> dict[str, RosterClass]:
        """The classes, also those that are over: what was said of them stands."""
        return {one.row.sourced_id: one.row for one in self.roster.usable("classes", CLASSES)}

    @cached_property
    def courses(self) -> dict[str, RosterCourse]:
        """The courses, likewise."""
        return {one.row.sourced_id: one.row for one in self.roster.usable("courses", COURSES)}

    @cached_property
    def terms(self) -> dict[str, str]:
        """The name of each academic session: its own, with its sourcedId where another's with other days has it too."""
        sessions = self.roster.sessions
        days = {(one.name, one.begin, one.end) for one in sessions.values()}
        times = Counter(name for name, _, _ in days)
        return {
            sourced_id: one.name if times[one.name] == 1 else f"{one.name} ({sourced_id})"
            for sourced_id, one in sessions.items()
        }

    def code(self, one: RosterClass) -> str:
        """What the course of a class is known by: its code, else its sourcedId."""
        course = self.courses.get(one.course)
        return one.course if course is None else course.code

    def sessions(self, one: RosterClass) -> list[AcademicSession]:
        """Those of a class that the set has."""
        return [self.roster.sessions[term] for term in one.terms if term in self.roster.sessions]


@dataclass(frozen=True, slots=True)
class RosterFaults:
    """What cannot be used of a file that is looked up for others."""

    source: Input
    roster: Roster
    kind: str
    table: Table[object]

    def read(self, log: ReadLog) -> Iterator[Found[Record]]:
        """The rejections alone."""
        return (one for one in self.roster.rows(self.kind, self.table, log) if isinstance(one, Rejection))


@dataclass(frozen=True, slots=True)
class ClassEnrollmentsReader:
    """The courses of the students who are enrolled in classes."""

    source: Input
    classes: Classes

    def read(self, log: ReadLog) -> Iterator[Found[Record]]:
        """The rows in file order."""
        for one in self.classes.roster.rows("enrollments", _SEATS, log):
            if isinstance(one, Rejection):
                yield one
            elif one.row.role == STUDENT and not one.row.deleted:
                row = self._course(one.row)
                if row is not None:
                    yield found(row, one)

    def _course(self, seat: _Seat) -> Record | RowError | None:
        """None of a student who is deleted."""
        user, place = self.classes.roster.users.get(seat.user), self.classes.by_id.get(seat.class_id)
        if user is None:
            return RowError.of(FieldError("userSourcedId", NOT_THERE))
        if place is None:
            return RowError.of(FieldError("classSourcedId", NOT_THERE))
        if user.deleted:
            return None
        course, sessions = self.classes.courses.get(place.course), self.classes.sessions(place)
        last = seat.end - timedelta(days=1) if seat.end else max((one.last for one in sessions), default=None)
        return parse_records.parse_course(
            {
                "student_id": user.row.student_id,
                "course": self.classes.code(place),
                "term": self.classes.terms[sessions[0].sourced_id] if len(sessions) == 1 else None,
                "title": (course and course.title) or place.title,
                "subject": place.subject or (course and course.subject),
                "start_date": _iso(seat.begin or min((one.begin for one in sessions), default=None)),
                "end_date": _iso(last),
            }
        )


def found(row: RowT | RowError, at: Item[object]) -> Found[RowT]:
    """A row, or its rejection, where another was."""
    return Rejection.of(row, at.file, at.line) if isinstance(row, RowError) else Item(row, at.file, at.line)


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
