"""The candidates: ways of learning a step function per feature, whose sum is the log-odds.

Each is additive and, where `models.features` says that the score may only rise or fall with a feature, monotone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from models.arrays import Flags, Floats
from models.features import FEATURES, NAMES
from models.training.bins import BinNumbers
from models.training.examples import Examples
from models.training.table import TrainingTable

MOST_NEGATIVES: Final = 200_000
"""Rows that did not come true, of which no more are learned from; each then stands for several."""
EARLY_DAYS: Final = 2.5
"""Added to the lead (instructional days) by which a row that came true weighs: the last ones say something too."""
RISES: Final = tuple(feature.rises for feature in FEATURES)


@dataclass(frozen=True, slots=True)
class Shape:
    """A step function per feature, of the bins."""

    intercept: float
    values: list[Floats]

    def logits(self, numbers: BinNumbers) -> Floats:
        """Log-odds per row."""
        total = np.full(len(numbers), self.intercept)
        for values, number in zip(self.values, numbers.T, strict=True):
            total += values[number]
        return total


@dataclass(frozen=True, slots=True)
class Logistic:
    """A logistic regression on the square root of each bin's mean: nearly every feature is a count or a ratio."""

    strength: float
    """Inverse of the L2 penalty on standardised features (scikit-learn's C)."""

    @property
    def name(self) -> str:
        """What the metrics call it."""
        return f"logistic, C {self.strength:g}"

    def fit(self, table: TrainingTable, rows: Flags, seed: int) -> Shape:
        """Learn from some of the table's rows. Features that come out against their sign are left out."""
        chosen, weight = _drawn(table.examples, rows, seed)
        spread = [
            _standardised(np.sqrt(means), number) for means, number in zip(table.means, _counts(table), strict=True)
        ]
        matrix = np.column_stack([each[number] for each, number in zip(spread, table.numbers[chosen].T, strict=True)])
        slopes, intercept = self._fit(matrix, table.examples.came_true[chosen], weight)
        return Shape(intercept, [slope * each for slope, each in zip(slopes.tolist(), spread, strict=True)])

    def _fit(self, matrix: Floats, came_true: Flags, weight: Floats) -> tuple[Floats, float]:
        slopes = np.zeros(matrix.shape[1])
        used = np.ptp(matrix, axis=0) > 0
        intercept = 0.0
        while True:
            learner = LogisticRegression(C=self.strength, solver="newton-cholesky")
            # A column of zeros stands in when no feature is left, which learns the intercept alone.
            with threadpool_limits(1):
                learner.fit(matrix[:, used] if used.any() else np.zeros((len(matrix), 1)), came_true, weight)
            intercept = float(learner.intercept_[0])
            slopes[:] = 0
            slopes[used] = learner.coef_[0] if used.any() else []
            wrong = slopes * np.array(RISES) < 0
            if not wrong.any():
                return slopes, intercept
            used &= ~wrong


@dataclass(frozen=True, slots=True)
class Boosting:
    """Histogram gradient boosting whose trees look at one feature each."""

    rate: float
    trees: int
    least_rows: int
    """In a leaf."""

    @property
    def name(self) -> str:
        """What the metrics call it."""
        return f"boosting, {self.trees} trees, rate {self.rate:g}, {self.least_rows} rows"

    def fit(self, table: TrainingTable, rows: Flags, seed: int) -> Shape:
        """Learn from some of the table's rows."""
        chosen, weight = _drawn(table.examples, rows, seed)
        learner = HistGradientBoostingClassifier(
            learning_rate=self.rate,
            max_iter=self.trees,
            max_leaf_nodes=4,
            min_samples_leaf=self.least_rows,
            l2_regularization=10.0,
            monotonic_cst=list(RISES),
            interaction_cst="no_interactions",
            early_stopping=False,
            random_state=seed,
        )
        with threadpool_limits(1):  # one thread: the sums are then the same on every machine, and quick beside others
            learner.fit(table.numbers[chosen], table.examples.came_true[chosen], sample_weight=weight)
            return _probed(learner, [len(edges) + 1 for edges in table.edges])


Candidate = Logistic | Boosting

CANDIDATES: Final[tuple[Candidate, ...]] = (
    Logistic(0.001),
    Logistic(0.1),
    Boosting(0.05, 100, 500),
    Boosting(0.05, 150, 200),
    Boosting(0.1, 150, 200),
)
"""The simplest first."""


EVEN: Final = "absent_usual"
EVENNESS: Final = 0.7
"""How much a student's own usual absence is held against the score, per unit of its logarithm.

Learned freely, the score follows how much a student is absent in any year, and with it the differences between groups
that have nothing to do with housing. Held against it, false alerts fall evenly and come earlier, for about 3% of the
precision (`docs/decisions/0010`).
"""


def evened(shape: Shape, table: TrainingTable) -> Shape:
    """The shape with a student's own usual held against the score."""
    place = NAMES.index(EVEN)
    values = list(shape.values)
    usual = table.means[place]
    values[place] = values[place] - EVENNESS * np.log(np.maximum(usual, usual[usual > 0].min(initial=1.0)))
    return Shape(shape.intercept, values)


def monotone(values: Floats, rises: int) -> Floats:
    """The values without the last bit's noise against their direction."""
    if rises == 0:
        return values
    return np.asarray(np.maximum.accumulate(values) if rises > 0 else np.minimum.accumulate(values))


def _drawn(examples: Examples, rows: Flags, seed: int) -> tuple[np.ndarray, Floats]:
    """Rows to learn from and their weights: every one that came true, and negatives each in place of 1/share.

    Of those that came true the earlier weigh more, for an early alert is worth more: the mean stays 1.
    """
    positive, negative = np.flatnonzero(rows & examples.came_true), np.flatnonzero(rows & ~examples.came_true)
    drawn = negative
    if len(negative) > MOST_NEGATIVES:
        drawn = np.sort(np.random.default_rng(seed).choice(negative, MOST_NEGATIVES, replace=False))
    early = EARLY_DAYS + examples.lead[positive]
    weight = np.concatenate([early / early.mean(), np.full(len(drawn), len(negative) / max(len(drawn), 1))])
    return np.concatenate([positive, drawn]), weight


def _counts(table: TrainingTable) -> list[np.ndarray]:
    return [
        np.bincount(number, minlength=len(edges) + 1)
        for number, edges in zip(table.numbers.T, table.edges, strict=True)
    ]


def _standardised(values: Floats, rows: np.ndarray) -> Floats:
    """Per bin: mean 0 and deviation 1 over the table's rows; 0 for a feature that never varies."""
    mean = np.average(values, weights=rows)
    deviation = np.sqrt(np.average((values - mean) ** 2, weights=rows))
    return np.asarray((values - mean) / deviation if deviation > 0 else values * 0.0)


def _probed(learner: HistGradientBoostingClassifier, bins: list[int]) -> Shape:
    """The steps of an additive learner: what each bin adds to the score of a row that has every feature's lowest."""
    probes = np.zeros((1 + sum(bins), len(bins)), dtype=np.uint8)
    starts = 1 + np.cumsum([0, *bins])
    for place, (start, number) in enumerate(zip(starts, bins, strict=False)):
        probes[start : start + number, place] = np.arange(number)
    scores = learner.decision_function(probes)
    steps = [scores[start : start + number] - scores[0] for start, number in zip(starts, bins, strict=False)]
    return Shape(float(scores[0]), [monotone(step, rises) for step, rises in zip(steps, RISES, strict=True)])
