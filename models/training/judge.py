"""How well scores do on rows that they were not learned from, with errors over households.

Children of one home stand or fall together, so an error sums over households first. It is what a bootstrap over
households comes to, to first order and without its draws (the linearised, or sandwich, variance of a ratio:
Särndal, Swensson & Wretman 1992, section 5.5).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.arrays import Flags, Floats, Ints
from models.backtest.calibration import Scored, calibration_error, top_percent
from models.backtest.evidence import Raised
from models.backtest.places import TIE_SEED, Candidates, fill_places
from models.risk_model import probability
from models.training.examples import Examples

_YEAR_DAYS = 1000
"""More positions than a history has: keeps the days of several histories apart."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """A share and what each household has in it."""

    value: float
    influence: Floats
    """Per household: how far it moves the value."""

    @property
    def error(self) -> float:
        """The standard error over households."""
        return float(np.sqrt(np.sum(self.influence**2)))

    def lead(self, other: Ratio) -> Ratio:
        """By how much this is above the other, of the same households."""
        return Ratio(self.value - other.value, self.influence - other.influence)


def ratio(household: Ints, hits: Floats, of: Floats) -> Ratio:
    """Sum of hits by sum of chances, 0 without a chance; rows with their households."""
    total = float(of.sum())
    value = float(hits.sum()) / total if total else 0.0
    influence = np.bincount(household, weights=hits - value * of).astype(np.float64)
    return Ratio(value, influence / total if total else influence)


def places(examples: Examples, logits: Floats, capacity: int) -> Ints:
    """The rows (positions) of those who take a place, when the highest scores of each week's end do."""
    tie = np.random.default_rng(TIE_SEED).permutation(int(examples.student.max(initial=-1)) + 1)
    week = examples.year * _YEAR_DAYS + examples.day
    best = np.lexsort((tie[examples.student], -logits, week))
    ranked = Candidates(examples.student[best], week[best], np.zeros(len(best), dtype=np.bool_))
    return best[_rows_of(ranked, fill_places(ranked, capacity, len(tie)))].astype(np.int32)


def precision(examples: Examples, taken: Ints) -> Ratio:
    """The share of places that came true."""
    of = np.zeros(len(examples.day))
    of[taken] = 1.0
    return ratio(examples.household, of * examples.came_true, of)


def within_week_rank(examples: Examples, logits: Floats) -> Ratio:
    """How far above chance those who come true rank among all of their week, in standard deviations; 0 is chance.

    The rank score is Savage's (1956), -ln(share above) less its mean, which weighs the top, where places are given.
    A week is compared with itself, so that no season makes a signal.
    """
    score = np.zeros(len(logits))
    week = examples.year * _YEAR_DAYS + examples.day
    for rows in _by_value(week):
        score[rows] = _savage(logits[rows])
    true = examples.came_true.astype(np.float64)
    return ratio(examples.household, score * true, true)


def figures(examples: Examples, logits: Floats, capacity: int) -> dict[str, float | None]:
    """What the artifact says of a candidate."""
    found = precision(examples, places(examples, logits, capacity))
    score = probability(logits)
    order = np.argsort(score, kind="stable")
    scored = Scored(examples.student[order], score[order], examples.came_true[order])
    top = top_percent(scored)
    return {
        "precision_at_capacity": found.value,
        "precision_error": found.error,
        "log_loss": log_loss(examples.came_true, logits),
        "calibration_error": calibration_error(scored),
        "top_percent_score": top["score"],
        "top_percent_observed": top["observed"],
    }


def log_loss(came_true: Flags, logits: Floats) -> float:
    """Mean of -ln of the probability given to what happened."""
    return float(np.mean(np.logaddexp(0.0, np.where(came_true, -logits, logits))))


def _rows_of(ranked: Candidates, taken: Raised) -> Ints:
    """Where in the ranking each taken place stands; a student stands in a week once."""
    keys = ranked.day.astype(np.int64) << 32 | ranked.student
    order = np.argsort(keys)
    found = np.searchsorted(keys[order], taken.day.astype(np.int64) << 32 | taken.student)
    return order[found].astype(np.int32)


def _by_value(values: Ints) -> list[Ints]:
    order = np.argsort(values, kind="stable")
    return np.split(order.astype(np.int32), np.flatnonzero(np.diff(values[order])) + 1)


def _savage(logits: Floats) -> Floats:
    """Per row, -ln of the share that ranks above it, ties in the middle, less the mean of all."""
    number = len(logits)
    _, place, rows = np.unique(logits, return_inverse=True, return_counts=True)
    score = -np.log((number - np.cumsum(rows) + rows / 2) / number)
    return np.asarray((score - np.average(score, weights=rows))[place])
