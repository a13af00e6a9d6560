"""How early a strategy is: before the identification, and before the 10% rule."""

from __future__ import annotations

from typing import TypedDict

import numpy as np

from models.arrays import Ints
from models.backtest.evidence import Raised, Truth
from models.backtest.judging import identifications, leads


class Quartiles(TypedDict):
    """In instructional days; null when there is nothing to take them of."""

    median: float | None
    q1: float | None
    q3: float | None


class Lead(Quartiles):
    """Quartiles over the identifications that a new alert of the year precedes."""

    n: int | None
    """How many those are."""


def lead_days(truth: Truth, raised: Raised) -> Ints:
    """Per identification with a right alert: the instructional days from the earliest of them to it."""
    lead = leads(truth, raised)
    return lead[lead > 0]


def lead_over(truth: Truth, raised: Raised, baseline: Raised) -> Ints:
    """Per identification after a new alert of the year: instructional days by which the strategy was before a baseline.

    First against first: from the day on which the strategy first alerted the student this year to the day on which
    the baseline first placed the student, or to the identification when it had not placed the student before that.
    """
    student, day = identifications(truth)
    ours, theirs = (_first(truth, each)[student] for each in (raised, baseline))
    ahead: Ints = np.minimum(theirs, day) - ours
    return ahead[ours < day]


def _first(truth: Truth, raised: Raised) -> Ints:
    """Per student the first day of a new alert; the year's end without any."""
    first = np.full(len(truth.household), len(truth.dates), dtype=np.int32)
    np.minimum.at(first, raised.student, raised.day)
    return first


def quartiles(days: Ints) -> Quartiles:
    """Median and quartiles, linear between neighbours."""
    if not len(days):
        return Quartiles(median=None, q1=None, q3=None)
    q1, median, q3 = np.quantile(days, (0.25, 0.5, 0.75)).tolist()
    return Quartiles(median=median, q1=q1, q3=q3)
