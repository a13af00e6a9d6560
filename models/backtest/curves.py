"""What the report plots: precision and recall by capacity, calibration, alerts per week, lead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

import numpy as np

from models.backtest.bootstrap import Share, ShareParts, shares
from models.backtest.calibration import equal_bins, scored
from models.backtest.evidence import Raised, Truth, WeekEnds
from models.backtest.lead import lead_days
from models.backtest.measures import Baseline, Walked, baselines, precision_parts, recall
from models.backtest.places import Ranking, candidates, fill_places

CAPACITY_STEPS = (0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4)
"""Capacities of the curves, in times the team's own."""


@dataclass(frozen=True, slots=True)
class CapacityPoint:
    """What a ranking is worth when it fills `capacity` places a week."""

    ranking: Ranking
    capacity: int
    precision: Share
    """Of `precision.n` alerts that can be judged."""
    recall: float | None


@dataclass(frozen=True, slots=True)
class CalibrationPoint:
    """One of ten bins of equal count over the scores at the weeks' ends."""

    score: float
    """Mean score, 0-1."""
    observed: Share
    """Share identified within the horizon, among `observed.n` scores."""


@dataclass(frozen=True, slots=True)
class WeeklyAlerts:
    """New alerts of a strategy, week by week; for a baseline the places it took."""

    strategy: Walked | Baseline
    alerts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Leads:
    """Instructional days from the earliest right alert to the identification, one for each that had one, ascending."""

    strategy: Walked | Baseline
    days: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Curves:
    """Everything that the report plots beyond the JSON's figures."""

    capacity: tuple[CapacityPoint, ...]
    """By ranking, then capacity; the ranking by score only with a model."""
    calibration: tuple[CalibrationPoint, ...]
    """Lowest scores first; empty without a model."""
    weeks: tuple[WeeklyAlerts, ...]
    leads: tuple[Leads, ...]


def curves(truth: Truth, week_ends: WeekEnds, capacity: int, raised: Mapping[Walked, Raised]) -> Curves:
    """The report's curves; `raised` are the new alerts of the strategies that were walked."""
    every: list[tuple[Walked | Baseline, Raised]] = [
        *raised.items(),
        *baselines(week_ends, capacity, len(truth.household)).items(),
    ]
    return Curves(
        _by_capacity(truth, week_ends, capacity),
        _calibration(truth, week_ends),
        tuple(WeeklyAlerts(name, _weekly(truth, alerts)) for name, alerts in every),
        tuple(Leads(name, tuple(np.sort(lead_days(truth, alerts)).tolist())) for name, alerts in every),
    )


def _by_capacity(truth: Truth, week_ends: WeekEnds, capacity: int) -> tuple[CapacityPoint, ...]:
    students = len(truth.household)
    steps = sorted({max(1, round(capacity * step)) for step in CAPACITY_STEPS})
    filled: list[tuple[Ranking, int, Raised]] = []
    for ranking in get_args(Ranking):
        order = candidates(week_ends, ranking, students)
        if ranking != "score" or len(order.day):
            filled += [(ranking, step, fill_places(order, step, students)) for step in steps]
    precisions = shares(truth.household, [precision_parts(truth, places) for _, _, places in filled])
    return tuple(
        CapacityPoint(ranking, step, precision, recall(truth, places))
        for (ranking, step, places), precision in zip(filled, precisions, strict=True)
    )


def _calibration(truth: Truth, week_ends: WeekEnds) -> tuple[CalibrationPoint, ...]:
    judged = scored(truth, week_ends)
    students = len(truth.household)
    bins = equal_bins(judged)
    parts = [
        ShareParts(*(np.bincount(judged.student, weights=part, minlength=students).astype(np.float64) for part in both))
        for both in ((each.weight * judged.observed, each.weight) for each in bins)
    ]
    observed = shares(truth.household, parts)
    return tuple(CalibrationPoint(each.score, share) for each, share in zip(bins, observed, strict=True))


def _weekly(truth: Truth, raised: Raised) -> tuple[int, ...]:
    week = np.searchsorted(truth.week_ends, raised.day)
    return tuple(np.bincount(week, minlength=len(truth.week_ends)).tolist())
