"""A batch of marks as columns: what a partition takes in, however it travelled."""

from __future__ import annotations

import struct
from datetime import date
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np

from models.arrays import Codes, Flags, Ints, Moments, Places
from models.attendance import NO_TIME, NOTHING, code_of
from services.contracts.packed import (
    EXCUSED,
    HISTORY,
    NO_MOMENT,
    STATUSES,
    CipherOf,
    SealedBatch,
    UnsealedMarks,
    open_marks,
    unseal_marks,
)

_CODES: Codes = np.array(
    [
        code_of(STATUSES[code % EXCUSED], bool(code & EXCUSED)) if code % EXCUSED < len(STATUSES) else NOTHING
        for code in range(256)
    ],
    np.uint8,
)
"""The engine's code by a packed one."""
_CODE: Final[tuple[int, ...]] = tuple(_CODES.tolist())
_LAST_DAY: Final = date.max.toordinal()
_NO_STATUS: Final = "a status that is not known"
_NO_DAY: Final = "a day that there is not"


class MarkColumns(NamedTuple):
    """Marks in the order in which they were taken, an array a field."""

    students: list[str]
    """Pseudonyms, each once."""
    of: Places
    """Of each mark, the place in `students`."""
    schools: list[str]
    at: Places
    """Of each mark, the place in `schools`."""
    section: list[str] | None
    """Empty for the whole day; None when all are."""
    day: Ints
    """Ordinals."""
    code: Codes
    moment: Moments
    """`recorded_at` in microseconds since the epoch, or `NO_TIME`."""
    history: Flags

    def at_places(self, where: Places) -> MarkColumns:
        """Some of the marks."""
        return self._replace(
            of=self.of[where],
            at=self.at[where],
            section=None if self.section is None else [self.section[place] for place in where.tolist()],
            day=self.day[where],
            code=self.code[where],
            moment=self.moment[where],
            history=self.history[where],
        )


class SingleMark(NamedTuple):
    """One mark, as `MarkColumns` has many."""

    student: str
    school: str
    section: str
    day: int
    code: int
    moment: int
    history: bool

    def columns(self) -> MarkColumns:
        """As columns of one mark."""
        return MarkColumns(
            students=[self.student],
            of=np.zeros(1, np.intp),
            schools=[self.school],
            at=np.zeros(1, np.intp),
            section=[self.section] if self.section else None,
            day=np.array([self.day], np.int32),
            code=np.array([self.code], np.uint8),
            moment=np.array([self.moment], np.int64),
            history=np.array([self.history], np.bool_),
        )


def columns_of(batch: SealedBatch, cipher_of: CipherOf) -> MarkColumns | SingleMark | None:
    """Those marks of a batch whose keys there are; None when these are none.

    Raises `ValueError` when they do not open, or say what is not known, and what `cipher_of` raises.
    """
    unknown = NO_TIME if batch.as_of is None else batch.as_of
    if len(batch.students) == 1:
        students, opened = open_marks(batch, cipher_of)
        if not opened or not opened[0]:
            return None
        one = _struct(batch.school_width, batch.section_width, batch.reason_width)
        if len(opened[0]) == one.size:
            return _single(students[0], unknown, *one.unpack(opened[0]))
    return _many(unseal_marks(batch, cipher_of), unknown)


def _single(
    student: str, unknown: int, day: int, moment: int, packed: int, school: bytes, section: bytes, _reason: bytes
) -> SingleMark:
    code = _CODE[packed]
    if code == NOTHING:
        raise ValueError(_NO_STATUS)
    if not 0 < day <= _LAST_DAY:
        raise ValueError(_NO_DAY)
    return SingleMark(
        student,
        school.rstrip(b"\0").decode(),
        section.rstrip(b"\0").decode(),
        day,
        code,
        unknown if moment == NO_MOMENT else moment,
        packed & HISTORY > 0,
    )


def _many(marks: UnsealedMarks, unknown: int) -> MarkColumns | None:
    items = marks.items
    if not len(items):
        return None
    packed, day, moment, sections = items["code"], items["day"], items["moment"], items["section"]
    code = _CODES[packed]
    if (code == NOTHING).any():
        raise ValueError(_NO_STATUS)
    if day.min() < 1 or day.max() > _LAST_DAY:
        raise ValueError(_NO_DAY)
    names = items["school"].tolist()
    schools = {name: place for place, name in enumerate(dict.fromkeys(names))}
    return MarkColumns(
        students=marks.students,
        of=np.repeat(np.arange(len(marks.numbers)), marks.numbers),
        schools=[name.decode() for name in schools],
        at=np.array([schools[name] for name in names], np.intp),
        section=[name.decode() for name in sections.tolist()] if (sections != b"").any() else None,
        day=day.astype(np.int32),
        code=code,
        moment=np.where(moment == NO_MOMENT, unknown, moment),
        history=packed & HISTORY > 0,
    )


@lru_cache(maxsize=256)
def _struct(school: int, section: int, reason: int) -> struct.Struct:
    """One mark, as the contract lays it out."""
    return struct.Struct(f"<IqB{school}s{section}s{reason}s")
