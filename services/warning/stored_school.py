"""How a school is stored."""

from __future__ import annotations

import msgspec

from models.policy import Policy
from models.school import School
from models.shock import HeadCount


class _StoredSchool(msgspec.Struct, array_like=True):
    calendar: dict[int, bool]
    closed: dict[int, bool]
    counts: dict[int, tuple[int, int, int]]
    history_through: int


_decode_school = msgspec.msgpack.Decoder(_StoredSchool).decode


def dump_school(school: School) -> bytes:
    """The school as bytes for the table."""
    counts = {day: (c.absent, c.reported, c.expected) for day, c in school.counts.items()}
    return msgspec.msgpack.encode(_StoredSchool(school.calendar, school.closed, counts, school.history_through))


def load_school(data: bytes, policy: Policy) -> School:
    """The school from the table's bytes."""
    stored = _decode_school(data)
    school = School()
    for day, instructional in stored.calendar.items():
        school.set_calendar(day, policy.shock, instructional=instructional)
    for day, history in stored.closed.items():
        school.close(day, history=history)
    school.history_through = stored.history_through
    for day, counts in stored.counts.items():
        school.set_counts(day, HeadCount(*counts), policy.shock)
    return school
