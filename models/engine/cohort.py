"""The students of one school year: facts mark what they touch, and one evaluation decides all of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import numpy as np

from models.arrays import Codes, Flags, Floats, Places, grown
from models.capacity import WEEK_DAYS
from models.engine.ledger import Ledger, Pairs, Small
from models.engine.levels import Levels, Strategy
from models.engine.register import BREAK, CODE, REPORTED, SHOCK, Register, Schools
from models.engine.rules import Rules
from models.engine.scores import Scores, Since
from models.features import Inputs
from models.policy import Policy

UNTOUCHED: Final = np.iinfo(np.int16).max
_RECENT: Final = 12
"""Most facts are of today, and most others of so many days: each are looked at by themselves."""
_RESTORED: Final = 1024
"""Rows that are read at once."""
_CELLS: Final = 100_000
"""So many days of students are evaluated at once: less than a tenth of a second, and some megabytes."""


Turned = dict[int, int]
"""Rows whose level turned, or was taken back, and the position from which on all is to be emitted anew."""


class WeekStanding(NamedTuple):
    """Students at a week's close, an array per field; scores in log-odds."""

    now: Floats
    before: Floats
    """A week of counted days ago."""
    peak: Floats
    """The highest of that week."""
    can_enter: Flags
    """Takes a place next week if the score suffices: has none, or one that ends by then."""


