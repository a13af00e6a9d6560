"""What was said of every student's days, and what each day comes to: a byte a day, students as rows, dates as columns.

Dates are columns in order; a date that comes late is put between. Schools are numbered from 1: number 0 is nowhere.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from models.arrays import Codes, Flags, Ints, Moments, Places, grown
from models.attendance import NO_TIME, NOTHING, PRESENT, RETRACTED
from models.enrollment import Segment, school_on

CODE: Final = 7
"""The bits of a code (`models.attendance`)."""
LIVE: Final = 8
"""Said live, not in an imported history: levels are decided on the day."""
MANY: Final = 16
"""Several rows make the day: `Register.rows_of` holds them."""

SHOCK: Final = 8
STEP: Final = 16
"""Levels are decided on the day."""
BREAK: Final = RETRACTED
"""In the place of a code: a day that is not shared. It ends a streak and an alert, and counts nowhere."""

NOWHERE: Final = 0
NOT_SHARED: Final = "\N{NULL}not shared"
"""In the place of a school: enrolled where nothing is shared. When there was school is told by the days that the
shared school before it has reported, or the one after it: of the other, nothing is known."""
OPEN, REPORTED, HISTORY = 1, 2, 3
"""A day of a school: not reported, reported, reported inside an imported history."""

OF: Final = "\N{NULL}of "
"""Between a school and the name of a calendar of some of its students."""

_MORE_COLUMNS: Final = 8

Schools = npt.NDArray[np.uint16]


class Days(NamedTuple):
    """What days came to: rows by columns."""

    kept: Codes
    """A code, `SHOCK` and `STEP`; 0 for a day that does not count."""
    school: Schools


class Register:
    """Rows are given out by `add` and never given again. Everything is of one school year."""

    def __init__(self, *, moments: bool = True) -> None:
        """Without `moments` nothing is kept of when a day was said: the caller gives each day as it stands."""
        self.rows = 0
        self.days: list[int] = []
        """The dates, as ordinals, ascending: the columns."""
        self.ordinals: Ints = np.empty(0, np.int32)
        self.reached = 0
        """The columns from this one on hold nothing yet that could count."""
        self.said: Codes = np.zeros((0, 0), np.uint8)
        self.said_at: Schools = np.zeros((0, 0), np.uint16)
        self.moment: Moments | None = np.zeros((0, 0), np.int64) if moments else None
        self.kept: Codes = np.zeros((0, 0), np.uint8)
        """What each day came to when it was last evaluated."""
        self.first: Ints = np.zeros(0, np.int32)
        self.last: Ints = np.zeros(0, np.int32)
        self.school: Schools = np.zeros(0, np.uint16)
        """The one school at which the days from first through last count; of others `segments` says."""
        self.segments: dict[int, Sequence[Segment]] = {}
        self._telling: dict[int, Sequence[Segment]] = {}
        """By row: for each of `segments`, the one whose school tells when there was school."""
        self._parted: Flags = np.zeros(0, np.bool_)
        """Per row: whether `segments` says where its days count."""
        self._calendars: dict[int, list[int]] = {}
        """By school: the numbers of the calendars of some of its students."""
        self._parts: Ints | None = None
        """All of `segments`: row, first and last day, school; None when they have changed."""
        self.numbers: dict[str, int] = {}
        self.names = [""]
        self.state: Codes = np.zeros((1, 0), np.uint8)
        """Schools by columns: `OPEN`, `REPORTED` or `HISTORY`; 0 where there is no school."""
        self.shock: Flags = np.zeros((1, 0), np.bool_)
        self.assumed: Flags = np.zeros(1, np.bool_)
        """Schools whose calendar is assumed: nothing that needs a calendar is said there."""
        self.state_of: Callable[[str, int], tuple[int, bool]] = _unknown_state
        """The state of a school's day, and whether it is a shock day: of a school id and ordinal."""
        self.rows_of: Callable[[int, int, str], int] = _no_rows
        """The code of a day that several rows make, at a school: of a row, ordinal and school id."""

    @property
    def columns(self) -> int:
        """How many dates there are."""
        return len(self.days)

    def add(self, rows: int = 1) -> int:
        """Begin so many rows; the first one's number."""
        first, self.rows = self.rows, self.rows + rows
        if self.rows > len(self.first):
            room = max(self.rows, len(self.first) + len(self.first) // 4 + 16)
            self.first, self.last = grown(self.first, room), grown(self.last, room)
            self.school, self._parted = grown(self.school, room), grown(self._parted, room)
            self._grow(room, self.said.shape[1])
        return first

    def clear(self, row: int) -> None:
        """Forget everything of a row."""
        self.said[row], self.said_at[row], self.kept[row] = 0, 0, 0
        if self.moment is not None:
            self.moment[row] = 0
        self.place(row, ())

    def number(self, school: str) -> int:
        """The school's number, given at first use."""
        found = self.numbers.get(school)
        if found is None:
            found = self.numbers[school] = len(self.names)
            self.names.append(school)
            self.state = grown(self.state, found + 1, self.state.shape[1])
            self.shock = grown(self.shock, found + 1, self.shock.shape[1])
            self.assumed = grown(self.assumed, found + 1)
            for column in range(self.columns):
                self.look_up(found, column)
        return found

    def assume(self, school: str, *, assumed: bool) -> None:
        """Say whether a school's calendar is assumed."""
        number = self.number(school)
        self.assumed[number] = assumed

    def look_up_all(self, school: int, column: int) -> bool:
        """Ask for the state of a school's day by every calendar; whether any is another one now."""
        return sum(self.look_up(number, column) for number in (school, *self._calendars.get(school, ()))) > 0

    def look_up(self, school: int, column: int) -> bool:
        """Ask for the state of a school's day; whether it is another one now."""
        state, shock = self.state_of(self.names[school], self.days[column])
        same = self.state[school, column] == state and self.shock[school, column] == shock
        self.state[school, column], self.shock[school, column] = state, shock
        if state >= REPORTED:
            self.reached = max(self.reached, column + 1)
        return not same

    def place(self, row: int, segments: Sequence[Segment]) -> None:
        """Where the row's days count."""
        if self.segments.pop(row, None):
            del self._telling[row]
            self._parts = None
        single = len(segments) == 1 and not segments[0].calendar
        self.first[row], self.last[row] = segments[0][:2] if single else (1, 0)
        self.school[row] = self.number(segments[0].school) if single else NOWHERE
        self._parted[row] = bool(segments) and not single
        if self._parted[row]:
            self._parts, self.segments[row], self._telling[row] = None, segments, _telling(segments)
            for segment in segments:
                self.number(segment.school)
                self._calendar(segment)

    def column(self, day: int) -> int:
        """The column of a date that is there already."""
        return bisect_left(self.days, day)

    def has(self, day: int) -> bool:
        """Whether the date is a column."""
        at = bisect_left(self.days, day)
        return at < len(self.days) and self.days[at] == day

    def insert(self, day: int) -> int:
        """Make a column of a date that is none yet; its place. The columns after it move on."""
        at = bisect_left(self.days, day)
        self.days.insert(at, day)
        self.ordinals = np.array(self.days, np.int32)
        self.reached += at < self.reached
        if self.columns > self.said.shape[1]:
            self._grow(len(self.first), self.columns + _MORE_COLUMNS)
        if at < self.columns - 1:
            for each in (self.said, self.said_at, self.kept, self.moment, self.state, self.shock):
                if each is not None:
                    each[:, at + 1 : self.columns] = each[:, at : self.columns - 1]
                    each[:, at] = 0
        for school in range(1, len(self.names)):
            self.look_up(school, at)
        return at

    def at_school(self, school: str, day: int) -> Places:
        """The rows whose day counts at the school, or is told of by it."""
        number = self.number(school)
        at = (self.school[: self.rows] == number) & (self.first[: self.rows] <= day) & (day <= self.last[: self.rows])
        rows = np.flatnonzero(at)
        parts = self._parts if self._parts is not None else self._lay_out()
        others = parts[0, (parts[1] <= day) & (day <= parts[2]) & (parts[3] == number)]
        return np.append(rows, others).astype(np.intp) if len(others) else rows

    def schools(self, rows: Places, since: int) -> Schools:
        """The schools at which these rows' days count, from a column on, as far as anything is known."""
        days = self.ordinals[since : self.reached]
        inside = (self.first[rows, None] <= days) & (days <= self.last[rows, None])
        block = np.where(inside, self.school[rows, None], np.uint16(NOWHERE))
        for place in np.flatnonzero(self._parted[rows]).tolist():
            for segment in self.segments[int(rows[place])]:
                block[place, (segment.first <= days) & (days <= segment.last)] = self.numbers[segment.school]
        return block

    def _of_calendar(self, rows: Places, since: int, school: Schools) -> Schools:
        """The numbers by which days are school days: the school's, or those of the students' own calendars."""
        if not self._calendars and NOT_SHARED not in self.numbers:
            return school
        days, block = self.ordinals[since : self.reached], school.copy()
        for place in np.flatnonzero(self._parted[rows]).tolist():
            row = int(rows[place])
            for segment, telling in zip(self.segments[row], self._telling[row], strict=True):
                if telling is not segment or segment.calendar:
                    block[place, (segment.first <= days) & (days <= segment.last)] = self._calendar(telling)
        return block

    def _calendar(self, segment: Segment) -> int:
        """The number of a student's own calendar; the school's without one."""
        school = self.number(segment.school)
        if not segment.calendar:
            return school
        number = self.number(f"{segment.school}{OF}{segment.calendar}")
        known = self._calendars.setdefault(school, [])
        if number not in known:
            known.append(number)
        return number

    def school_of(self, rows: Places, columns: Places) -> Schools:
        """The schools at which these days count, one column a row."""
        days = self.ordinals[columns]
        school = np.where((self.first[rows] <= days) & (days <= self.last[rows]), self.school[rows], np.uint16(0))
        for place in np.flatnonzero(self._parted[rows]).tolist():
            name = school_on(self.segments[int(rows[place])], int(days[place]))
            school[place] = NOWHERE if name is None else self.numbers[name]
        return school

    def resolve(self, rows: Places, since: int) -> Days:
        """What these rows' days from a column on come to now, as far as anything is known."""
        columns = slice(since, self.reached)
        school = self.schools(rows, since)
        said = self.said[rows, columns]
        here = self.said_at[rows, columns] == school
        code = np.where(here, said & CODE, NOTHING).astype(np.uint8)
        others = (said & MANY > 0) & ~here & (school != NOWHERE)
        if others.any():
            for place, column in zip(*(each.tolist() for each in np.nonzero(others)), strict=True):
                day, name = self.days[since + column], self.names[school[place, column]]
                code[place, column] = self.rows_of(int(rows[place]), day, name)
        at = np.arange(since, self.reached)
        state = self.state[self._of_calendar(rows, since, school), at]
        code = np.where(code > RETRACTED, code, np.where(state >= REPORTED, np.uint8(PRESENT), np.uint8(NOTHING)))
        counts = (code > 0) & (state > 0)
        step = (state == REPORTED) | (said & LIVE > 0)
        kept = np.where(counts, code | step * np.uint8(STEP) | self.shock[school, at] * np.uint8(SHOCK), np.uint8(0))
        not_shared = self.numbers.get(NOT_SHARED)
        if not_shared is not None:
            elsewhere = school == not_shared
            kept[elsewhere] = np.where(state[elsewhere] >= REPORTED, np.uint8(BREAK), np.uint8(0))
        return Days(kept, school)

    def _lay_out(self) -> Ints:
        parts = [
            (row, part.first, part.last, self.numbers[telling.school])
            for row, segments in self.segments.items()
            for part, telling in zip(segments, self._telling[row], strict=True)
        ]
        self._parts = np.array(parts, np.int32).reshape(-1, 4).T
        return self._parts

    def _grow(self, rows: int, columns: int) -> None:
        self.said, self.said_at = grown(self.said, rows, columns), grown(self.said_at, rows, columns)
        self.kept = grown(self.kept, rows, columns)
        if self.moment is not None:
            self.moment = grown(self.moment, rows, columns, fill=NO_TIME)
        self.state = grown(self.state, len(self.state), columns)
        self.shock = grown(self.shock, len(self.shock), columns)


def _telling(segments: Sequence[Segment]) -> list[Segment]:
    """For each segment the one whose school tells when there was school: itself, where it is shared."""
    shared = [segment for segment in segments if segment.school != NOT_SHARED]
    result = []
    for segment in segments:
        before = [other for other in shared if other.first <= segment.first]
        result.append(before[-1] if before else next(iter(shared), segment))
    return result


def _unknown_state(*_: object) -> tuple[int, bool]:
    return 0, False


def _no_rows(*_: object) -> int:
    raise LookupError("nothing is kept of a day's single rows")
