"""The risk model: an additive score of the window's features, calibrated, in plain arrays.

A student's own score (log-odds) is the intercept plus one step function per feature. The household's part, one
more step function, is of the highest own score of a sibling on the school day before. So each part is exact, and a
model is numbers alone: no code is loaded with it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from models.arrays import Floats
from models.features import FEATURES, MOST_DAYS, Inputs, features

NO_SIBLING = -np.inf
"""The sibling's score of a student without one whose consent is in force."""


class Steps(NamedTuple):
    """A step function: `values[k]` where k of the `edges` are at or below."""

    edges: Floats
    values: Floats

    def at(self, column: Floats) -> Floats:
        """Its values."""
        return np.asarray(self.values[np.searchsorted(self.edges, column, side="right")])


class RiskModel:
    """Scores rows of `models.features.INPUTS`. Immutable."""

    def __init__(self, intercept: float, steps: list[Steps], sibling: Steps) -> None:
        """`steps` are in the order of `models.features.FEATURES`."""
        self.intercept = intercept
        self.steps = steps
        self.sibling = sibling
        days = np.arange(MOST_DAYS + 1, dtype=np.float64)
        self._by_days = [
            each.at(days) if feature.counts else None for feature, each in zip(FEATURES, steps, strict=False)
        ]
        """Of features that are whole numbers: the value by the number."""

    def own(self, inputs: Inputs) -> Floats:
        """The students' own scores (log-odds), a row each."""
        total = np.full(len(inputs), self.intercept)
        for column, steps, by_days in zip(features(inputs), self.steps, self._by_days, strict=True):
            total += steps.at(column) if by_days is None else by_days[column.astype(np.intp)]
        return total

    def score(self, own: Floats, sibling: Floats) -> Floats:
        """Log-odds that the family is identified within the next 30 instructional days.

        `sibling` is the highest own score of a sibling on the school day before, or `NO_SIBLING`.
        """
        return np.asarray(own + self.sibling.at(sibling))

    def contributions(self, inputs: Inputs) -> Floats:
        """What each feature adds to the log-odds, rows by features: with the intercept they sum to `own`."""
        return np.column_stack([steps.at(column) for column, steps in zip(features(inputs), self.steps, strict=True)])


def probability(logits: Floats) -> Floats:
    """Log-odds as probabilities 0-1."""
    return np.asarray(1.0 / (1.0 + np.exp(-logits)))


def logit(share: float) -> float:
    """The log-odds of a probability strictly between 0 and 1."""
    return float(np.log(share / (1.0 - share)))
