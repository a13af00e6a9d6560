"""A batch of marks as it travels in `attendance.marks.v1`: columns, the marks of a student together.

A value that begins with `{` is JSON (`marks_record`): closes are, and batches of earlier releases were. Any other is
MessagePack of a `PackedBatch`. Columns are little-endian numbers, one a mark; a student's marks keep their order.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Final, NamedTuple, get_args

import msgspec

from services.contracts.marks import (
    AttendanceMark,
    AttendanceStatus,
    DayCounts,
    DaysClosed,
    MarkBatch,
    WeekClosed,
    marks_record,
)

STATUSES: Final[tuple[AttendanceStatus, ...]] = get_args(AttendanceStatus)
"""A mark's code is the place of its status here, and these bits."""
_PLACE: Final = {status: place for place, status in enumerate(STATUSES)}
EXCUSED: Final = 8
NOT_EXCUSED: Final = 16
"""Known not to be; without either bit it is unknown."""
HISTORY: Final = 32
NO_MOMENT: Final = -(2**63)
Ordinal = Annotated[int, msgspec.Meta(ge=1, le=date.max.toordinal())]
Heads = Annotated[int, msgspec.Meta(ge=0, lt=2**32)]
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


class PlainMark(NamedTuple):
    """As `AttendanceMark`, of what was checked before: an import makes one of every row."""

    student: str
    school_id: str
    date: date
    status: AttendanceStatus
    excused: bool | None
    section: str | None
    moment: int
    """`recorded_at` in microseconds since the epoch, or `NO_MOMENT`."""
    reason: str | None
    history: bool

    @classmethod
    def of(cls, mark: AttendanceMark) -> PlainMark:
        """The mark of the contract's model."""
        moment = NO_MOMENT if mark.recorded_at is None else microseconds(mark.recorded_at)
        return cls(
            mark.student,
            mark.school_id,
            mark.date,
            mark.status,
            mark.excused,
            mark.section,
            moment,
            mark.reason,
            mark.history,
        )


class PackedCounts(msgspec.Struct, array_like=True, frozen=True):
    """As `DayCounts`."""

    school_id: str
    day: Ordinal
    absent: Heads
    reported: Heads
    expected: Heads


class PackedBatch(msgspec.Struct, array_like=True, tag="marks.2", frozen=True):
    """As `MarkBatch`."""

    taken_at: int
    """Microseconds since the epoch."""
    students: list[str]
    numbers: bytes
    """uint16 a student: how many marks are the student's."""
    schools: list[str]
    at: bytes
    """uint16: the place in `schools`."""
    first_day: Ordinal
    days: bytes
    """uint16: days after `first_day`."""
    codes: bytes
    """uint8: the place in `STATUSES`, and the bits above."""
    moments: bytes
    """int64: `recorded_at` in microseconds since the epoch, or `NO_MOMENT`."""
    sections: list[str]
    in_section: bytes
    """uint16: the place in `sections`, from 1, 0 for none; no bytes when no mark has one."""
    reasons: list[str]
    of_reason: bytes
    """uint16, as `in_section`."""
    counts: list[PackedCounts]
    as_of: int | None = None
    """When marks without a moment were said, in microseconds since the epoch."""


encode: Final = msgspec.msgpack.Encoder().encode
decode: Final = msgspec.msgpack.Decoder(PackedBatch).decode
"""Raises `msgspec.DecodeError`."""


def is_packed(value: bytes) -> bool:
    """Whether a value of the topic is a packed batch."""
    return not value.startswith(b"{")


