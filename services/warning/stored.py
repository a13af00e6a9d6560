"""How a partition is stored: small values, each with the version of its format, written when what is in them changes.

Keys, behind the partition's number, are
- `s|student`: who the student is, what was told, and the course of the levels;
- `b|year|block|month`: the days of `BLOCK` rows in a calendar month, a cell a student;
- `c|school|month`: a school's calendar, closes and head counts of a month;
- `r|`: the steering of the capacity; `m|digest`: a model that has scored days.
What can be found from these (where days count, totals, scores) is not stored.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import TypeVar

import msgspec
import numpy as np
import numpy.typing as npt

from models.arrays import Ints, Moments
from models.artifact import Artifact, parse_artifact
from models.attendance import NO_TIME, DayMarks
from models.engine.levels import State
from models.engine.register import Register
from models.enrollment import Span
from models.policy import Policy
from models.school import School
from models.shock import HeadCount
from services.contracts.alerts import AlertEvent
from services.contracts.ids import Pseudonym
from services.warning.lifecycle import Told
from services.warning.partition import Partition
from services.warning.school_year import BLOCK, SchoolYear
from services.warning.steering import Steering, StoredSteering
from services.warning.student import NO_ROW, Student

VERSION = 1
Kind = TypeVar("Kind")


class UnreadableStateError(Exception):
    """The stored state was written by another release that this one cannot read."""


class _Head(msgspec.Struct, array_like=True, omit_defaults=True):
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
    told: list[Told] = []
    pending: list[bytes] = []
    ahead: dict[int, tuple[DayMarks, bool]] | None = None
    course: list[State] = []
    days: int = 0
    """The checksum of the days that the course is of."""


class _Block(msgspec.Struct, array_like=True):
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


class _Cell(msgspec.Struct, array_like=True, omit_defaults=True):
    said: bytes
    at: bytes
    """The school of each day, by its place in the block's; one byte when all are the same."""
    moments: bytes
    several: dict[int, DayMarks] = {}


class _Month(msgspec.Struct, array_like=True):
    version: int
    calendar: dict[int, bool]
    closed: dict[int, bool]
    counts: dict[int, tuple[int, int, int]]
    assumed: bool


class _Steering(msgspec.Struct, array_like=True):
    version: int
    policy: int
    """The checksum of the policy, and whether there is a capacity: by another all is decided anew."""
    steering: StoredSteering


_Packed = npt.NDArray[np.unsignedinteger]
_encode = msgspec.msgpack.Encoder().encode
_head = msgspec.msgpack.Decoder(_Head).decode
_block = msgspec.msgpack.Decoder(_Block).decode
_cell = msgspec.msgpack.Decoder(_Cell).decode
_month = msgspec.msgpack.Decoder(_Month).decode
_steering = msgspec.msgpack.Decoder(_Steering).decode
_model = msgspec.msgpack.Decoder(tuple[int, str]).decode
_UNITS = (60_000_000, 1_000_000, 1_000, 1)
_DAY = 86_400_000_000
_EPOCH = date(1970, 1, 1).toordinal()


