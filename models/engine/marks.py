"""Rows of attendance merged into a register: per student, school, date and section the latest, then the gravest, wins.

Most days are one row, and arrays take those; a day of several sections or schools is merged row by row.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from models.arrays import Codes, Flags, Ints, Moments, Places
from models.attendance import RETRACTED, DayMarks, SectionMark, day_code, with_mark
from models.engine.cohort import Cohort
from models.engine.register import CODE, LIVE, MANY, Schools


class Rows(NamedTuple):
    """Rows of attendance, an array a field; all of the cohort's school year."""

    row: Places
    """The student's."""
    day: Ints
    """Ordinals."""
    school: Schools
    """Numbers of the cohort's register."""
    section: list[str] | None
    """Empty for the whole day; None when all are."""
    code: Codes
    moment: Moments
    """`recorded_at`, or `NO_TIME`."""
    live: Flags


class OneRow(NamedTuple):
    """One row of attendance, as `Rows` has many."""

    row: int
    day: int
    school: int
    section: str
    code: int
    moment: int
    live: bool


class Marks:
    """What was said of a cohort's days, with the moments and the days that several rows make."""

    def __init__(self, cohort: Cohort) -> None:
        self._cohort = cohort
        self._several: dict[int, dict[int, DayMarks]] = {}
        """By row and ordinal."""
        cohort.register.rows_of = self._code_at

    def take(self, new: Rows) -> Flags:
        """Take rows in; which of them said something new."""
        days, of = np.unique(new.day, return_inverse=True)
        for day in days.tolist():
            self._cohort.column(day)
        column = np.searchsorted(self._cohort.register.ordinals, days)[of]
        changed = np.zeros(len(new.row), np.bool_)
        single = self._single(new, column)
        if single.all():
            changed = self._take_single(new, column)
        else:
            where = np.flatnonzero(single)
            changed[where] = self._take_single(_some(new, where), column[where])
            for place in np.flatnonzero(~single).tolist():
                changed[place] = self._take_one(_one(new, place), int(column[place]))
        if changed.any():
            self._cohort.touch(new.row[changed], column[changed])
        return changed

    def take_one(self, new: OneRow) -> bool:
        """Take one row in, as `take` does; arrays would cost more than they spare. Whether it said something new."""
        column = self._cohort.column(new.day)
        changed = self._take_one(new, column)
        if changed:
            self._cohort.touch(new.row, column)
        return changed

    def of_row(self, row: int) -> Iterator[tuple[int, DayMarks]]:
        """Every day of a row of which anything was said, by date."""
        register, several = self._cohort.register, self._several.get(row, {})
        for column in np.flatnonzero(register.said[row, : register.columns]).tolist():
            day = register.days[column]
            yield day, several.get(day) or (self._section_mark(row, column),)

    def several_of(self, row: int) -> dict[int, DayMarks]:
        """The days that several rows make, by ordinal."""
        return self._several.get(row, {})

    def recall(self, row: int, day: int, rows: DayMarks) -> None:
        """Take the rows of a day from before a restart."""
        self._several.setdefault(row, {})[day] = rows

    def clear(self, row: int) -> None:
        """Forget a row's days."""
        self._several.pop(row, None)

    def _single(self, new: Rows, column: Places) -> Flags:
        """Which rows are the only one of their student and day, also with what was said before."""
        register = self._cohort.register
        said, said_at = register.said[new.row, column], register.said_at[new.row, column]
        single = (said & MANY == 0) & ((said == 0) | (said_at == new.school))
        if new.section is not None:
            single &= np.array([not section for section in new.section], np.bool_)
        cell = new.row * np.int64(register.columns) + column
        order = np.argsort(cell, kind="stable")
        same = cell[order[1:]] == cell[order[:-1]]
        if same.any():
            single[order[1:][same]] = single[order[:-1][same]] = False
        return np.asarray(single)

    def _take_single(self, new: Rows, column: Places) -> Flags:
        register, at = self._cohort.register, (new.row, column)
        moments = _moments(register.moment)
        said, known = register.said[at], moments[at]
        code = said & CODE
        newer = (code == 0) | (new.moment > known) | ((new.moment == known) & (new.code > code))
        live = said & LIVE | new.live * np.uint8(LIVE)
        register.said[at] = np.where(newer, new.code, code) | live
        register.said_at[at] = new.school
        moments[at] = np.where(newer, new.moment, known)
        return np.asarray(newer | (live != said & LIVE))

    def _take_one(self, new: OneRow, column: int) -> bool:
        register, row = self._cohort.register, new.row
        said = int(register.said[row, column])
        if not new.section and not said & MANY and (not said or register.said_at[row, column] == new.school):
            return self._take_whole_day(new, column, said)
        day, school = register.days[column], register.names[new.school]
        rows = self._several.get(row, {}).get(day)
        if rows is None:
            rows = (self._section_mark(row, column),) if said else ()
        after = with_mark(rows, SectionMark(school, new.section, new.code, new.moment))
        live = LIVE if new.live else said & LIVE
        if after is rows and live == said & LIVE:
            return False
        self.put(row, column, after, live=bool(live))
        return True

    def _take_whole_day(self, new: OneRow, column: int, said: int) -> bool:
        """Take the only row of a day: as `_take_single` does for many."""
        register, moments, row = self._cohort.register, _moments(self._cohort.register.moment), new.row
        live = LIVE if new.live else said & LIVE
        newer = not said & CODE or (new.moment, new.code) > (int(moments[row, column]), said & CODE)
        if not newer and live == said & LIVE:
            return False
        register.said[row, column] = (new.code if newer else said & CODE) | live
        register.said_at[row, column] = new.school
        if newer:
            moments[row, column] = new.moment
        return True

    def put(self, row: int, column: int, rows: DayMarks, *, live: bool) -> None:
        """Say that these rows make a day, in place of what was said."""
        register, flag = self._cohort.register, LIVE * live
        latest = max(rows, key=lambda mark: mark.recorded_at)
        register.said_at[row, column] = register.number(latest.school)
        if len(rows) == 1 and not latest.section:
            _moments(register.moment)[row, column] = latest.recorded_at
            register.said[row, column] = latest.code | flag
            return
        self._several.setdefault(row, {})[register.days[column]] = rows
        register.said[row, column] = (day_code(rows, latest.school) or RETRACTED) | flag | MANY

    def _section_mark(self, row: int, column: int) -> SectionMark:
        register = self._cohort.register
        moment = int(_moments(register.moment)[row, column])
        school = register.names[register.said_at[row, column]]
        return SectionMark(school, "", int(register.said[row, column]) & CODE, moment)

    def _code_at(self, row: int, day: int, school: str) -> int:
        return day_code(self._several[row][day], school) or 0


def _moments(moments: Moments | None) -> Moments:
    if moments is None:
        raise LookupError("the register keeps no moments")
    return moments


def _one(rows: Rows, place: int) -> OneRow:
    return OneRow(
        int(rows.row[place]),
        int(rows.day[place]),
        int(rows.school[place]),
        "" if rows.section is None else rows.section[place],
        int(rows.code[place]),
        int(rows.moment[place]),
        bool(rows.live[place]),
    )


def _some(rows: Rows, where: Places) -> Rows:
    section = None if rows.section is None else [rows.section[place] for place in where.tolist()]
    return Rows(
        rows.row[where],
        rows.day[where],
        rows.school[where],
        section,
        rows.code[where],
        rows.moment[where],
        rows.live[where],
    )
