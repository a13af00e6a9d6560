"""What each strategy is worth: the `strategies` part of the backtest's JSON.

Every figure can be recomputed from `--alerts`, `--scores` and `outcomes.csv`. Days are instructional days, rates are
fractions 0-1, intervals are 90% by bootstrap over households, and null stands where a figure does not apply or has
nothing to be taken of. A *new alert* is a student who entered elevated or urgent from below; for a baseline it is a
place taken. `judging` says which are right, and which cannot be judged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypedDict

import numpy as np

from models.backtest.bootstrap import Share, ShareParts, shares
from models.backtest.calibration import Scored, TopPercent, calibration_error, scored, top_percent
from models.backtest.evidence import LevelChanges, Raised, Truth, WeekEnds
from models.backtest.groups import GroupCell, GroupRates, cell_parts, cells, group_rates
from models.backtest.judging import followed, judgeable, leads
from models.backtest.lead import Lead, Quartiles, lead_days, lead_over, quartiles
from models.backtest.places import candidates, fill_places

Walked = Literal["both", "rules", "model"]
Baseline = Literal["ten_percent", "streak_3", "rate_to_date", "absences_20"]
WALKED: tuple[Walked, ...] = ("both", "rules", "model")
BASELINES: tuple[Baseline, ...] = ("ten_percent", "streak_3", "rate_to_date", "absences_20")


class Interval(TypedDict):
    """A share of the year and its 90% interval."""

    mean: float | None
    low: float | None
    high: float | None


class Measures(TypedDict):
    """The figures of one strategy, as the JSON names them."""

    precision: float | None
    """Right new alerts among those that can be judged."""
    recall: float | None
    """Identifications after the first day that a new alert precedes by 1 to `HORIZON_DAYS` days, among all of them."""
    precision_at_capacity: Interval
    """Precision of K places a week: the new alerts themselves, but for rules those that its ranking fills."""
    alerts_per_week: float | None
    """New alerts, judged or not, by the number of weeks with an instructional day."""
    lead_days: Quartiles
    lead_over_ten_percent: Lead
    calibration_error: float | None
    top_percent: TopPercent
    false_alert_rate: GroupRates
    """Per group and value: students who are never identified and had a new alert, among those never identified."""
    shock_day_share: float | None
    """Students with a new alert raised on a shock day of their school, among all students."""
    changes_per_student: float | None
    """Level changes, ends included, by the number of students who had any."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One way of raising alerts, walked or ranked."""

    new: Raised | None
    """Its new alerts; None when there is no model to raise any."""
    at_capacity: Raised | None
    """Those of K places a week."""
    changes: LevelChanges | None = None
    scored: Scored | None = None


def measure(
    truth: Truth,
    week_ends: WeekEnds,
    capacity: int,
    raised: Mapping[Walked, Raised],
    changes: Mapping[Walked, LevelChanges],
) -> dict[Walked | Baseline, Measures]:
    """Every strategy's figures, with `capacity` places a week; a walked strategy that is not given has nulls."""
    strategies = _strategies(truth, week_ends, capacity, raised, changes)
    ten_percent = strategies["ten_percent"].new
    groups = cells(truth)
    parts: list[ShareParts] = []
    for strategy in strategies.values():
        parts += [precision_parts(truth, strategy.at_capacity), *cell_parts(truth, groups, strategy.new)]
    found = shares(truth.household, parts)
    each = 1 + len(groups)
    return {
        name: _measures(truth, strategy, None if name == "ten_percent" else ten_percent, groups, found[at : at + each])
        for (name, strategy), at in zip(strategies.items(), range(0, len(found), each), strict=True)
    }


def baselines(week_ends: WeekEnds, capacity: int, students: int) -> dict[Baseline, Raised]:
    """The places that each baseline fills."""
    return {name: fill_places(candidates(week_ends, name, students), capacity, students) for name in BASELINES}


def precision_parts(truth: Truth, raised: Raised | None) -> ShareParts:
    """Right alerts and alerts that can be judged, per student."""
    students = len(truth.household)
    if raised is None:
        return ShareParts(np.zeros(students), np.zeros(students))
    judged = judgeable(truth, raised.day)
    right = judged & followed(truth, raised.student, raised.day)
    return ShareParts(
        np.bincount(raised.student[right], minlength=students).astype(np.float64),
        np.bincount(raised.student[judged], minlength=students).astype(np.float64),
    )


def recall(truth: Truth, raised: Raised) -> float | None:
    """Identifications that a right alert precedes, among all that one could; None without any."""
    lead = leads(truth, raised)
    return float(np.mean(lead > 0)) if len(lead) else None


def _strategies(
    truth: Truth,
    week_ends: WeekEnds,
    capacity: int,
    raised: Mapping[Walked, Raised],
    changes: Mapping[Walked, LevelChanges],
) -> dict[Walked | Baseline, Judged]:
    students = len(truth.household)
    score = scored(truth, week_ends)
    found: dict[Walked | Baseline, Judged] = {}
    for name in WALKED:
        new = raised.get(name)
        if name == "rules":
            capped = fill_places(candidates(week_ends, "rules", students), capacity, students)
            found[name] = Judged(new, capped, changes.get(name))
        else:
            found[name] = Judged(new, new, changes.get(name), score if new is not None else None)
    for baseline, places in baselines(week_ends, capacity, students).items():
        found[baseline] = Judged(places, places)
    return found


def _measures(
    truth: Truth, strategy: Judged, ten_percent: Raised | None, groups: list[GroupCell], found: list[Share]
) -> Measures:
    at_capacity, *false_alerts = found
    new = strategy.new
    return Measures(
        precision=_precision(truth, new),
        recall=None if new is None else recall(truth, new),
        precision_at_capacity=Interval(mean=at_capacity.rate, low=at_capacity.low, high=at_capacity.high),
        alerts_per_week=None if new is None else _per(len(new.day), len(truth.week_ends)),
        lead_days=quartiles(np.empty(0, dtype=np.int32) if new is None else lead_days(truth, new)),
        lead_over_ten_percent=_lead_over(truth, new, ten_percent),
        calibration_error=None if strategy.scored is None else calibration_error(strategy.scored),
        top_percent=TopPercent(score=None, observed=None) if strategy.scored is None else top_percent(strategy.scored),
        false_alert_rate=group_rates(truth, groups, false_alerts, known=new is not None),
        shock_day_share=None if new is None else _per(len(np.unique(new.student[new.shock])), len(truth.household)),
        changes_per_student=_changes_per_student(strategy.changes),
    )


def _precision(truth: Truth, new: Raised | None) -> float | None:
    parts = precision_parts(truth, new)
    return _per(float(parts.hits.sum()), float(parts.of.sum()))


def _lead_over(truth: Truth, new: Raised | None, ten_percent: Raised | None) -> Lead:
    if new is None or ten_percent is None:
        return Lead(median=None, q1=None, q3=None, n=None)
    ahead = lead_over(truth, new, ten_percent)
    return Lead(**quartiles(ahead), n=len(ahead))


def _changes_per_student(changes: LevelChanges | None) -> float | None:
    return None if changes is None else _per(len(changes.student), len(np.unique(changes.student)))


def _per(number: float, of: float) -> float | None:
    return number / of if of else None