def pack(marks: Sequence[PlainMark], taken_at: datetime, counts: Iterable[DayCounts] = ()) -> bytes:
    """The value of a record that carries these marks, at least one."""
    by_student: dict[str, list[PlainMark]] = {}
    for mark in marks:
        by_student.setdefault(mark.student, []).append(mark)
    together = [mark for theirs in by_student.values() for mark in theirs]
    days = [mark.date.toordinal() for mark in together]
    first_day = min(days)
    schools, at = _places(mark.school_id for mark in together)
    sections, in_section = _places_from_one([mark.section for mark in together])
    reasons, of_reason = _places_from_one([mark.reason for mark in together])
    return encode(
        PackedBatch(
            taken_at=microseconds(taken_at),
            students=list(by_student),
            numbers=_column("H", map(len, by_student.values())),
            schools=schools,
            at=at,
            first_day=first_day,
            days=_column("H", (day - first_day for day in days)),
            codes=bytes(map(_code, together)),
            moments=_column("q", (mark.moment for mark in together)),
            sections=sections,
            in_section=in_section,
            reasons=reasons,
            of_reason=of_reason,
            counts=[
                PackedCounts(each.school_id, each.date.toordinal(), each.absent, each.reported, each.expected)
                for each in counts
            ],
        )
    )


def read_marks_record(value: bytes) -> MarkBatch | DaysClosed | WeekClosed:
    """Any value of the topic, as the contract's models. Raises `ValueError`."""
    return unpack(decode(value)) if is_packed(value) else marks_record.validate_json(value)


def unpack(batch: PackedBatch) -> MarkBatch:
    """The batch as the contract's model; the marks of a student are together."""
    students = [name for name, of in zip(batch.students, _read("H", batch.numbers), strict=True) for _ in range(of)]
    schools = [batch.schools[place] for place in _read("H", batch.at)]
    sections, reasons = _named(batch.sections, batch.in_section), _named(batch.reasons, batch.of_reason)
    moments, days = _read("q", batch.moments), _read("H", batch.days)
    marks = [
        AttendanceMark(
            student=student,
            school_id=schools[place],
            date=date.fromordinal(batch.first_day + days[place]),
            status=STATUSES[batch.codes[place] % EXCUSED],
            excused=True if batch.codes[place] & EXCUSED else False if batch.codes[place] & NOT_EXCUSED else None,
            section=sections[place] if sections else None,
            recorded_at=None if moments[place] == NO_MOMENT else moment_of(moments[place]),
            reason=reasons[place] if reasons else None,
            history=bool(batch.codes[place] & HISTORY),
        )
        for place, student in enumerate(students)
    ]
    counts = [
        DayCounts(
            school_id=each.school_id,
            date=date.fromordinal(each.day),
            absent=each.absent,
            reported=each.reported,
            expected=each.expected,
        )
        for each in batch.counts
    ]
    return MarkBatch(taken_at=moment_of(batch.taken_at), marks=marks, counts=counts)


def microseconds(moment: datetime) -> int:
    """Microseconds since the epoch, UTC."""
    return (moment - _EPOCH) // _MICROSECOND


def moment_of(number: int) -> datetime:
    """The moment of so many microseconds since the epoch, UTC."""
    return _EPOCH + timedelta(microseconds=number)


def _code(mark: PlainMark) -> int:
    excused = 0 if mark.excused is None else EXCUSED if mark.excused else NOT_EXCUSED
    return _PLACE[mark.status] | excused | HISTORY * mark.history


def _places(names: Iterable[str]) -> tuple[list[str], bytes]:
    known: dict[str, int] = {}
    places = _column("H", [known.setdefault(name, len(known)) for name in names])
    return list(known), places


def _places_from_one(names: Sequence[str | None]) -> tuple[list[str], bytes]:
    known: dict[str, int] = {}
    places = [0 if name is None else known.setdefault(name, len(known) + 1) for name in names]
    return list(known), _column("H", places) if known else b""


def _named(names: Sequence[str], places: bytes) -> list[str | None]:
    return [names[place - 1] if place else None for place in _read("H", places)]


def _column(kind: str, values: Iterable[int]) -> bytes:
    column = array(kind, values)
    if sys.byteorder == "big":
        column.byteswap()
    return column.tobytes()


def _read(kind: str, column: bytes) -> array[int]:
    result = array(kind)
    result.frombytes(column)
    if sys.byteorder == "big":
        result.byteswap()
    return result
