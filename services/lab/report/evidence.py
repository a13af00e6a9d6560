"""What the report draws beside the JSON document: the curves behind its numbers, without any student's id."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from models.backtest.curves import Curves
from models.backtest.evidence import Truth


@dataclass(frozen=True, slots=True)
class ReportEvidence:
    """The curves of a backtest, and the weeks that it walked."""

    curves: Curves
    weeks: tuple[date, ...]
    """The Monday of each week of `curves.weeks`, ascending."""


def report_evidence(truth: Truth, curves: Curves) -> ReportEvidence:
    """The evidence of a walk, its weeks by their Mondays."""
    ends = [date.fromordinal(day) for day in truth.dates[truth.week_ends].tolist()]
    return ReportEvidence(curves, tuple(end - timedelta(days=end.weekday()) for end in ends))
