"""The model's scores of many students' days, each in its household."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from models.arrays import Flags, Floats, Ints, Places, grown
from models.artifact import Artifact
from models.engine.ledger import Ledger, Pairs, Small
from models.engine.register import BREAK, CODE, Register
from models.risk_model import NO_SIBLING, RiskModel

_RECENT: Final = 8
"""So many days' scores are kept as they were decided, for the week's close (`WEEK_DAYS` and one)."""
_MORE_POSITIONS: Final = 16
NOBODY: Final = -1
MOST_AT_HOME: Final = 20
"""A household of more students is none: it is what somebody wrote in place of an unknown one."""
_MOST_IN_PLACES: Final = 8
UNKNOWN = np.nan
"""A score that has not been made since the rows were read."""
SILENT = -np.inf
"""The score of a day on which the model says nothing."""


class Since(NamedTuple):
    """The model that scores the days from one on: another model does not judge the past anew."""

    day: int
    model: RiskModel
    artifact: Artifact | None = None
    """Where the model comes from; the backtest needs none."""


class Siblings:
    """By row: the rows of the household's other students."""

    def __init__(self) -> None:
        self._few: Ints = np.full((0, 0), NOBODY, np.int32)
        """Rows by places, for households of up to `_MOST_IN_PLACES` others."""
        self._many: dict[int, tuple[int, ...]] = {}

    def set(self, row: int, others: Sequence[int]) -> None:
        """Say who they are, in place of what was said."""
        few = others if len(others) <= _MOST_IN_PLACES else ()
        self._many.pop(row, None)
        if len(others) > _MOST_IN_PLACES:
            self._many[row] = tuple(others)
        if row >= len(self._few) or len(few) > self._few.shape[1]:
            if not few:
                return
            rows, places = max(row + 1, len(self._few) * 5 // 4 + 16), max(len(few), self._few.shape[1])
            self._few = grown(self._few, rows, places, fill=NOBODY)
        self._few[row] = NOBODY
        self._few[row, : len(few)] = few

    def of(self, rows: Places) -> tuple[Places, Places]:
        """Every sibling of these rows: the place in `rows`, and the sibling's row."""
        inside = np.flatnonzero(rows < len(self._few))
        found = self._few[rows[inside]]
        at, column = np.nonzero(found != NOBODY)
        place, sibling = inside[at], found[at, column].astype(np.intp)
        for row, others in self._many.items():
            where = np.flatnonzero(rows == row)
            place = np.append(place, np.repeat(where, len(others)))
            sibling = np.append(sibling, np.tile(np.array(others, np.intp), len(where)))
        return place, sibling

    def among(self, rows: Places) -> Places:
        """The places of those of these rows that have any."""
        return np.unique(self.of(rows)[0])


class Scores:
    """Scores (log-odds) by row and position."""

    def __init__(self, register: Register, ledger: Ledger, models: Sequence[Since]) -> None:
        """`models` are by day, the first from the beginning on; empty without any."""
        self.models = list(models)
        self.siblings = Siblings()
        self.complete = True
        """Whether every day's own score is known: after a restart they are made when they are asked for."""
        self._register = register
        self._ledger = ledger
        self._own: Floats = np.full((0, 2), UNKNOWN)
        self._recent: Floats = np.full((0, _RECENT), UNKNOWN)
        """The last scores with the household's part, by position modulo their number."""
        self._recent_at: Small = np.zeros((0, _RECENT), np.int16)
        """Of which position each is."""

    @property
    def on(self) -> bool:
        """Whether there is a model."""
        return bool(self.models)

    def artifact_on(self, day: int) -> Artifact | None:
        """The artifact whose model scores a day."""
        return next((since.artifact for since in reversed(self.models) if since.day <= day), None)

    def add(self, rows: int) -> None:
        """Room for so many rows."""
        if self.on and rows > len(self._own):
            room = max(rows, len(self._own) * 5 // 4 + 16)
            self._own = grown(self._own, room, self._own.shape[1], fill=UNKNOWN)
            self._recent = grown(self._recent, room, _RECENT, fill=UNKNOWN)
            self._recent_at = grown(self._recent_at, room, _RECENT)

    def clear(self, row: int) -> None:
        """Forget a row."""
        if self.on:
            self._own[row] = self._recent[row] = UNKNOWN
            self._recent_at[row] = 0

    def keep(self, pairs: Pairs, whole: Floats) -> None:
        """Keep the scores that were decided on."""
        late = np.flatnonzero(pairs.position > self._ledger.length[pairs.row] - _RECENT)
        row, position = pairs.row[late], pairs.position[late]
        self._recent[row, position % _RECENT], self._recent_at[row, position % _RECENT] = whole[late], position

    def kept(self, row: Places, position: Places) -> tuple[Floats, Flags]:
        """The scores that were decided on, and where they are not kept any more."""
        at = position % _RECENT
        return self._recent[row, at], np.asarray(self._recent_at[row, at] != position)

    def reach(self, position: int) -> None:
        """Room for a day at this position."""
        if position >= self._own.shape[1]:
            self._own = grown(self._own, len(self._own), position + _MORE_POSITIONS, fill=UNKNOWN)

    def take(self, pairs: Pairs, silent: Flags) -> None:
        """Score these days by the students' own days; on those that are `silent` the model says nothing."""
        self.reach(int(pairs.position.max(initial=0)))
        self._own[pairs.row, pairs.position] = np.where(silent, SILENT, self._of_days(pairs))

    def own(self, row: Places, position: Places) -> Floats:
        """The scores of days already taken, by the students' own days."""
        return np.asarray(self._own[row, position])

    def whole(self, row: Places, position: Places, column: Places) -> Floats:
        """The scores of days already taken, with the household's part: of the counted day before."""
        own = self.own(row, position)
        sibling = np.full(len(own), NO_SIBLING)
        place, other = self.siblings.of(row)
        if len(place):
            before = self._before(other, column[place])
            np.maximum.at(sibling, place, np.where(before > 0, self._own[other, before], NO_SIBLING))
        if len(self.models) == 1:
            return self.models[0].model.score(own, sibling)
        result = np.empty(len(own))
        for number, where in self._parts(self._register.ordinals[column]):
            result[where] = self.models[number].model.score(own[where], sibling[where])
        return result

    def own_since(self, rows: Places, position: Places) -> Floats:
        """Per row: the highest own score of its days from a position (from 1) on."""
        at = np.arange(self._own.shape[1])
        inside = (position[:, None] <= at) & (at <= self._ledger.length[rows, None])
        return np.asarray(np.where(inside, self._own[rows], -np.inf).max(axis=1, initial=-np.inf))

    def household_parts(self) -> tuple[float, float]:
        """The most that the household's part can be, without a sibling and with any."""
        values = [since.model.sibling.values for since in self.models]
        return max(float(each[0]) for each in values), max(float(each.max()) for each in values)

    def unknown(self, rows: Places) -> Flags:
        """Which of these rows, each with a day that counts, have no score since they were read."""
        return np.asarray(np.isnan(self._own[rows, 1]))

    def _before(self, row: Places, column: Places) -> Places:
        """How many days of each of these rows count before a column."""
        last, position = self._ledger.last_column[row], self._ledger.length[row].astype(np.intp)
        position -= last == column
        late = np.flatnonzero(last > column)
        if len(late):
            rows, of = np.unique(row[late], return_inverse=True)
            counted = self._register.kept[rows, : self._register.reached] & CODE > BREAK
            so_far = np.cumsum(counted, axis=1, dtype=np.int16)
            position[late] = np.where(column[late] > 0, so_far[of, column[late] - 1], 0)
        return position

    def _of_days(self, pairs: Pairs) -> Floats:
        inputs = self._ledger.inputs(pairs)
        if len(self.models) == 1:
            return self.models[0].model.own(inputs)
        result = np.empty(len(inputs))
        for number, where in self._parts(pairs.day):
            result[where] = self.models[number].model.own(inputs[where])
        return result

    def _parts(self, day: Ints) -> list[tuple[int, Places]]:
        begins = np.array([since.day for since in self.models])
        of = np.maximum(np.searchsorted(begins, day, side="right") - 1, 0)
        return [(number, np.flatnonzero(of == number)) for number in np.unique(of).tolist()]
