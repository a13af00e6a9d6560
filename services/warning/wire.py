"""`attendance.marks.v1` as the worker reads it: the contract's fields in structs, which decode ten times as fast.

Writers of closes are pydantic's (`services.contracts.marks`); a test holds the fields and types of both to be the same.
Batches of marks come packed and sealed (`services.contracts.packed`), and in no other way.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated
from uuid import UUID

import msgspec

from models.shock import HeadCount
from services.contracts.packed import Heads, PackedCounts, SealedBatch, decode, is_packed

Moment = Annotated[dt.datetime, msgspec.Meta(tz=True)]


class DayCounts(msgspec.Struct, gc=False):
    """As in the contract."""

    school_id: str
    date: dt.date
    absent: Heads
    reported: Heads
    expected: Heads


class DayClosed(msgspec.Struct):
    """As in the contract."""

    school_id: str
    date: dt.date
    counts: DayCounts | None = None
    history: bool = False


class DaysClosed(msgspec.Struct, tag_field="type", tag="days_closed"):
    """As in the contract."""

    taken_at: Moment
    token: UUID
    closes: list[DayClosed]


class WeekClosed(msgspec.Struct, tag_field="type", tag="week_closed"):
    """As in the contract."""

    taken_at: Moment
    token: UUID
    week: dt.date


_decode_json = msgspec.json.Decoder(DaysClosed | WeekClosed).decode


def decode_marks(value: bytes) -> SealedBatch | DaysClosed | WeekClosed:
    """A value of `attendance.marks.v1`; raises `msgspec.DecodeError`."""
    return decode(value) if is_packed(value) else _decode_json(value)


def head_count(counts: DayCounts | PackedCounts) -> tuple[str, int, HeadCount]:
    """School id and ordinal, and the counts."""
    day = counts.day if isinstance(counts, PackedCounts) else counts.date.toordinal()
    return counts.school_id, day, HeadCount(counts.absent, counts.reported, counts.expected)
