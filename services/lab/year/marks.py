"""What each student-day came to, each time it changed: `models.attendance` for all rows at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from models.arrays import Codes, Flags, Ints
from models.attendance import (
    EARLY_DEPARTURE,
    EXCUSED,
    PARTIAL,
    PRESENT,
    RETRACTED,
    TARDY,
    UNEXCUSED,
)
from models.backtest.history import DayMarks, Runs
from services.lab.year.attendance import AttendanceRows

_BY_SEVERITY: Final = np.array([RETRACTED, PRESENT, EARLY_DEPARTURE, TARDY, PARTIAL, EXCUSED, UNEXCUSED], np.uint8)
_SEVERITY: Final = np.zeros(256, np.int64)
_SEVERITY[_BY_SEVERITY] = np.arange(len(_BY_SEVERITY))
_NONE: Final = 0
"""In place of a code: the section said nothing before."""
_CELLS: Final = 1 << 20


def several(rows: AttendanceRows) -> Flags:
    """Which rows may not be the only ones of their student and day; a row that is alone is rarely among them."""
    first = int(rows.day.min())
    met = np.zeros(int(rows.day.max()) - first + 1, np.bool_)
    met[rows.day - first] = True
    place = np.cumsum(met, dtype=np.int64) - 1
    days = int(place[-1]) + 1
    size = min((int(rows.student.max()) + 1) * days, max(2 * len(rows), _CELLS))
    cell = (rows.student * np.int64(days) + place[rows.day - first]) % size
    crowded: Flags = np.bincount(cell, minlength=size) > 1
    many: Flags = crowded[cell]
    return many


def in_force(rows: AttendanceRows, runs: Runs) -> Flags:
    """Which rows pass the gate: one run holds both the day of handing in and the marked day.

    Students are numbered as in `runs`; -1 has none.
    """
    begins = np.searchsorted(runs.student, np.arange(runs.student.max(initial=-1) + 2))
    passed = np.zeros(len(rows), np.bool_)
    open_ = np.flatnonzero(rows.student >= 0)
    student = rows.student[open_]
    run, end = begins[student], begins[student + 1]
    while len(open_):
        day, handed_in = rows.day[open_], rows.handed_in[open_]  # handed in on the day or later
        passed[open_] = (runs.first[run] <= day) & (handed_in <= runs.last[run])
        more = ~passed[open_] & (run + 1 < end)
        open_, run, end = open_[more], run[more] + 1, end[more]
    return passed


def first_of_event(rows: AttendanceRows) -> Flags:
    """Which rows are not a repeat of an event by the sender's own id; `rows` are those that passed the gate."""
    first = np.ones(len(rows), np.bool_)
    named = np.flatnonzero(rows.event)
    order = named[np.lexsort((named, rows.handed_in[named], rows.event[named]))]
    events = rows.event[order]
    first[order[1:][events[1:] == events[:-1]]] = False
    return first


def day_marks(rows: AttendanceRows, many: Flags) -> DayMarks:
    """The codes of the student-days, by the day of becoming known and student; `many` as `several` says."""
    alone, merged = rows.take(~many & (rows.code != RETRACTED)), _merged(rows.take(many))
    known_on, student = (np.append(alone.handed_in, merged.known_on), np.append(alone.student, merged.student))
    order = np.lexsort((_narrow(student), _narrow(known_on)))
    return DayMarks(
        known_on[order],
        student[order],
        np.append(alone.school, merged.school)[order],
        np.append(alone.day, merged.day)[order],
        np.append(alone.code, merged.code)[order],
    )


