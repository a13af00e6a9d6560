"""One student-day: section rows merged into one mark, whatever the order in which they came.

Every merge is a maximum over a total order, so replaying, reordering and duplicating change nothing.
Days are proleptic ordinals (`date.toordinal()`), times are microseconds since the epoch (UTC).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

NOTHING: Final = 0
"""Nothing was said of the day."""
RETRACTED: Final = 1
"""What was said is taken back: any other row of the same moment beats it, and by itself it says nothing."""
PRESENT: Final = 2
EARLY_DEPARTURE: Final = 3
TARDY: Final = 4
PARTIAL: Final = 5
EXCUSED: Final = 6
"""Absent, excused."""
UNEXCUSED: Final = 7
"""Absent, not excused or not known to be. Codes rise with gravity: of two rows of one moment the graver wins."""

NO_TIME: Final = -1
"""`recorded_at` of a row that gave none: any row that gives one is later."""

_CODES: Final = {
    "retracted": RETRACTED,
    "present": PRESENT,
    "tardy": TARDY,
    "early_departure": EARLY_DEPARTURE,
    "partial": PARTIAL,
}
STATUS: Final = {
    PRESENT: "present",
    TARDY: "tardy",
    EARLY_DEPARTURE: "early_departure",
    PARTIAL: "partial",
    EXCUSED: "absent",
    UNEXCUSED: "absent",
}
"""The status that a code stands for, in the words of the formats."""


class SectionMark(NamedTuple):
    """One row: what a school said of a student in one section (empty: the whole day)."""

    school: str
    section: str
    code: int
    recorded_at: int


DayMarks = tuple[SectionMark, ...]


def code_of(status: str, excused: bool | None) -> int:
    """The code of a row's status; an absence not known to be excused is unexcused."""
    if status == "absent":
        return EXCUSED if excused else UNEXCUSED
    return _CODES[status]


def _rank(mark: SectionMark) -> tuple[int, int]:
    return mark.recorded_at, mark.code


def with_mark(marks: DayMarks, new: SectionMark) -> DayMarks:
    """The day's rows with one more: per school and section the latest recorded, then the gravest, wins."""
    for position, old in enumerate(marks):
        if old.school == new.school and old.section == new.section:
            if _rank(new) <= _rank(old):
                return marks
            return (*marks[:position], new, *marks[position + 1 :])
    return tuple(sorted((*marks, new))) if marks else (new,)


def day_code(marks: DayMarks, school: str) -> int | None:
    """The one code of the day at a school, or None when the school said nothing of it."""
    return merged_code(mark.code for mark in marks if mark.school == school)


def merged_code(said: Iterable[int]) -> int | None:
    """The one code of a school's day by what it said of each section; None when that is nothing.

    Absent when absent in at least half of the reported sections, excused only when every absent
    section is; else partial, unless one kind of attendance is all there is.
    """
    codes = [code for code in said if code != RETRACTED]
    if len(codes) <= 1:
        return codes[0] if codes else None
    absent = [code for code in codes if code in (EXCUSED, UNEXCUSED)]
    if absent:
        if 2 * len(absent) < len(codes):
            return PARTIAL
        return UNEXCUSED if UNEXCUSED in absent else EXCUSED
    kinds = set(codes) - {PRESENT}
    if not kinds:
        return PRESENT
    return kinds.pop() if len(kinds) == 1 else PARTIAL
