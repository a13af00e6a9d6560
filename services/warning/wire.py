"""`attendance.marks.v1` as the worker reads it: the contract's fields in structs, which decode ten times as fast.

Writers are pydantic's (`services.contracts.marks`); a test holds the fields and types of both to be the same.
"""

from __future__ import annotations

import datetime as dt
from uuid import UUID

import msgspec

from services.contracts.marks import AttendanceStatus


class AttendanceMark(msgspec.Struct, gc=False):
    """As in the contract."""

    student: str
    school_id: str
    date: dt.date
    status: AttendanceStatus
    excused: bool | None = None
    section: str | None = None
    recorded_at: dt.datetime | None = None
    reason: str | None = None
    history: bool = False


class DayCounts(msgspec.Struct, gc=False):
    """As in the contract."""

    school_id: str
    date: dt.date
    absent: int
    reported: int
    expected: int


class MarkBatch(msgspec.Struct, tag_field="type", tag="marks"):
    """As in the contract."""

    taken_at: dt.datetime
    marks: list[AttendanceMark]
    counts: list[DayCounts] = []


class DayClosed(msgspec.Struct):
    """As in the contract."""

    school_id: str
    date: dt.date
    counts: DayCounts | None = None
    history: bool = False


class DaysClosed(msgspec.Struct, tag_field="type", tag="days_closed"):
    """As in the contract."""

    taken_at: dt.datetime
    token: UUID
    closes: list[DayClosed]


class WeekClosed(msgspec.Struct, tag_field="type", tag="week_closed"):
    """As in the contract."""

    taken_at: dt.datetime
    token: UUID
    week: dt.date


decode_marks = msgspec.json.Decoder(MarkBatch | DaysClosed | WeekClosed).decode
"""A value of `attendance.marks.v1`; raises `msgspec.DecodeError`."""