class Store:
    """What of a partition has been written, and what must be next."""

    def __init__(self, partition: Partition) -> None:
        self._partition = partition
        self._steering = b""
        self._models: set[str] = set()

    def take_changes(self) -> list[tuple[str, bytes | None]]:
        """Keys and values of what has changed since the last call; None where there is nothing any more."""
        partition = self._partition
        changes = list(self._of_years())
        changes += [(f"s|{student.pseudonym}", self._dump(student)) for student in partition.changed_students]
        months = {(school, day_month(day)) for school, day in partition.changed_schools}
        changes += [
            (f"c|{school}|{year}-{month:02}", dump_month(partition.schools[school], year, month))
            for school, (year, month) in sorted(months)
        ]
        changes += self._of_steering()
        partition.changed_students, partition.changed_schools = set(), set()
        return changes

    def _of_years(self) -> Iterator[tuple[str, bytes | None]]:
        for number, year in list(self._partition.years.items()):
            if year.changed.any():
                for block, month in zip(*(each.tolist() for each in np.nonzero(year.changed)), strict=True):
                    yield f"b|{number}|{block}|{month}", dump_block(year, block, month)
                year.changed[:] = False
            if not year.rows:
                del self._partition.years[number]

    def _of_steering(self) -> Iterator[tuple[str, bytes]]:
        steering = self._partition.steering
        value = _encode(_Steering(VERSION, checksum(self._partition), steering.dump()))
        if value != self._steering:
            self._steering = value
            yield "r|", value
        for since in steering.models:
            if since.artifact is not None and since.artifact.digest not in self._models:
                self._models.add(since.artifact.digest)
                yield f"m|{since.artifact.digest}", _encode((VERSION, since.artifact.dump()))

    def _dump(self, student: Student) -> bytes:
        course = list(self._partition.years[student.year].levels.course(student.row)) if student.row != NO_ROW else []
        return _encode(
            _Head(
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
                told=student.told,
                pending=[event.model_dump_json().encode() for event in student.pending],
                ahead=student.ahead,
                course=course,
                days=_days(self._partition.years[student.year], student.row) if course else 0,
            )
        )


def load(items: Mapping[str, bytes], policy: Policy, steering: Steering, loaded_at: datetime) -> Partition:
    """The partition as it was last written. Raises `UnreadableStateError`, or `msgspec.DecodeError` for garbage."""
    by_kind: defaultdict[str, list[tuple[str, bytes]]] = defaultdict(list)
    for key, value in items.items():
        kind, rest = key.split("|", 1)
        by_kind[kind].append((rest, value))
    partition = Partition(policy, steering)
    partition.caused(loaded_at)
    for rest, value in sorted(by_kind["c"]):
        _load_month(partition, rest.rsplit("|", 1)[0], _known(value, _month))
    for school in partition.schools.values():
        school.find_shocks(policy.shock)
    heads = [_known(value, _head) for _, value in by_kind["s"]]
    blocks = [(rest.split("|"), _known(value, _block)) for rest, value in by_kind["b"]]
    known = _load_steering(partition, by_kind, blocks)
    _load_rows(partition, heads, blocks)
    for head in heads:
        partition.add(_load_head(partition, head))
    for student in partition.students.values():
        partition.place(student)
    _remember(partition, heads, known=known)
    return partition


def checksum(partition: Partition) -> int:
    """Of what decides levels beside the days, scores and thresholds."""
    return zlib.crc32(f"{partition.policy.model_dump_json()}|{partition.steering.capped}".encode())


def day_month(day: int) -> tuple[int, int]:
    """The calendar year and month of an ordinal."""
    when = date.fromordinal(day)
    return when.year, when.month


def dump_month(school: School, year: int, month: int) -> bytes:
    """A school's facts of a month."""
    first = date(year, month, 1).toordinal()
    days = [day for day in range(first, first + 31) if day_month(day) == (year, month)]
    counts = {day: school.counts[day] for day in days if day in school.counts}
    return _encode(
        _Month(
            version=VERSION,
            calendar={day: school.calendar[day] for day in days if day in school.calendar},
            closed={day: school.closed[day] for day in days if day in school.closed},
            counts={day: (count.absent, count.reported, count.expected) for day, count in counts.items()},
            assumed=school.assumed,
        )
    )


