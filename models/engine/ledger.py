"""The running totals of the days that count: students as rows, their days as positions.

Totals by position are kept as bytes, modulo 256: a window, of at most `models.policy.LONGEST` days, is a difference of
two.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from models.arrays import Codes, Flags, Ints, Places, grown
from models.attendance import EARLY_DEPARTURE, EXCUSED, PARTIAL, TARDY, UNEXCUSED
from models.engine.register import BREAK, CODE, NOWHERE, SHOCK, STEP, Schools
from models.features import INPUTS, KINDS, NO_MOVE, WINDOWS, Inputs

Small = npt.NDArray[np.int16]

NO_PLACE: Final = -1
ABSENT: Final = len(KINDS)
"""Absences for any reason, shock days too: one more kind beside `KINDS`, whose days are no shock days."""
_ORDINARY, _DAYS = ABSENT + 1, ABSENT + 2
_MORE_POSITIONS: Final = 16

_KINDS_OF: Final = np.zeros((_DAYS + 1, 32), np.bool_)
"""By kind and kept byte: whether the day is one of the kind."""
for _byte in range(32):
    _code, _shock = _byte & CODE, bool(_byte & SHOCK)
    if _code > BREAK:
        _codes = ((UNEXCUSED,), (EXCUSED,), (TARDY,), (EARLY_DEPARTURE, PARTIAL))
        _KINDS_OF[: len(KINDS), _byte] = [not _shock and _code in codes for codes in _codes]
        _KINDS_OF[ABSENT, _byte] = _code in (EXCUSED, UNEXCUSED)
        _KINDS_OF[_ORDINARY, _byte] = not _shock and _code != EXCUSED
        _KINDS_OF[_DAYS, _byte] = True
_BREAKS: Final = np.array(
    [byte == BREAK or bool(_KINDS_OF[_ORDINARY, byte] and not _KINDS_OF[0, byte]) for byte in range(32)]
)
"""By kept byte: whether the day ends a streak."""


class Pairs(NamedTuple):
    """Days to be decided, one each of `row` and `position`: by row, then day. Totals are those after the day."""

    row: Places
    position: Places
    """How many days of the row count, this one too."""
    column: Places
    day: Ints
    """Ordinals."""
    shock: Flags
    step: Flags
    school: Schools
    totals: Small
    """Kinds by pairs: of `KINDS`, and absences for any reason."""
    ordinary: Small
    """Days that are neither excused nor shock."""
    streak: Small
    returned: Flags
    """Whether the day before, among those that count and those not shared, was not shared."""
    aside: Small
    """Absences on shock days since the last ordinary absence."""
    moved_at: Small
    """The position (from 1) of the first day at the present school, or of the first one back where days are shared;
    `NO_PLACE` without a move."""
    months: Small
    """Months by pairs: unexcused absences in each of the ledger's months."""

    def at(self, where: Flags | Places) -> Pairs:
        """Some of them."""
        return Pairs._make(part[..., where] for part in self)