class Cohort:
    """Rows of one school year. `levels` are one for each strategy."""

    def __init__(
        self,
        policy: Policy,
        year: int,
        strategies: Sequence[Strategy],
        models: Sequence[Since] = (),
        *,
        moments: bool = True,
    ) -> None:
        self.year = year
        self.rules = Rules(policy, year)
        self.register = Register(moments=moments)
        self.ledger = Ledger(self.rules.months())
        self.scores = Scores(self.register, self.ledger, models)
        self.levels = [Levels(strategy, policy.calm_days) for strategy in strategies]
        self._since: Small = np.zeros(0, np.int16)
        """Per row: the first column of which something may have changed."""
        self._again: Small = np.zeros(0, np.int16)
        """Per row: the column from which on levels must be decided again, though the days are the same."""
        self._anew: Flags = np.zeros(0, np.bool_)
        """Per row: whether all days are to be scored anew, though they may be the same."""
        self._changed_since: Small = np.zeros(0, np.int16)
        """Per row that is being evaluated: the first column whose day is another."""
        self._touched = False

    @property
    def touched(self) -> bool:
        """Whether anything waits for evaluation."""
        return self._touched

    def add(self, rows: int = 1) -> int:
        """Begin so many rows; the first one's number."""
        first = self.register.add(rows)
        room = len(self.register.first)
        self.ledger.add(room)
        self.scores.add(room)
        for levels in self.levels:
            levels.add(room)
        self._since = grown(self._since, room, fill=UNTOUCHED)
        self._again = grown(self._again, room, fill=UNTOUCHED)
        self._changed_since = grown(self._changed_since, room, fill=UNTOUCHED)
        self._anew = grown(self._anew, room)
        return first

    def clear(self, row: int) -> None:
        """Forget everything of a row."""
        self.register.clear(row)
        self.ledger.clear(row)
        self.scores.clear(row)
        for levels in self.levels:
            levels.clear(row)
        self._since[row] = self._again[row] = UNTOUCHED
        self._anew[row] = False

    def column(self, day: int) -> int:
        """The column of a date, put in at first use."""
        register = self.register
        if register.has(day):
            return register.column(day)
        at = register.insert(day)
        self.ledger.moved_columns(at)
        self._since += (self._since >= at) & (self._since != UNTOUCHED)
        self._again += (self._again >= at) & (self._again != UNTOUCHED)
        if (register.state[:, at] >= REPORTED).any():
            self.touch(np.arange(register.rows), at)
        return at

    def touch(self, rows: Places | int, columns: Places | int) -> None:
        """Something may have changed of these rows' days; a row may be named more than once."""
        if isinstance(columns, int):
            self._since[rows] = np.minimum(self._since[rows], columns)
            last = columns
        else:
            np.minimum.at(self._since, rows, columns.astype(np.int16))
            last = int(columns.max(initial=-1))
        self.register.reached = max(self.register.reached, last + 1)
        self._touched = True

    def decide_again(self, rows: Places | int, columns: Small | int) -> None:
        """Levels, and scores with their household's part, are other ones from a column on."""
        np.minimum.at(self._again, rows, np.asarray(columns, np.int16))
        self._touched = True

    def forget_days(self, row: int) -> None:
        """All of the row's days are to be scored and decided anew."""
        self._anew[row] = True
        self.decide_again(row, 0)

    def threshold_changed(self, agency: int, day: int, old: float, new: float) -> None:
        """An agency has another threshold from a day on: only whose score reaches the lower one can turn."""
        column = int(np.searchsorted(self.register.ordinals, day))
        theirs = self.levels[0].agency[: self.register.rows] == agency
        rows = np.flatnonzero(theirs & (self.ledger.last_column[: self.register.rows] >= column))
        if not len(rows):
            return
        self._know(rows)
        position = self._position(rows, column)
        alone, most = self.scores.household_parts()
        part = np.full(len(rows), alone)
        part[self.scores.siblings.among(rows)] = most
        self.decide_again(rows[self.scores.own_since(rows, position + 1) + part >= min(old, new)], column)

    def evaluate(self) -> list[Turned]:
        """Decide some of what was touched; what turned, by strategy."""
        rows = self._next_rows()
        turned: list[Turned] = [{} for _ in self.levels]
        parts = [part for part in self._fold(rows, turned) if len(part.row)]
        assumed = [self.register.assumed[part.school] for part in parts]
        if self.scores.on:
            for part, silent in zip(parts, assumed, strict=True):
                self.scores.take(part, silent)
            self._touch_siblings(rows, parts)
        for part, silent in zip(parts, assumed, strict=True):
            assessed = self.rules.assess(self.ledger, part, silent)
            logits = self._logits(part)
            for levels, found in zip(self.levels, turned, strict=True):
                _add(found, levels.decide(part, assessed, logits))
        away = rows[self.ledger.away[rows]]
        for levels, found in zip(self.levels, turned, strict=True) if len(away) else ():
            _add(found, levels.leave(away, self.ledger.length[away]))
        return turned

    def evaluate_all(self) -> list[Turned]:
        """Decide all that was touched."""
        turned = self.evaluate()
        while self._touched:
            for found, more in zip(turned, self.evaluate(), strict=True):
                _add(found, more)
        return turned

    def moves(self, row: int) -> int:
        """How often the school changes between a row's days, those that are not shared being at one of their own."""
        told = self.register.kept[row, : self.register.reached] > 0
        schools = self.register.schools(np.array([row]), 0)[0, told]
        return int(np.count_nonzero(schools[1:] != schools[:-1]))

    def restored(self) -> None:
        """After a restart: what each day came to is found from what was said, and the totals from these."""
        self.register.reached = self.register.columns
        for start in range(0, self.register.rows, _RESTORED):
            rows = np.arange(start, min(start + _RESTORED, self.register.rows))
            kept, school = self.register.resolve(rows, 0)
            self.register.kept[rows, : self.register.reached] = kept
            if self.register.reached:
                self.ledger.fold(rows, kept, school, self.register.ordinals, 0, anew=True)
        self.scores.complete = not self.scores.on or not self.ledger.length.any()
        if self.scores.on:
            self.scores.reach(int(self.ledger.length.max(initial=0)))
        self._since[:] = self._again[:] = UNTOUCHED
        self._anew[:] = False
        self._touched = False

    def days_at(self, rows: Sequence[int], positions: Sequence[int]) -> Pairs:
        """A day of each of these rows, by its position."""
        row, position = np.array(rows, np.intp), np.array(positions, np.intp)
        days = self._refold(unique := np.unique(row), np.zeros(len(unique), np.intp))
        longest = int(self.ledger.length.max(initial=0)) + 1
        return days.at(np.searchsorted(days.row * longest + days.position, row * longest + position))

    def days_of(self, row: int) -> Pairs:
        """Every day of a row that counts."""
        rows = np.array([row], np.intp)
        return self._refold(rows, np.zeros(1, np.intp))

    def inputs(self, rows: Places) -> Inputs:
        """The model's inputs on these rows' last days; each must have one."""
        return self.ledger.inputs(self.ledger.last_days(rows))

    def shock_on_last_day(self, rows: Places) -> Flags:
        """Whether the last day that counts is a shock day; False without one."""
        column = self.ledger.last_column[rows]
        return np.asarray((self.register.kept[rows, column] & SHOCK > 0) & (column >= 0))

    def standing(self, rows: Places, levels: Levels) -> WeekStanding:
        """Where these rows, each with a scored day, stand at a week's close."""
        length = self.ledger.length[rows]
        logits = self._latest(rows, WEEK_DAYS + 1)
        can_enter = levels.can_enter(rows, length)
        return WeekStanding(now=logits[-1], before=logits[0], peak=logits[1:].max(axis=0), can_enter=can_enter)

    def now(self, rows: Places) -> Floats:
        """The scores (log-odds) on these rows' last days; each must have one."""
        return np.asarray(self._latest(rows, 1)[0])

    def scores_at(self, rows: Places, positions: Places) -> tuple[Floats, Floats]:
        """The scores (log-odds) of days: by the students' own days, and with the household's part."""
        whole = self._whole(rows, positions)
        self._know(rows)
        return self.scores.own(rows, positions), whole

    def _latest(self, rows: Places, days: int) -> Floats:
        """The scores of the last so many days, days by rows; before the first day its own."""
        length = self.ledger.length[rows].astype(np.intp)
        return np.array([self._whole(rows, np.maximum(length - back, 1)) for back in range(days - 1, -1, -1)])

    def _whole(self, rows: Places, positions: Places) -> Floats:
        """Scores as they were decided on, or made again where they are not kept."""
        result, missing = self.scores.kept(rows, positions)
        if missing.any():
            some, at = rows[missing], positions[missing]
            self._know(some)
            result[missing] = self.scores.whole(some, at, self._columns(some, at))
        return result

    def _columns(self, rows: Places, positions: Places) -> Places:
        """The columns of days by their positions; 0 where nothing asks for it: nobody lives there, one model."""
        wanted = self.scores.siblings.among(rows) if len(self.scores.models) == 1 else np.arange(len(rows))
        result = np.zeros(len(rows), np.intp)
        counted = self.register.kept[rows[wanted], : self.register.reached] & CODE > BREAK
        so_far = np.cumsum(counted, axis=1, dtype=np.int16)
        result[wanted] = (so_far < positions[wanted][:, None]).sum(axis=1)
        return result

    def _next_rows(self) -> Places:
        waiting = np.flatnonzero(np.minimum(self._since, self._again) != UNTOUCHED)
        first = np.minimum(self._since[waiting], self._again[waiting])
        late = first <= self.ledger.told_column[waiting]
        cells = np.cumsum(np.where(late, self.register.reached, self.register.reached - first) + 1)
        most = int(np.searchsorted(cells, _CELLS)) + 1
        self._touched = most < len(waiting)
        if not self._touched:
            return waiting
        # A household is decided at once: its scores hang together.
        siblings = self.scores.siblings.of(waiting[:most])[1]
        return np.intersect1d(waiting, np.union1d(waiting[:most], siblings))

    def _touch_siblings(self, rows: Places, parts: Sequence[Pairs]) -> None:
        """A sibling's days after one that is another now count that one in: they are decided again."""
        changed = rows[self._changed_since[rows] != UNTOUCHED]
        place, sibling = self.scores.siblings.of(changed)
        if not len(sibling):
            return
        decided = np.full(len(self._since), UNTOUCHED, np.int16)
        for part in parts:
            np.minimum.at(decided, part.row, part.column.astype(np.int16))
        after = self._changed_since[changed][place]
        later = (self.ledger.last_column[sibling] > after) & (decided[sibling] > after + 1)
        if later.any():
            self.decide_again(sibling[later], after[later] + np.int16(1))

    def _fold(self, rows: Places, turned: Sequence[Turned]) -> Iterable[Pairs]:
        """The days of these rows that are to be decided, their totals brought up to date."""
        since = np.minimum(self._since[rows], self._again[rows])
        today, late = since >= self.register.reached - 1, since < self.register.reached - _RECENT
        for part in (rows[today], rows[~today & ~late], rows[late]):
            if len(part):
                yield from self._fold_part(part, turned)

    def _fold_part(self, rows: Places, turned: Sequence[Turned]) -> Iterable[Pairs]:
        again = self._again[rows]
        begin = int(np.minimum(self._since[rows], again).min())
        self._since[rows] = self._again[rows] = self._changed_since[rows] = UNTOUCHED
        if begin >= self.register.reached:
            return
        kept, school = self.register.resolve(rows, begin)
        columns = slice(begin, self.register.reached)
        differs = kept != self.register.kept[rows, columns]
        first = np.where(differs.any(axis=1), differs.argmax(axis=1) + begin, UNTOUCHED)
        self._changed_since[rows] = np.minimum(first, self._first_anew(rows, begin, kept))
        first = np.minimum(first, again)
        some = first < self.register.reached
        rows, first, kept, school = rows[some], first[some], kept[some], school[some]
        if not len(rows):
            return
        appended = first > self.ledger.told_column[rows]
        before = self._position(rows[~appended], first[~appended])
        self.register.kept[rows, columns] = kept
        if appended.any():
            yield self._append(rows[appended], int(first[appended].min()), begin, kept[appended], school[appended])
        if not appended.all():
            late = rows[~appended]
            for levels, found in zip(self.levels, turned, strict=True):
                _add(found, levels.cut(late, before))
            yield self._refold(late, before)

    def _first_anew(self, rows: Places, begin: int, kept: Codes) -> Small:
        """The first day of each row that is scored anew, as it was or is now; `UNTOUCHED` for the others."""
        result, anew = np.full(len(rows), UNTOUCHED, np.int16), np.flatnonzero(self._anew[rows])
        self._anew[rows] = False
        days = (kept[anew] > 0) | (self.register.kept[rows[anew], begin : self.register.reached] > 0)
        result[anew] = np.where(days.any(axis=1), days.argmax(axis=1) + begin, UNTOUCHED)
        return result

    def _append(self, rows: Places, since: int, begin: int, kept: Codes, school: Schools) -> Pairs:
        kept, school = kept[:, since - begin :], school[:, since - begin :]
        at = np.arange(since, self.register.reached)
        fresh = np.where(at > self.ledger.told_column[rows][:, None], kept, np.uint8(0))
        return self.ledger.fold(rows, fresh, school, self.register.ordinals[at], since, anew=False)

    def _refold(self, rows: Places, before: Places) -> Pairs:
        """All days of these rows once more; those after the first so many as pairs."""
        kept = self.register.kept[rows, : self.register.reached]
        school = self.register.schools(rows, 0)
        days = self.register.ordinals[: self.register.reached]
        pairs = self.ledger.fold(rows, kept, school, days, 0, anew=True)
        place = np.searchsorted(rows, pairs.row)
        return pairs.at(pairs.position > before[place])

    def _position(self, rows: Places, columns: Places | int) -> Places:
        """How many days of each row count before a column, as last evaluated."""
        kept = self.register.kept[rows, : self.register.reached] & CODE > BREAK
        before = np.arange(self.register.reached) < np.asarray(columns).reshape(-1, 1)
        return np.asarray((kept & before).sum(axis=1, dtype=np.intp))

    def _logits(self, pairs: Pairs) -> Floats:
        if not self.scores.on:
            return np.zeros(len(pairs.row))
        if not self.scores.complete:
            self._know(np.unique(pairs.row))
        whole = self.scores.whole(pairs.row, pairs.position, pairs.column)
        self.scores.keep(pairs, whole)
        return whole

    def _know(self, rows: Places) -> None:
        """Make the own scores of these rows, and of whom they live with, that are not known since a restart."""
        if self.scores.complete:
            return
        rows = np.unique(np.append(rows, self.scores.siblings.of(rows)[1]))
        rows = rows[self.ledger.length[rows] > 0]
        rows = rows[self.scores.unknown(rows)]
        if len(rows):
            pairs = self._refold(rows, np.zeros(len(rows), np.intp))
            self.scores.take(pairs, self.register.assumed[pairs.school])


def _add(turned: Turned, more: Turned) -> None:
    for row, position in more.items():
        turned[row] = min(position, turned.get(row, position))
