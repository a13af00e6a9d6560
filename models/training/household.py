"""The household's part of the score, and calibration with it: both are learned on scores of households not seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from models.arrays import Flags, Floats, Ints
from models.risk_model import NO_SIBLING, RiskModel
from models.training.examples import Examples

_WEAK: Final = 1000.0
"""scikit-learn's C: next to no penalty, but one, so that columns which say the same do no harm."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Log-odds that come true as often as they say, of the learned log-odds of a student and of the highest sibling."""

    intercept: float
    slope: float
    """Below 1 it takes back what was learned too well (Platt 1999)."""
    sibling: float
    """Added for having a sibling at all."""
    sibling_slope: float
    """Never negative."""

    def own(self, learned: Floats) -> Floats:
        """The own scores."""
        return np.asarray(self.intercept + self.slope * learned)

    def household(self, learned: Floats) -> Floats:
        """What siblings add, of their learned log-odds; 0 without one."""
        has = learned > NO_SIBLING
        return np.where(has, self.sibling + self.sibling_slope * np.where(has, learned, 0.0), 0.0)

    def logits(self, learned: Floats, sibling: Floats) -> Floats:
        """Calibrated log-odds per row."""
        return self.own(learned) + self.household(sibling)


def calibrate(learned: Floats, sibling: Floats, came_true: Flags) -> Calibration:
    """The calibration under which these rows, which were not learned from, are likeliest."""
    middle = float(np.mean(learned))
    has = sibling > NO_SIBLING
    columns = np.column_stack([learned - middle, has, np.where(has, sibling - middle, 0.0)])
    slope, added, rise, intercept = _fit(columns, came_true)
    if rise < 0:
        (slope, added, intercept), rise = _fit(columns[:, :2], came_true), 0.0
    return Calibration(intercept - slope * middle, slope, added - rise * middle, rise)


def siblings_highest(examples: Examples, scores: Floats) -> Floats:
    """Per row, the highest of these scores among the siblings at the same week's end, or `NO_SIBLING`.

    In use it is the score of the school day before, of which the examples know nothing: nearly the same.
    """
    order = np.lexsort((scores, examples.household, examples.day, examples.year)).astype(np.int32)
    ranked = scores[order]
    first = np.append(True, ~_same_home(examples, order))
    last = np.append(first[1:], True)
    highest = ranked[last][np.cumsum(first) - 1]
    second = np.where(first, NO_SIBLING, np.append(NO_SIBLING, ranked[:-1]))
    found = np.empty(len(scores))
    found[order] = np.where(last, second, highest)
    return found


def scores_of(model: RiskModel, examples: Examples) -> Floats:
    """A model's log-odds of all examples, household by household."""
    own = model.own(examples.inputs)
    return model.score(own, siblings_highest(examples, own))


def _same_home(examples: Examples, order: Ints) -> Flags:
    """Whether each row but the first, in this order, is of the household and day of the one before."""
    columns = (examples.year[order], examples.day[order], examples.household[order])
    return np.asarray(np.logical_and.reduce([column[1:] == column[:-1] for column in columns]), dtype=np.bool_)


def _fit(columns: Floats, came_true: Flags) -> list[float]:
    learner = LogisticRegression(C=_WEAK, solver="newton-cholesky")
    with threadpool_limits(1):
        learner.fit(columns, came_true)
    return [*learner.coef_[0].tolist(), float(learner.intercept_[0])]
