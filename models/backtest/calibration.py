"""Whether a score is what comes true, at the weeks' ends that have a whole horizon after them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TypedDict

import numpy as np

from models.arrays import Flags, Floats, Ints
from models.backtest.evidence import Truth, WeekEnds
from models.backtest.judging import followed, judgeable

BINS = 10
TOP_SHARE = 0.01


class TopPercent(TypedDict):
    """The highest 1% of scores: their mean, and the share identified within the horizon. 0-1."""

    score: float | None
    observed: float | None


@dataclass(frozen=True, slots=True)
class Scored:
    """Every score at a week's end with a whole horizon after it, ascending."""

    student: Ints
    score: Floats
    observed: Flags
    """Whether an identification followed within the horizon."""


@dataclass(frozen=True, slots=True)
class Bin:
    """A slice of the scores, by rank. Scores that tie across its edge are in it in part: no order of rows matters."""

    weight: Floats
    """Per score, the part of it that is in the bin, 0-1."""
    score: float
    """Mean score, 0-1."""
    observed: float
    """Share that came true, 0-1."""


def scored(truth: Truth, week_ends: WeekEnds) -> Scored:
    """The scores to judge; none without a model or when the year is no longer than a horizon."""
    rows = np.flatnonzero(judgeable(truth, week_ends.day) & ~np.isnan(week_ends.score))
    rows = rows[np.argsort(week_ends.score[rows])]
    student = week_ends.student[rows]
    return Scored(student, week_ends.score[rows], followed(truth, student, week_ends.day[rows]))


def score_bin(scored: Scored, first: float, last: float) -> Bin:
    """The scores, one at least, between two ranks: shares of their number, 0 the lowest, 1 the highest."""
    number = len(scored.score)
    starts = np.append(0, np.flatnonzero(np.diff(scored.score)) + 1)
    ends = np.append(starts[1:], number)
    inside = np.minimum(ends, last * number) - np.maximum(starts, first * number)
    weight = np.repeat(np.maximum(inside, 0) / (ends - starts), ends - starts)
    total = weight.sum()
    return Bin(weight, float(weight @ scored.score / total), float(weight @ scored.observed / total))


def equal_bins(scored: Scored) -> list[Bin]:
    """Ten bins of equal count, lowest scores first; none without a score."""
    if not len(scored.score):
        return []
    return [score_bin(scored, first, last) for first, last in pairwise(np.linspace(0, 1, BINS + 1).tolist())]


def calibration_error(scored: Scored) -> float | None:
    """The mean distance of mean score and observed share over ten bins of equal count (expected calibration error).

    0-1; None without a score. Source: Naeini, Cooper & Hauskrecht 2015, with equal counts.
    """
    bins = equal_bins(scored)
    return float(np.mean([abs(each.score - each.observed) for each in bins])) if bins else None


def top_percent(scored: Scored) -> TopPercent:
    """Mean score and observed share in the highest 1% of scores."""
    if not len(scored.score):
        return TopPercent(score=None, observed=None)
    top = score_bin(scored, 1 - TOP_SHARE, 1)
    return TopPercent(score=top.score, observed=top.observed)
