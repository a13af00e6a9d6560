"""The days of a block of rows in a calendar month, as they are stored: each row's sealed with its student's key.

Open is only which days any student of the partition has there.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

import msgspec
import numpy as np

from models.arrays import Codes, Ints, Moments, Places
from models.attendance import NO_TIME, DayMarks
from models.engine.register import Schools
from services.warning.school_year import BLOCK, SchoolYear, Sealed
from services.warning.stored import VERSION, OfStudent, encode


class Block(msgspec.Struct, array_like=True):
    """The days of some rows in a calendar month."""

    version: int
    days: int
    """Which days of the month are any student's: the first is the lowest bit."""
    cells: list[bytes]
    """A cell a row, sealed; empty where nothing was said."""


class Cell(msgspec.Struct, array_like=True, omit_defaults=True):
    """One row's days in a block."""

    days: int
    """Which days of the month the fields below are of."""
    schools: list[str]
    said: bytes
    at: bytes = b""
    """The school of each day, by its place in `schools`; none when there is one."""
    moments: bytes = b""
    """0 for none, else one more than the units since the day's midnight and the base."""
    base: int = 0
    """Microseconds, from a day's midnight (UTC), of the earliest moment."""
    unit: int = 1
    """Of moments, in microseconds."""
    several: bytes = b""
    """The rows of the days that several make, by ordinal, deflated: their schools and sections have long names."""


class OpenBlock(NamedTuple):
    """A block before it is sealed."""

    days: int
    cells: Sequence[Sealed | OfStudent | None]
    """Of each row whose it is, and its days; those that no key opens as they were stored."""


decode_block = msgspec.msgpack.Decoder(Block).decode
decode_cell = msgspec.msgpack.Decoder(Cell).decode
_decode_several = msgspec.msgpack.Decoder(dict[int, DayMarks]).decode
_UNITS = (60_000_000, 1_000_000, 1_000, 1)
_DAY = 86_400_000_000
_EPOCH = date(1970, 1, 1).toordinal()
_LATEST = np.iinfo(np.int64).max


def days_of(mask: int, year: int, month: int) -> list[int]:
    """The ordinals of these days of a calendar month."""
    first = date(year, month, 1).toordinal()
    return [first + place for place in range(mask.bit_length()) if mask >> place & 1]


def mask_of(days: Iterable[int]) -> int:
    """The days of a calendar month, given as ordinals, as bits."""
    return sum(1 << date.fromordinal(day).day - 1 for day in days)


def dump_block(year: SchoolYear, block: int, month: int) -> OpenBlock | None:
    """The days of a block of rows in a month; None when nothing was said of them."""
    register = year.cohort.register
    columns = year.columns_of(month)
    first, end = block * BLOCK, min(block * BLOCK + BLOCK, register.rows)
    cells: list[Sealed | OfStudent | None] = [year.sealed.get((row, month)) for row in range(first, end)]
    at = slice(columns[0], columns[-1] + 1) if columns else slice(0)
    days = register.days[at]
    mask = mask_of(days)
    said = register.said[first:end, at]
    for place, cell in _cells(year, first, said, at, mask):
        student = year.students[first + place]
        if student is not None:
            cells[place] = OfStudent(student.pseudonym, cell)
    return OpenBlock(mask, cells) if any(cells) else None


def _cells(year: SchoolYear, first: int, said: Codes, at: slice, mask: int) -> Iterable[tuple[int, bytes]]:
    """Of each row of which anything was said its place in the block, and its cell."""
    register = year.cohort.register
    marked = said > 0
    rows = np.flatnonzero(marked.any(axis=1))
    if not len(rows):
        return
    said, marked, said_at = said[rows], marked[rows], register.said_at[first:, at][rows]
    lowest = np.where(marked, said_at, np.iinfo(said_at.dtype).max).min(axis=1)
    single = (np.where(marked, said_at, 0).max(axis=1) == lowest).tolist()
    moments, bases, units = _pack(year, first + rows, at, marked)
    days = register.days[at]
    for place, row in enumerate(rows.tolist()):
        if single[place]:
            schools, where = [register.names[lowest[place]]], b""
        else:
            schools, where = _schools(register.names, said_at[place], marked[place])
        several = year.marks.several_of(first + row)
        if several:
            several = {day: marks for day, marks in several.items() if days[0] <= day <= days[-1]}
        yield (
            row,
            encode(
                Cell(
                    mask,
                    schools,
                    said[place].tobytes(),
                    where,
                    moments[place],
                    bases[place],
                    units[place],
                    _deflated(several),
                )
            ),
        )


