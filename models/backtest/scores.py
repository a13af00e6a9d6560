"""The model's scores of many students, each in its household: what `models.scoring` does, in arrays."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from models.backtest.district import NEVER
from models.backtest.evidence import Floats
from models.backtest.ledger import Ledger, Places, Small
from models.backtest.units import NOWHERE, Units
from models.capacity import WEEK_DAYS
from models.risk_model import NO_SIBLING, RiskModel


class Scores:
    """The model's scores (log-odds) by student and number of days."""

    def __init__(self, ledger: Ledger, units: Units, model: RiskModel | None) -> None:
        self._ledger = ledger
        self._units = units
        self._model = model
        self._siblings = units.siblings()
        self._own = np.full(len(ledger.column), -np.inf)
        self._whole = np.full(len(ledger.column), np.nan)

    def add_day(self, student: Places) -> None:
        """Score the day just added to the ledger, by the student's own days."""
        if self._model is not None:
            at = self._ledger.at(student, self._ledger.length[student])
            self._own[at] = self._model.own(self._ledger.inputs(student))

    def add_household(self, student: Places, length: Places, day: int) -> Floats:
        """The scores of each student's day with the household's part: as of the day before that one."""
        if self._model is None:
            return np.zeros(len(student))
        at = self._ledger.at(student, length)
        column = self._ledger.column[at]
        highest = np.full(len(student), NO_SIBLING)
        active = self._units.active(day)
        for siblings in self._siblings:
            sibling = siblings[student]
            some = np.flatnonzero((sibling != NOWHERE) & active[sibling])
            known = sibling[some].astype(np.intp)
            count = self._ledger.before(known, column[some])
            own = np.where(count > 0, self._own[self._ledger.at(known, count)], NO_SIBLING)
            highest[some] = np.maximum(highest[some], own)
        self._whole[at] = self._model.score(self._own[at], highest)
        return self._whole[at]

    def after(self, unit: Places, column: Small) -> npt.NDArray[np.int16]:
        """Per unit: the first column to be scored again, when these units changed from these columns on."""
        again = np.full(len(self._units.student), NEVER, dtype=np.int16)
        again[unit] = column
        if self._model is None:
            return again
        for siblings in self._siblings:
            sibling = siblings[unit]
            some = sibling != NOWHERE
            np.minimum.at(again, sibling[some], column[some] + np.int16(1))
        return again

    def now(self, student: Places) -> Floats:
        """The scores after the last day."""
        return self.back(student, 0)

    def back(self, student: Places, days: int) -> Floats:
        """The scores so many days before the last one, or after the first."""
        length = np.maximum(self._ledger.length[student] - days, 1)
        return np.asarray(self._whole[self._ledger.at(student, length)])

    def peak(self, student: Places) -> Floats:
        """The highest score of the last week of counted days."""
        return np.asarray(np.max([self.back(student, days) for days in range(WEEK_DAYS)], axis=0))