class Ledger:
    """Totals of rows that a register gives out."""

    def __init__(self, months: Sequence[tuple[int, int]]) -> None:
        """`months` are the stretches (first and last ordinal) whose absences are counted by themselves."""
        self._months = np.array(months, np.int32).reshape(-1, 2)
        self.length: Ints = np.zeros(0, np.int32)
        """Per row: how many days count."""
        self.last_column: Ints = np.zeros(0, np.int32)
        """The column of the last of them; `NO_PLACE` without any."""
        self.told_column: Ints = np.zeros(0, np.int32)
        """The column of the last day that counts or is not shared; `NO_PLACE` without any."""
        self.away: Flags = np.zeros(0, np.bool_)
        """Per row: whether that day is not shared."""
        self._told_at: Schools = np.zeros(0, np.uint16)
        """Per row: its school."""
        self._counts: Codes = np.zeros((ABSENT + 1, 0, 1), np.uint8)
        self._ordinary: Codes = np.zeros((0, 1), np.uint8)
        """By number of ordinary days: the unexcused ones among them."""
        self._ends: Small = np.zeros((_DAYS + 1, 0), np.int16)
        """The totals after the last day, by kind."""
        self._streak_from: Small = np.zeros(0, np.int16)
        """Unexcused absences up to the day that last ended a streak."""
        self._aside: Small = np.zeros(0, np.int16)
        self._moved_at: Small = np.zeros(0, np.int16)
        self.school: Schools = np.zeros(0, np.uint16)
        """Per row: the school of the last day that counts."""
        self._in_months: Small = np.zeros((len(self._months), 0), np.int16)

    def add(self, rows: int) -> None:
        """Room for so many rows."""
        have = len(self.length)
        if rows <= have:
            return
        room = max(rows, have + have // 4 + 16)
        self.length, self._streak_from = grown(self.length, room), grown(self._streak_from, room)
        self.last_column = grown(self.last_column, room, fill=NO_PLACE)
        self.told_column = grown(self.told_column, room, fill=NO_PLACE)
        self.away, self._told_at = grown(self.away, room), grown(self._told_at, room)
        self._aside, self._moved_at = grown(self._aside, room), grown(self._moved_at, room, fill=NO_PLACE)
        self.school, self._ends = grown(self.school, room), grown(self._ends, len(self._ends), room)
        self._in_months = grown(self._in_months, len(self._months), room)
        self._grow(room, self._ordinary.shape[1])

    def clear(self, row: int) -> None:
        """Forget a row."""
        self.length[row], self.last_column[row], self.school[row] = 0, NO_PLACE, NOWHERE
        self.told_column[row], self.away[row], self._told_at[row] = NO_PLACE, False, NOWHERE
        self._ends[:, row], self._in_months[:, row] = 0, 0
        self._streak_from[row], self._aside[row], self._moved_at[row] = 0, 0, NO_PLACE
        self._counts[:, row], self._ordinary[row] = 0, 0

    def moved_columns(self, at: int) -> None:
        """A column was put in at this place."""
        self.last_column += self.last_column >= at
        self.told_column += self.told_column >= at

    def fold(self, rows: Places, kept: Codes, school: Schools, days: Ints, since: int, *, anew: bool) -> Pairs:
        """Add the days of these rows to their totals, or with `anew` begin from nothing; the days as pairs.

        `kept` and `school` are rows by columns, from column `since` on, with these `days`.
        """
        ends = np.zeros((len(self._ends), len(rows)), np.int16) if anew else self._ends[:, rows]
        sums = np.cumsum(_KINDS_OF[:, kept], axis=2, dtype=np.int16)
        sums += ends[:, :, None]
        unexcused, counted = sums[0], kept > BREAK
        from_ = np.zeros(len(rows), np.int16) if anew else self._streak_from[rows]
        from_ = np.maximum.accumulate(np.where(_BREAKS[kept], unexcused, from_[:, None]), axis=1)
        aside = self._fold_aside(rows, kept, anew=anew)
        moved_at = self._fold_moves(rows, kept, school, sums[_DAYS], anew=anew)
        returned = self._fold_returns(rows, kept, anew=anew)
        months = self._fold_months(rows, kept, days, anew=anew)
        place, at = np.nonzero(counted)
        position = sums[_DAYS, place, at].astype(np.intp)
        pairs = Pairs(
            row=rows[place],
            position=position,
            column=at + since,
            day=days[at],
            shock=kept[place, at] & SHOCK > 0,
            step=kept[place, at] & STEP > 0,
            school=school[place, at],
            totals=sums[: ABSENT + 1, place, at],
            ordinary=sums[_ORDINARY, place, at],
            streak=unexcused[place, at] - from_[place, at],
            returned=returned[place, at],
            aside=aside[place, at],
            moved_at=moved_at[place, at],
            months=months[:, place, at],
        )
        self._end(rows, sums[:, :, -1], from_[:, -1], aside[:, -1], moved_at[:, -1], months[:, :, -1])
        self._end_days(rows, kept, school, since, anew=anew)
        self._store(pairs)
        return pairs

    def last_days(self, rows: Places) -> Pairs:
        """The last day of each of these rows, which must have one; its date and flags are not given."""
        ends, nobody = self._ends[:, rows], np.zeros(len(rows), np.bool_)
        return Pairs(
            row=rows,
            position=self.length[rows].astype(np.intp),
            column=self.last_column[rows].astype(np.intp),
            day=np.zeros(len(rows), np.int32),
            shock=nobody,
            step=nobody,
            school=self.school[rows],
            totals=ends[: ABSENT + 1],
            ordinary=ends[_ORDINARY],
            streak=ends[0] - self._streak_from[rows],
            returned=nobody,
            aside=self._aside[rows],
            moved_at=self._moved_at[rows],
            months=self._in_months[:, rows],
        )

    def window(self, kind: int, pairs: Pairs, days: int) -> Small:
        """Days of a kind among the last so many."""
        start = np.maximum(pairs.position - days, 0)
        return np.asarray((pairs.totals[kind].astype(np.uint8) - self._counts[kind, pairs.row, start]).astype(np.int16))

    def ordinary_window(self, pairs: Pairs, days: int) -> tuple[Small, Small]:
        """Unexcused absences among the last so many days that are neither excused nor shock, and how many there are."""
        of = np.minimum(pairs.ordinary, np.int16(days))
        first = self._ordinary[pairs.row, (pairs.ordinary - of).astype(np.intp)]
        return (pairs.totals[0].astype(np.uint8) - first).astype(np.int16), of

    def inputs(self, pairs: Pairs) -> Inputs:
        """The model's inputs, a row a pair."""
        result = np.empty((len(INPUTS), len(pairs.row)), dtype=np.int32)
        result[0] = pairs.position
        starts = [np.maximum(pairs.position - window, 0) for window in WINDOWS]
        row = 1
        for kind in range(len(KINDS)):
            now, counts = pairs.totals[kind].astype(np.uint8), self._counts[kind]
            for start in starts:
                result[row] = now - counts[pairs.row, start]
                row += 1
        for kind in range(len(KINDS)):
            result[row] = pairs.totals[kind]
            row += 1
        result[row] = pairs.streak
        since = np.minimum(pairs.position - pairs.moved_at, NO_MOVE)
        result[row + 1] = np.where(pairs.moved_at == NO_PLACE, NO_MOVE, since)
        return result.T

    def _fold_aside(self, rows: Places, kept: Codes, *, anew: bool) -> Small:
        before = np.zeros(len(rows), np.int16) if anew else self._aside[rows]
        shock = kept & SHOCK > 0
        if not (shock.any() or before.any()):
            return np.zeros(kept.shape, np.int16)
        absent = _KINDS_OF[ABSENT, kept]
        so_far = np.cumsum(absent & shock, axis=1, dtype=np.int16) + before[:, None]
        settled = np.maximum.accumulate(np.where(absent & ~shock, so_far, np.int16(0)), axis=1)
        return np.asarray(so_far - settled)

    def _fold_returns(self, rows: Places, kept: Codes, *, anew: bool) -> Flags:
        away = np.zeros(len(rows), np.bool_) if anew else self.away[rows]
        if not (away.any() or (kept == BREAK).any()):
            return np.zeros(kept.shape, np.bool_)
        told = np.where(kept > 0, np.arange(1, kept.shape[1] + 1), 0)
        before = np.zeros_like(told)
        before[:, 1:] = np.maximum.accumulate(told, axis=1)[:, :-1]
        shared = np.concatenate((~away[:, None], kept != BREAK), axis=1)
        return np.asarray((kept > BREAK) & ~np.take_along_axis(shared, before, axis=1))

    def _fold_moves(self, rows: Places, kept: Codes, school: Schools, position: Small, *, anew: bool) -> Small:
        before = np.full(len(rows), NO_PLACE, np.int16) if anew else self._moved_at[rows]
        at = np.where(anew, np.uint16(NOWHERE), self._told_at[rows])
        told, result = kept > 0, np.repeat(before[:, None], kept.shape[1], axis=1)
        if not (told & (school != at[:, None])).any():
            return result
        highest = np.where(told, school, np.uint16(NOWHERE)).max(axis=1)
        lowest = np.where(told, school, highest[:, None]).min(axis=1)
        for place in np.flatnonzero((highest != lowest) | ((at != NOWHERE) & (at != highest))).tolist():
            columns = np.flatnonzero(told[place])
            schools = np.concatenate((at[place : place + 1], school[place, columns]))
            moves = columns[(schools[1:] != schools[:-1]) & (schools[:-1] != NOWHERE)]
            for column in moves[kept[place, moves] > BREAK].tolist():
                result[place, column:] = position[place, column]
        return result

    def _fold_months(self, rows: Places, kept: Codes, days: Ints, *, anew: bool) -> Small:
        shape = (len(self._months), *kept.shape)
        before = np.zeros(shape[:2], np.int16) if anew else self._in_months[:, rows]
        inside = (self._months[:, :1] <= days) & (days <= self._months[:, 1:])
        if not inside.any():
            return np.broadcast_to(before[:, :, None], shape)
        unexcused = _KINDS_OF[0, kept]
        return np.asarray(np.cumsum(unexcused & inside[:, None, :], axis=2, dtype=np.int16) + before[:, :, None])

    def _end(self, rows: Places, ends: Small, from_: Small, aside: Small, moved_at: Small, months: Small) -> None:
        self._ends[:, rows], self._in_months[:, rows] = ends, months
        self._streak_from[rows], self._aside[rows], self._moved_at[rows] = from_, aside, moved_at
        self.length[rows] = ends[_DAYS]

    def _end_days(self, rows: Places, kept: Codes, school: Schools, since: int, *, anew: bool) -> None:
        if anew:
            self.last_column[rows], self.school[rows] = NO_PLACE, NOWHERE
            self.told_column[rows], self._told_at[rows], self.away[rows] = NO_PLACE, NOWHERE, False
        found, last = _last(kept > BREAK)
        counted = rows[found]
        self.last_column[counted] = self.told_column[counted] = last + since
        self.school[counted] = self._told_at[counted] = school[found, last]
        self.away[counted] = False
        found, last = _last(kept == BREAK)
        if len(found):
            away = last + since > self.last_column[rows[found]]
            found, last = found[away], last[away]
            self.told_column[rows[found]], self._told_at[rows[found]] = last + since, school[found, last]
            self.away[rows[found]] = True

    def _store(self, pairs: Pairs) -> None:
        longest = int(pairs.position.max(initial=0)) + 1
        if longest > self._ordinary.shape[1]:
            self._grow(len(self.length), longest + _MORE_POSITIONS)
        self._counts[:, pairs.row, pairs.position] = pairs.totals.astype(np.uint8)
        self._ordinary[pairs.row, pairs.ordinary] = pairs.totals[0].astype(np.uint8)

    def _grow(self, rows: int, positions: int) -> None:
        self._counts = grown(self._counts, len(self._counts), rows, positions)
        self._ordinary = grown(self._ordinary, rows, positions)


def _last(days: Flags) -> tuple[Places, Places]:
    """The rows that have any of these days, and the column of the last one of each."""
    found = np.flatnonzero(days.any(axis=1))
    return found, days.shape[1] - 1 - np.argmax(days[found, ::-1], axis=1)