def dump_block(year: SchoolYear, block: int, month: int) -> bytes | None:
    """The days of a block of rows in a month; None when nothing was said of them."""
    register = year.cohort.register
    columns = [column for column, day in enumerate(register.days) if day_month(day)[1] == month]
    first, end = block * BLOCK, min(block * BLOCK + BLOCK, register.rows)
    if not columns or not register.said[first:end, columns].any():
        return None
    at = slice(columns[0], columns[-1] + 1)
    said, said_at = register.said[first:end, at], register.said_at[first:end, at]
    moments, base, unit = _pack(register, slice(first, end), at)
    numbers = np.unique(said_at[said > 0])
    places = np.searchsorted(numbers, said_at).astype(_place_kind(len(numbers)))
    cells = []
    for place in range(end - first):
        marked = said[place] > 0
        if not marked.any():
            cells.append(b"")
            continue
        where = places[place]
        single = (where[marked] == where[marked][0]).all()
        several = {
            day: rows
            for day, rows in year.marks.several_of(first + place).items()
            if register.days[at.start] <= day <= register.days[at.stop - 1]
        }
        cell = _Cell(
            said[place].tobytes(),
            where[marked][:1].tobytes() if single else where.tobytes(),
            moments[place].tobytes(),
            several,
        )
        cells.append(_encode(cell))
    names = [register.names[number] for number in numbers.tolist()]
    return _encode(_Block(VERSION, register.days[at], names, base, unit, moments.dtype.itemsize, cells))