def _merged(rows: AttendanceRows) -> DayMarks:
    """The rows of each student and day together."""
    group = _numbered(rows.student, rows.school, rows.day)
    frame = pl.DataFrame(
        {
            "group": group,
            "section": rows.section,
            "handed_in": rows.handed_in,
            "rank": (rows.recorded + 1) * 8 + _SEVERITY[rows.code],
            "row": np.arange(len(rows), dtype=np.int32),
        }
    ).sort("group", "section", "handed_in")
    group, section, handed_in, rank = (frame[name].to_numpy() for name in ("group", "section", "handed_in", "rank"))
    row = frame["row"].to_numpy()
    part = _starts(group, section)
    code = _BY_SEVERITY[_highest_so_far(rank, part) % 8]

    last = np.append(part[1:] | (handed_in[1:] != handed_in[:-1]), True)[: len(part)]  # of each section and day
    part, group, handed_in, row, code = (values[last] for values in (_carried(part, last), group, handed_in, row, code))
    before = np.where(part, _NONE, np.roll(code, 1))
    order = np.lexsort((handed_in, group))
    group, handed_in, row = group[order], handed_in[order], row[order]
    codes = _day_codes(code[order], before[order], _starts(group))

    last = np.append(_starts(group, handed_in)[1:], True)[: len(group)]
    group, handed_in, row, codes = group[last], handed_in[last], row[last], codes[last]
    changed = _starts(group, codes) & ~(_starts(group) & (codes == RETRACTED))
    row = row[changed]
    return DayMarks(handed_in[changed], rows.student[row], rows.school[row], rows.day[row], codes[changed])


def _numbered(*keys: Ints) -> npt.NDArray[np.int64]:
    """One number for each combination of the keys."""
    number = np.zeros(len(keys[0]), np.int64)
    for key in keys:
        low = int(key.min(initial=0))
        number = number * (int(key.max(initial=0)) - low + 1) + (key - low)
    return number


def _narrow(values: Ints) -> Ints | npt.NDArray[np.uint16]:
    """The values less their least, in 16 bits when they fit: those numpy sorts by radix."""
    if not len(values) or int(values.max()) - int(values.min()) >= 1 << 16:
        return values
    narrow: npt.NDArray[np.uint16] = (values - values.min()).astype(np.uint16)
    return narrow


def _starts(*keys: npt.NDArray[np.generic]) -> Flags:
    """Where a new combination of sorted keys begins."""
    starts = np.ones(len(keys[0]), np.bool_)
    if len(starts):
        starts[1:] = np.logical_or.reduce([key[1:] != key[:-1] for key in keys])
    return starts


def _carried(starts: Flags, kept: Flags) -> Flags:
    """Where a part begins when only some of its rows are kept."""
    part = np.cumsum(starts)
    carried = np.zeros(len(starts), np.bool_)
    carried[kept] = _starts(part[kept])
    return carried


def _highest_so_far(values: npt.NDArray[np.int64], starts: Flags) -> npt.NDArray[np.int64]:
    """The running maximum, begun anew at each start."""
    highest = values.copy()
    part = np.cumsum(starts)
    longer = np.flatnonzero(~(starts & np.append(starts[1:], True)[: len(starts)]))
    different, dense = np.unique(values[longer], return_inverse=True)
    base = part[longer].astype(np.int64) * len(different)
    highest[longer] = different[np.maximum.accumulate(base + dense) - base]
    return highest


def _day_codes(now: Codes, before: Codes, starts: Flags) -> Codes:
    """`models.attendance.day_code` after each change of a section's code from `before` to `now`."""

    def sections(codes: Sequence[int]) -> Ints:
        """How many of the day's sections have one of the codes after each change."""
        change = np.isin(now, codes).astype(np.int32) - np.isin(before, codes)
        total: Ints = np.cumsum(change, dtype=np.int32)
        earlier: Ints = (total - change)[starts]
        since: Ints = total - earlier[np.cumsum(starts) - 1]
        return since

    reported = sections(_BY_SEVERITY[1:].tolist())
    unexcused = sections([UNEXCUSED])
    absent = sections([EXCUSED, UNEXCUSED])
    kinds = {code: sections([code]) > 0 for code in (TARDY, EARLY_DEPARTURE, PARTIAL)}
    several_kinds = np.add.reduce([seen.astype(np.int8) for seen in kinds.values()]) > 1
    return np.select(
        [
            reported == 0,
            (absent > 0) & (2 * absent < reported),
            (absent > 0) & (unexcused > 0),
            absent > 0,
            several_kinds,
            *kinds.values(),
        ],
        [RETRACTED, PARTIAL, UNEXCUSED, EXCUSED, PARTIAL, *kinds],
        PRESENT,
    ).astype(np.uint8)
