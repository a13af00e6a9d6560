"""How a partition is stored: small values, each with the version of its format, written when what is in them changes.

Keys, behind the partition's number, are
- `s|student`: who the student is, what was emitted, and the course of the levels;
- `b|year|block|month`: the days of `BLOCK` rows in a calendar month, a cell a student;
- `c|school|month`: a school's calendar, closes and head counts of a month;
- `r|`: the control of the capacity; `m|digest`: a model that has scored days.
What can be found from these (where days count, totals, scores) is not stored.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from datetime import date
from typing import TypeVar

import msgspec
import numpy as np
import numpy.typing as npt

from models.arrays import Flags, Ints, Moments
from models.attendance import NO_TIME, DayMarks
from models.engine.levels import State
from models.engine.register import BREAK, CODE, Register
from models.enrollment import Span
from models.policy import Policy
from models.school import School
from services.warning.capacity import StoredCapacityControl
from services.warning.lifecycle import EmittedAlert
from services.warning.school_year import BLOCK, SchoolYear
from services.warning.student import Student

VERSION = 1


class UnreadableStateError(Exception):
    """The stored state was written by another release that this one cannot read."""


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
    withdrawn: bool
    last_seq: int
    level_at_close: int
    emitted: list[EmittedAlert] = []
    pending: list[bytes] = []
    ahead: dict[int, tuple[DayMarks, bool]] | None = None
    course: list[State] = []
    days: int = 0
    """The checksum of the days up to the course's last change."""


class Block(msgspec.Struct, array_like=True):
    """The days of some rows in a calendar month."""

    version: int
    days: list[int]
    schools: list[str]
    base: int
    """Microseconds, from a day's midnight (UTC), of the earliest moment."""
    unit: int
    """Of moments, in microseconds."""
    width: int
    """Bytes a moment."""
    cells: list[bytes]
    """A cell a row; empty where nothing was said."""


class Cell(msgspec.Struct, array_like=True, omit_defaults=True):
    """One row's days in a block."""

    said: bytes
    at: bytes
    """The school of each day, by its place in the block's; one byte when all are the same."""
    moments: bytes
    several: bytes = b""
    """The rows of the days that several make, by ordinal, deflated: their schools and sections have long names."""


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
    """The control of the capacity, and by which policy levels were decided."""

    version: int
    policy: int
    """The checksum of the policy, and whether there is a capacity: by another all is decided anew."""
    capacity_control: StoredCapacityControl


Kind = TypeVar("Kind", Head, Block, MonthBlock, StoredPolicy, tuple[int, str])
_Packed = npt.NDArray[np.unsignedinteger]
encode = msgspec.msgpack.Encoder().encode
decode_head = msgspec.msgpack.Decoder(Head).decode
decode_block = msgspec.msgpack.Decoder(Block).decode
decode_cell = msgspec.msgpack.Decoder(Cell).decode
_decode_several = msgspec.msgpack.Decoder(dict[int, DayMarks]).decode
decode_month = msgspec.msgpack.Decoder(MonthBlock).decode
decode_policy = msgspec.msgpack.Decoder(StoredPolicy).decode
decode_model = msgspec.msgpack.Decoder(tuple[int, str]).decode
_UNITS = (60_000_000, 1_000_000, 1_000, 1)
_DAY = 86_400_000_000
_EPOCH = date(1970, 1, 1).toordinal()


def dump_head(student: Student, year: SchoolYear | None) -> bytes:
    """Who a student is and what was emitted; `year` is the columns' that have the student's row."""
    course = list(year.levels.course(student.row)) if year is not None else []
    return encode(
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
            withdrawn=student.withdrawn,
            last_seq=student.last_seq,
            level_at_close=student.level_at_close,
            emitted=student.emitted,
            pending=[event.model_dump_json().encode() for event in student.pending],
            ahead=student.ahead,
            course=course,
            days=days_checksum(year, student.row, course) if year is not None else 0,
        )
    )


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


def dump_block(year: SchoolYear, block: int, month: int) -> bytes | None:
    """The days of a block of rows in a month; None when nothing was said of them."""
    register = year.cohort.register
    columns = year.columns_of(month)
    first, end = block * BLOCK, min(block * BLOCK + BLOCK, register.rows)
    if not columns or not register.said[first:end, columns].any():
        return None
    at = slice(columns[0], columns[-1] + 1)
    days = register.days[at]
    said, said_at = register.said[first:end, at], register.said_at[first:end, at]
    moments, base, unit = _pack(register, slice(first, end), at)
    numbers = np.unique(said_at[said > 0])
    places = np.searchsorted(numbers, said_at).astype(place_kind(len(numbers)))
    marked = said > 0
    some = set(np.flatnonzero(marked.any(axis=1)).tolist())
    lowest = np.where(marked, places, places.max()).min(axis=1)
    single = set(np.flatnonzero(np.where(marked, places, 0).max(axis=1) == lowest).tolist())
    cells = []
    for place, row in enumerate(range(first, end)):
        if place not in some:
            cells.append(b"")
            continue
        at_schools = lowest[place].tobytes() if place in single else places[place].tobytes()
        several = year.marks.several_of(row)
        if several:
            several = {day: rows for day, rows in several.items() if days[0] <= day <= days[-1]}
        cells.append(encode(Cell(said[place].tobytes(), at_schools, moments[place].tobytes(), _deflated(several))))
    names = [register.names[number] for number in numbers.tolist()]
    return encode(Block(VERSION, days, names, base, unit, moments.dtype.itemsize, cells))


def _pack(register: Register, rows: slice, columns: slice) -> tuple[_Packed, int, int]:
    """Moments as small numbers: 0 for none, else one more than the units since the day's midnight and the base."""
    assert register.moment is not None
    moments = register.moment[rows, columns]
    given = (register.said[rows, columns] > 0) & (moments != NO_TIME)
    since = moments - midnight(register.ordinals[columns])
    if not given.any():
        return np.zeros(moments.shape, np.uint8)[:, :0], 0, 1
    base = int(since[given].min())
    unit = next(unit for unit in _UNITS if not ((since[given] - base) % unit).any())
    packed = np.where(given, (since - base) // unit + 1, 0)
    most = int(packed.max())
    kind = next(kind for kind in (np.uint8, np.uint16, np.uint32, np.uint64) if most <= np.iinfo(kind).max)
    return packed.astype(kind), base, unit


def _deflated(several: dict[int, DayMarks]) -> bytes:
    return zlib.compress(encode(several), 1) if several else b""


def several_of(cell: Cell) -> dict[int, DayMarks]:
    """The rows of the days that several make, by ordinal."""
    return _decode_several(zlib.decompress(cell.several)) if cell.several else {}


def place_kind(schools: int) -> type[np.uint8] | type[np.uint16]:
    """How the places of so many schools are stored."""
    return np.uint8 if schools <= np.iinfo(np.uint8).max else np.uint16


def midnight(ordinals: Ints) -> Moments:
    """When these days began, UTC."""
    return (ordinals.astype(np.int64) - _EPOCH) * _DAY


def known(value: bytes, decode: Callable[[bytes], Kind]) -> Kind:
    """The value, if this release knows its format."""
    try:
        found = decode(value)
    except msgspec.ValidationError as error:
        raise _unreadable(_version(value)) from error
    version = found[0] if isinstance(found, tuple) else found.version
    if version != VERSION:
        raise _unreadable(version)
    return found


def _unreadable(version: object) -> UnreadableStateError:
    return UnreadableStateError(
        f"The windows were stored in format {version}, and this First Bell reads {VERSION}. Run a release "
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
