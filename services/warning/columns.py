"""A batch of marks as columns: what a partition takes in, however it travelled."""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

import numpy as np

from models.arrays import Codes, Flags, Ints, Moments, Places
from models.attendance import NO_TIME, NOTHING, code_of
from services.contracts.packed import EXCUSED, HISTORY, NO_MOMENT, STATUSES, PackedBatch, microseconds
from services.warning.wire import AttendanceMark

_CODES: Codes = np.array(
    [
        code_of(STATUSES[code % EXCUSED], bool(code & EXCUSED)) if code % EXCUSED < len(STATUSES) else NOTHING
        for code in range(256)
    ],
    np.uint8,
)
"""The engine's code by a packed one."""
_ONE: Final = struct.Struct("<HHHq")
"""A batch of one: how many marks the student has, the places of the school and the day, the moment."""
_SECTION: Final = struct.Struct("<H")


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


def columns_of(marks: list[AttendanceMark]) -> MarkColumns:
    """The columns of single marks."""
    students = {name: place for place, name in enumerate(dict.fromkeys(mark.student for mark in marks))}
    schools = {name: place for place, name in enumerate(dict.fromkeys(mark.school_id for mark in marks))}
    sections = [mark.section or "" for mark in marks]
    moments = [microseconds(mark.recorded_at) if mark.recorded_at else NO_TIME for mark in marks]
    return MarkColumns(
        students=list(students),
        of=np.array([students[mark.student] for mark in marks], np.intp),
        schools=list(schools),
        at=np.array([schools[mark.school_id] for mark in marks], np.intp),
        section=sections if any(sections) else None,
        day=np.array([mark.date.toordinal() for mark in marks], np.int32),
        code=np.array([code_of(mark.status, mark.excused) for mark in marks], np.uint8),
        moment=np.array(moments, np.int64),
        history=np.array([mark.history for mark in marks], np.bool_),
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


def single(batch: PackedBatch) -> SingleMark | None:
    """The mark of a batch of one, else None. Raises `ValueError` when it says what is not known."""
    if len(batch.codes) != 1 or len(batch.students) != 1:
        return None
    try:
        (number, at, days, moment) = _ONE.unpack(batch.numbers + batch.at + batch.days + batch.moments)
        (place,) = _SECTION.unpack(batch.in_section) if batch.in_section else (0,)
    except struct.error as error:
        raise ValueError("columns of different lengths") from error
    if number != 1 or at >= len(batch.schools) or place > len(batch.sections):
        raise ValueError("a place of a name that is not there")
    packed = batch.codes[0]
    code = int(_CODES[packed])
    if code == NOTHING:
        raise ValueError("a status that is not known")
    if moment == NO_MOMENT:
        moment = NO_TIME if batch.as_of is None else batch.as_of
    return SingleMark(
        batch.students[0],
        batch.schools[at],
        batch.sections[place - 1] if place else "",
        batch.first_day + days,
        code,
        moment,
        packed & HISTORY > 0,
    )


def unpacked(batch: PackedBatch) -> MarkColumns:
    """The columns of a packed batch. Raises `ValueError` when they are not of one length, or say what is not known."""
    numbers = np.frombuffer(batch.numbers, "<u2")
    of = np.repeat(np.arange(len(numbers)), numbers)
    codes, at = np.frombuffer(batch.codes, np.uint8), np.frombuffer(batch.at, "<u2").astype(np.intp)
    days, moments = np.frombuffer(batch.days, "<u2"), np.frombuffer(batch.moments, "<i8")
    in_section = np.frombuffer(batch.in_section, "<u2")
    lengths = {len(of), len(codes), len(at), len(days), len(moments), *([len(in_section)] if len(in_section) else [])}
    if len(lengths) != 1 or len(numbers) != len(batch.students):
        raise ValueError("columns of different lengths")
    if (at >= len(batch.schools)).any() or (in_section > len(batch.sections)).any():
        raise ValueError("a place of a name that is not there")
    code = _CODES[codes]
    if (code == NOTHING).any():
        raise ValueError("a status that is not known")
    section = None
    if len(in_section):
        names = ["", *batch.sections]
        section = [names[place] for place in in_section.tolist()]
    unknown = NO_TIME if batch.as_of is None else batch.as_of
    return MarkColumns(
        students=batch.students,
        of=of,
        schools=batch.schools,
        at=at,
        section=section,
        day=days.astype(np.int32) + np.int32(batch.first_day),
        code=code,
        moment=np.where(moments == NO_MOMENT, unknown, moments),
        history=codes & HISTORY > 0,
    )