def _pack(register: Register, rows: slice, columns: slice) -> tuple[_Packed, int, int]:
    """Moments as small numbers: 0 for none, else one more than the units since the day's midnight and the base."""
    assert register.moment is not None
    moments, midnight = register.moment[rows, columns], _midnight(register.ordinals[columns])
    given = (register.said[rows, columns] > 0) & (moments != NO_TIME)
    since = moments - midnight
    if not given.any():
        return np.zeros(moments.shape, np.uint8)[:, :0], 0, 1
    base = int(since[given].min())
    unit = next(unit for unit in _UNITS if not ((since[given] - base) % unit).any())
    packed = np.where(given, (since - base) // unit + 1, 0)
    most = int(packed.max())
    kind = next(kind for kind in (np.uint8, np.uint16, np.uint32, np.uint64) if most <= np.iinfo(kind).max)
    return packed.astype(kind), base, unit


def _place_kind(schools: int) -> type[np.uint8] | type[np.uint16]:
    return np.uint8 if schools <= np.iinfo(np.uint8).max else np.uint16


def _midnight(ordinals: Ints) -> Moments:
    return (ordinals.astype(np.int64) - _EPOCH) * _DAY


def _known(value: bytes, decode: Callable[[bytes], Kind]) -> Kind:
    """The value, if this release knows its format."""
    try:
        return decode(value)
    except msgspec.ValidationError as error:
        version = _version(value)
        raise UnreadableStateError(
            f"The windows were stored in format {version}, and this First Bell reads {VERSION}. Start it with a new "
            "consumer group or remove the table's topic and folder: the windows are made anew from the marks."
        ) from error


def _version(value: bytes) -> object:
    parts = msgspec.msgpack.decode(value)
    return parts[0] if isinstance(parts, list) and parts and isinstance(parts[0], int) else "0"


def _load_month(partition: Partition, school_id: str, month: _Month) -> None:
    school = partition.school(school_id)
    school.assumed = month.assumed
    for day, instructional in month.calendar.items():
        school.set_calendar(day, instructional=instructional)
    for day, history in month.closed.items():
        school.close(day, history=history)
    for day, counts in month.counts.items():
        school.set_counts(day, HeadCount(*counts))


def _load_steering(
    partition: Partition, by_kind: Mapping[str, list[tuple[str, bytes]]], blocks: Sequence[tuple[list[str], _Block]]
) -> bool:
    """Restore the steering; whether the policy is the one by which the levels were decided."""
    artifacts: dict[str, Artifact] = {}
    for digest, value in by_kind["m"]:
        artifacts[digest] = parse_artifact(_known(value, _model)[1], "a model that has scored days")
    stored = [_known(value, _steering) for _, value in by_kind["r"]]
    if not stored:
        return False
    reported = [school.last_reported() or 0 for school in partition.schools.values()]
    last = max([*reported, *(block.days[-1] for _, block in blocks)], default=0)
    partition.steering.restore(stored[0].steering, artifacts, last + 1)
    return stored[0].policy == checksum(partition)


def _load_rows(partition: Partition, heads: Iterable[_Head], blocks: Iterable[tuple[list[str], _Block]]) -> None:
    rows: defaultdict[int, int] = defaultdict(int)
    for head in heads:
        rows[head.year] = max(rows[head.year], head.row + 1)
    days: defaultdict[int, set[int]] = defaultdict(set)
    blocks = list(blocks)
    for (number, number_of_block, _), block in blocks:
        days[int(number)].update(block.days)
        rows[int(number)] = max(rows[int(number)], int(number_of_block) * BLOCK + len(block.cells))
    for school_year, count in rows.items():
        if not count:
            continue
        year = partition.year(school_year)
        year.cohort.add(count)
        year.students = [None] * count
        year.grow()
        for day in sorted(days[school_year]):
            year.cohort.column(day)
    for (number, number_of_block, _), block in blocks:
        _load_block(partition.year(int(number)), int(number_of_block) * BLOCK, block)


def _load_block(year: SchoolYear, first: int, block: _Block) -> None:
    register = year.cohort.register
    assert register.moment is not None
    columns = np.searchsorted(register.ordinals, block.days)
    numbers = np.array([register.number(school) for school in block.schools], np.uint16)
    where = _place_kind(len(numbers))
    midnight = _midnight(np.array(block.days, np.int32))
    for row, data in enumerate(block.cells, first):
        if not data:
            continue
        cell = _cell(data)
        said = np.frombuffer(cell.said, np.uint8)
        register.said[row, columns] = said
        places = np.frombuffer(cell.at, where)
        register.said_at[row, columns] = np.where(said > 0, numbers[np.minimum(places, len(numbers) - 1)], 0)
        if block.width and cell.moments:
            packed = np.frombuffer(cell.moments, f"u{block.width}").astype(np.int64)
            moments = midnight + block.base + (packed - 1) * block.unit
            register.moment[row, columns] = np.where(packed > 0, moments, NO_TIME)
        else:
            register.moment[row, columns] = NO_TIME
        for day, rows in cell.several.items():
            year.marks.recall(row, day, rows)


def _load_head(partition: Partition, head: _Head) -> Student:
    student = Student(Pseudonym(head.student))
    student.household, student.grade, student.agency = head.household, head.grade, head.agency
    student.consent, student.spans, student.year, student.row = head.consent, head.spans, head.year, head.row
    student.withdrawn, student.last_seq, student.told = head.withdrawn, head.last_seq, head.told
    student.level_at_close, student.ahead = head.level_at_close, head.ahead
    student.pending = [AlertEvent.model_validate_json(event) for event in head.pending]
    if student.row != NO_ROW:
        year = partition.year(student.year)
        year.students[student.row] = student
        year.rows[student.pseudonym] = student.row
    return student


def _remember(partition: Partition, heads: Iterable[_Head], *, known: bool) -> None:
    """Take what was decided; where the days are others than it was decided on, it is decided anew."""
    for year in partition.years.values():
        year.cohort.restored()
    for head in heads:
        if head.row == NO_ROW:
            continue
        year = partition.years[head.year]
        if known and (not head.course or head.days == _days(year, head.row)):
            year.levels.recall(head.row, head.course)
        else:
            partition.decide_anew(partition.students[head.student])
    for year in partition.years.values():
        year.levels.take_noted()


def _days(year: SchoolYear, row: int) -> int:
    """A checksum of the days of a row that count."""
    register = year.cohort.register
    kept = register.kept[row, : register.columns]
    return zlib.crc32(kept[kept > 0].tobytes(), zlib.crc32(register.ordinals[kept > 0].tobytes()))
