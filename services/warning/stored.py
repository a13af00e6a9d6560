"""How a partition is stored: small values, each with the version of its format, written when what is in them changes.

Keys, behind the partition's number, are
- `s|student`: who the student is, what was emitted, and the course of the levels; sealed with the feed's key;
- `b|year|block|month`: the days of `BLOCK` rows in a calendar month, each student's sealed (`cells.py`);
- `c|school|month`: a school's calendar, closes and head counts of a month;
- `r|`: the control of the capacity, and how many rows there are; `m|digest`: a model that has scored days.
What can be found from these (where days count, totals, scores) is not stored.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from datetime import date
from typing import NamedTuple, TypeVar

import msgspec
import numpy as np

from models.arrays import Flags
from models.attendance import DayMarks
from models.engine.levels import State
from models.engine.register import BREAK, CODE
from models.enrollment import Span
from models.policy import Policy
from models.school import School
from services.warning.capacity import StoredCapacityControl
from services.warning.lifecycle import EmittedAlert
from services.warning.school_year import SchoolYear
from services.warning.student import Student

VERSION = 2


class UnreadableStateError(Exception):
    """The stored state was written by another release that this one cannot read."""


class OfStudent(NamedTuple):
    """A value about one student, before it is sealed."""

    pseudonym: str
    value: bytes


class Head(msgspec.Struct, array_like=True, omit_defaults=True):
    """Who a student is, what was emitted, and the course of the levels."""

    version: int
    student: str
    year: int
    row: int
    household: str | None
    grade: str | None
    agency: str | None
    consent: tuple[int, int] | None
    spans: tuple[Span, ...]
    level_at_close: int
    emitted: list[EmittedAlert] = []
    pending: list[bytes] = []
    ahead: dict[int, tuple[DayMarks, bool]] | None = None
    course: list[State] = []
    days: int = 0
    """The checksum of the days up to the course's last change."""


class MonthBlock(msgspec.Struct, array_like=True):
    """A school's facts of a calendar month."""

    version: int
    calendar: dict[int, bool]
    closed: dict[int, bool]
    counts: dict[int, tuple[int, int, int]]
    assumed: bool
    calendars: dict[str, dict[int, bool]]
    history_through: int
    """The last day closed as history, so far."""


class StoredPolicy(msgspec.Struct, array_like=True):
    """What holds for the whole partition."""

    version: int
    policy: int
    """The checksum of the policy, and whether there is a capacity: by another all is decided anew."""
    capacity_control: StoredCapacityControl
    rows: dict[int, int]
    """How many rows were given out, by school year: none is given to another, whoever of them can be read."""


Kind = TypeVar("Kind")
encode = msgspec.msgpack.Encoder().encode
decode_head = msgspec.msgpack.Decoder(Head).decode
decode_month = msgspec.msgpack.Decoder(MonthBlock).decode
decode_policy = msgspec.msgpack.Decoder(StoredPolicy).decode
decode_model = msgspec.msgpack.Decoder(tuple[int, str]).decode


def dump_head(student: Student, year: SchoolYear | None) -> OfStudent:
    """Who a student is and what was emitted; `year` is the columns' that have the student's row."""
    course = list(year.levels.course(student.row)) if year is not None else []
    value = encode(
        Head(
            version=VERSION,
            student=student.pseudonym,
            year=student.year,
            row=student.row,
            household=student.household,
            grade=student.grade,
            agency=student.agency,
            consent=student.consent,
            spans=student.spans,
            level_at_close=student.level_at_close,
            emitted=student.emitted,
            pending=[event.model_dump_json().encode() for event in student.pending],
            ahead=student.ahead,
            course=course,
            days=days_checksum(year, student.row, course) if year is not None else 0,
        )
    )
    return OfStudent(student.pseudonym, value)


def checksum(policy: Policy, *, capped: bool) -> int:
    """Of what decides levels beside the days, scores and thresholds."""
    return zlib.crc32(f"{policy.model_dump_json()}|{capped}".encode())


def day_month(day: int) -> tuple[int, int]:
    """The calendar year and month of an ordinal."""
    when = date.fromordinal(day)
    return when.year, when.month


def dump_month(school: School, year: int, month: int) -> bytes:
    """A school's facts of a month."""
    first = date(year, month, 1).toordinal()
    days = [day for day in range(first, first + 31) if day_month(day) == (year, month)]
    counts = {day: school.counts[day] for day in days if day in school.counts}
    return encode(
        MonthBlock(
            version=VERSION,
            calendar={day: school.calendar[day] for day in days if day in school.calendar},
            closed={day: school.closed[day] for day in days if day in school.closed},
            counts={day: (count.absent, count.reported, count.expected) for day, count in counts.items()},
            assumed=school.assumed,
            calendars={
                name: {day: calendar[day] for day in days if day in calendar}
                for name, calendar in school.calendars.items()
            },
            history_through=school.history_through,
        )
    )


def known(value: bytes, decode: Callable[[bytes], Kind]) -> Kind:
    """The value, if this release knows its format."""
    try:
        found = decode(value)
    except msgspec.ValidationError as error:
        raise unreadable(value) from error
    if _version(value) != VERSION:
        raise unreadable(value)
    return found


def unreadable(value: bytes) -> UnreadableStateError:
    """What to raise for a value of another format; raises `msgspec.DecodeError` for garbage."""
    return UnreadableStateError(
        f"The windows were stored in format {_version(value)}, and this First Bell reads {VERSION}. Run a release "
        "that reads it; or delete the consumer group, the table's topic and its folder: the windows are made anew then."
    )


def _version(value: bytes) -> object:
    parts = msgspec.msgpack.decode(value)
    return parts[0] if isinstance(parts, list) and parts and isinstance(parts[0], int) else "0"


def days_checksum(year: SchoolYear, row: int, course: Sequence[State]) -> int:
    """Of a row's days up to the last change of its course; equal days, equal sums. Days not shared are among them."""
    register = year.cohort.register
    columns = np.flatnonzero(register.kept[row, : register.columns] & CODE >= BREAK)
    shared = register.kept[row, columns] & CODE > BREAK
    columns = columns[: _through(course[-1], shared) if course else 0]
    return zlib.crc32(register.kept[row, columns].tobytes(), zlib.crc32(register.ordinals[columns].tobytes()))


def _through(last: State, shared: Flags) -> int:
    """How many of these days, shared or not, go up to the one on which the course changed last."""
    position, more = (last.position, 1) if last.why else (last.position - 1, 2)
    return int(np.searchsorted(np.cumsum(shared), position)) + more
