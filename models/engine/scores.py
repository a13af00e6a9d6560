"""The model's scores of many students' days, each in its household."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
        self._of: dict[int, tuple[int, ...]] = {}
        self._begins: Places | None = None
        self._rows: Places = np.zeros(0, np.intp)

    def set(self, row: int, others: Iterable[int]) -> None:
        """Say who they are, in place of what was said."""
        self._of.pop(row, None)
        if found := tuple(others):
            self._of[row] = found
        self._begins = None

    def of(self, rows: Places) -> tuple[Places, Places]:
        """Every sibling of these rows: the place in `rows`, and the sibling's row."""
        if not self._of:
            return np.zeros(0, np.intp), np.zeros(0, np.intp)
        begins = self._begins if self._begins is not None else self._lay_out()
        inside = np.flatnonzero(rows < len(begins) - 1)
        first = begins[rows[inside]]
        number = begins[rows[inside] + 1] - first
        place = np.repeat(inside, number)
        turn = np.arange(len(place)) - np.repeat(np.cumsum(number) - number, number)
        return place, self._rows[np.repeat(first, number) + turn]

    def among(self, rows: Places) -> Places:
        """The places of those of these rows that have any."""
        return np.unique(self.of(rows)[0])

    def _lay_out(self) -> Places:
        numbers = np.zeros(max(self._of) + 1, np.intp)
        for row, others in self._of.items():
            numbers[row] = len(others)
        self._begins = np.concatenate(([0], np.cumsum(numbers)))
        self._rows = np.array([other for row in sorted(self._of) for other in self._of[row]], np.intp)
        return self._begins


class Scores:
    """Scores (log-odds) by row and position."""

    def __init__(self, register: Register, ledger: Ledger, models: Sequence[Since]) -> None:
        """`models` are by day, the first from the beginning on; empty without any."""
        self.models = list(models)
        self.siblings = Siblings()
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
            self._own[row], self._recent_at[row] = UNKNOWN, 0

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
            counted = self._register.kept[rows, : self._register.columns] & CODE > BREAK
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