def _schools(
    names: Sequence[str], said_at: Schools, marked: np.ndarray[tuple[int], np.dtype[np.bool_]]
) -> tuple[list[str], bytes]:
    """The schools of a row's days, and of each day its place among them."""
    numbers = np.unique(said_at[marked])
    places = np.minimum(np.searchsorted(numbers, said_at), len(numbers) - 1)
    return [names[number] for number in numbers.tolist()], places.astype(np.uint8).tobytes()


def _pack(
    year: SchoolYear, rows: Places, at: slice, marked: np.ndarray[tuple[int, int], np.dtype[np.bool_]]
) -> tuple[list[bytes], list[int], list[int]]:
    """Moments as small numbers, with each row's base and unit."""
    register = year.cohort.register
    assert register.moment is not None
    moments = register.moment[rows, at]
    given = marked & (moments != NO_TIME)
    if not given.any():
        return [b""] * len(rows), [0] * len(rows), [1] * len(rows)
    since = np.where(given, moments - midnight(register.ordinals[at]), _LATEST)
    base = since.min(axis=1)
    since = np.where(given, since - base[:, None], 0)
    unit = np.full(len(rows), _UNITS[-1])
    for each in _UNITS[-2::-1]:
        unit[~(since % each).any(axis=1)] = each
    packed = np.where(given, since // unit[:, None] + 1, 0)
    most = packed.max(axis=1).tolist()
    return (
        [packed[place].astype(_width(highest)).tobytes() if highest else b"" for place, highest in enumerate(most)],
        np.where(given.any(axis=1), base, 0).tolist(),
        unit.tolist(),
    )


def _width(highest: int) -> str:
    """The smallest kind of number that holds it."""
    return next(f"<u{width}" for width in (1, 2, 4, 8) if highest < 1 << 8 * width)


def load_cell(year: SchoolYear, row: int, cell: Cell, days: Ints) -> None:
    """Put a row's days, all of them columns by now, where they were."""
    register = year.cohort.register
    assert register.moment is not None
    columns = np.searchsorted(register.ordinals, days)
    said = np.frombuffer(cell.said, np.uint8)
    register.said[row, columns] = said
    numbers = np.array([register.number(school) for school in cell.schools], register.said_at.dtype)
    at = numbers[np.frombuffer(cell.at, np.uint8)] if cell.at else numbers[0]
    register.said_at[row, columns] = np.where(said > 0, at, 0)
    if cell.moments:
        packed = np.frombuffer(cell.moments, f"<u{len(cell.moments) // len(said)}").astype(np.int64)
        moments = midnight(days) + cell.base + (packed - 1) * cell.unit
        register.moment[row, columns] = np.where(packed > 0, moments, NO_TIME)
    else:
        register.moment[row, columns] = NO_TIME
    for day, rows in several_of(cell).items():
        year.marks.recall(row, day, rows)


def several_of(cell: Cell) -> dict[int, DayMarks]:
    """The rows of the days that several make, by ordinal."""
    return _decode_several(zlib.decompress(cell.several)) if cell.several else {}


def midnight(ordinals: Ints) -> Moments:
    """When these days began, UTC."""
    return (ordinals.astype(np.int64) - _EPOCH) * _DAY


def seal_block(block: OpenBlock, sealed: Iterable[bytes]) -> bytes:
    """The block as it is stored, its cells sealed."""
    return encode(Block(VERSION, block.days, list(sealed)))


def _deflated(several: dict[int, DayMarks]) -> bytes:
    return zlib.compress(encode(several), 1) if several else b""
