"""The state of releases before stored values had a version: read once, and written anew in today's format."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Final

import msgspec
import numpy as np

from models.attendance import EARLY_DEPARTURE, EXCUSED, PARTIAL, PRESENT, TARDY, UNEXCUSED, DayMarks
from models.enrollment import Span
from models.shock import HeadCount
from services.contracts.alerts import AlertEvent
from services.contracts.ids import Pseudonym
from services.warning.capacity import StoredCapacityControl
from services.warning.lifecycle import EmittedAlert, emitted_level
from services.warning.partition import Partition
from services.warning.student import NO_YEAR, Student

_CODES: Final = dict(zip(b"PTDQEU", (PRESENT, TARDY, EARLY_DEPARTURE, PARTIAL, EXCUSED, UNEXCUSED), strict=True))
"""Codes were letters."""
_SHORT_ARRAY, _LONGEST_SHORT_ARRAY, _LONG_ARRAY = b"\x90", b"\x9f", b"\xdc"
_LARGEST_SMALL_NUMBER: Final = b"\x7f"
"""First bytes of MessagePack; a short array's says its length, a long one's follows it."""


class _Student(msgspec.Struct, array_like=True):
    student: str
    household: str | None
    grade: str | None
    year: int
    consent: tuple[int, int] | None
    spans: tuple[tuple[int, int, str], ...]
    live: set[int]
    marks: dict[int, DayMarks]
    ahead: dict[int, DayMarks]
    emitted: list[EmittedAlert]
    pending: list[bytes]
    withdrawn: bool
    last_seq: int = 0


class _School(msgspec.Struct, array_like=True):
    calendar: dict[int, bool]
    closed: dict[int, bool]
    counts: dict[int, tuple[int, int, int]]
    history_through: int


_student = msgspec.msgpack.Decoder(_Student).decode
_school = msgspec.msgpack.Decoder(_School).decode
_capacity_control = msgspec.msgpack.Decoder(StoredCapacityControl).decode


def is_earlier(value: bytes) -> bool:
    """Whether a value has no version: today's are arrays that begin with one, a small number."""
    kind = value[:1]
    if kind == _LONG_ARRAY:
        return value[3:4] > _LARGEST_SMALL_NUMBER
    return _SHORT_ARRAY <= kind <= _LONGEST_SHORT_ARRAY and value[1:2] > _LARGEST_SMALL_NUMBER


def capacity_control_of(value: bytes) -> StoredCapacityControl:
    """The control of the capacity."""
    return _capacity_control(value)


def take_in(partition: Partition, items: Mapping[str, bytes]) -> None:
    """Take in schools, then students, by key; all are written anew. What was decided of them is decided again."""
    for key in sorted(items):
        kind, name = key.split("|", 1)
        if kind == "c":
            _take_school(partition, name, _school(items[key]))
            partition.changes.gone.add(key)
    for key in sorted(items):
        if key.startswith("s|"):
            _take_student(partition, _student(items[key]))


def _take_school(partition: Partition, name: str, stored: _School) -> None:
    school = partition.school_facts.school(name)
    for day, instructional in stored.calendar.items():
        school.set_calendar(day, instructional=instructional)
    for day, history in stored.closed.items():
        school.close(day, history=history)
    for day, counts in stored.counts.items():
        school.set_counts(day, HeadCount(*counts))
    school.find_shocks(partition.policy.shock)
    partition.changes.schools.update((name, day) for day in {*stored.calendar, *stored.closed, *stored.counts})


def _take_student(partition: Partition, stored: _Student) -> None:
    student = Student(Pseudonym(stored.student))
    student.household, student.grade, student.consent = stored.household, stored.grade, stored.consent
    student.spans = tuple(Span(*span) for span in stored.spans)
    student.withdrawn, student.last_seq = stored.withdrawn, stored.last_seq
    student.pending = [AlertEvent.model_validate_json(event) for event in stored.pending]
    student.emitted = [
        EmittedAlert(old.id, old.seq, old.turns, old.ended, old.withdrawn, zlib.compress(old.last))
        for old in stored.emitted
    ]
    student.level_at_close = emitted_level(student.emitted)
    student.ahead = {day: (_rows(rows), day in stored.live) for day, rows in stored.ahead.items()} or None
    partition.add(student)
    partition.changes.students.add(student)
    if stored.year > NO_YEAR:
        _take_days(partition, student, stored)


def _take_days(partition: Partition, student: Student, stored: _Student) -> None:
    student.year = stored.year
    year = partition.year(stored.year)
    year.enter(student)
    for day, rows in sorted(stored.marks.items()):
        column = year.cohort.column(day)
        year.marks.put(student.row, column, _rows(rows), live=day in stored.live)
        year.cohort.touch(student.row, column)
    year.note(np.full(len(stored.marks), student.row, np.intp), sorted(stored.marks))
    partition.place(student)
    partition.decide_anew(student)


def _rows(rows: DayMarks) -> DayMarks:
    return tuple(row._replace(code=_CODES[row.code]) for row in rows)
