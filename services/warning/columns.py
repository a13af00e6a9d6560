"""A batch of marks as columns: what a partition takes in, however it travelled."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import numpy as np

from models.arrays import Codes, Flags, Ints, Moments, Places
from models.attendance import NO_TIME, code_of
from services.warning.wire import AttendanceMark


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


def columns_of(marks: list[AttendanceMark], as_of: datetime | None = None) -> MarkColumns:
    """The columns of single marks; one that says no moment was said `as_of`, if there is one."""
    students = {name: place for place, name in enumerate(dict.fromkeys(mark.student for mark in marks))}
    schools = {name: place for place, name in enumerate(dict.fromkeys(mark.school_id for mark in marks))}
    sections = [mark.section or "" for mark in marks]
    unknown = NO_TIME if as_of is None else microseconds(as_of)
    moments = [microseconds(mark.recorded_at) if mark.recorded_at else unknown for mark in marks]
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


def microseconds(moment: datetime) -> int:
    """Microseconds since the epoch, UTC."""
    return round(moment.timestamp() * 1_000_000)
