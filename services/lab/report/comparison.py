"""The strategies side by side, one row each."""

from __future__ import annotations

from models.backtest.measures import Measures
from services.lab.backtest_table import LABELS
from services.lab.report.document import Document
from services.lab.report.numbers import decimal, percent, percent_between
from services.platform.page.elements import Element, paragraph, section, table

_WORTH = (
    "Strategy",
    "Precision at capacity (90% interval)",
    "Precision, all its alerts",
    "Recall",
    "New alerts a week",
)
_TRUST = (
    "Strategy",
    "Calibration error",
    "Top 1% of scores: mean",
    "Top 1%: came true",
    "Students raised on a shock day",
    "Level changes per student",
)
_BASELINES = (
    "The first three are what the product can run. The others are simple rankings for comparison: students at or "
    "above the 10% rule by their rate, those absent without an excuse by the length of the streak, all students by "
    "year-to-date rate, and all by the absences of their last 20 days."
)


def comparison(document: Document) -> Element:
    """What each strategy is worth, and how far its scores and alerts can be trusted."""
    given = document.given.items()
    worth = table("What the calls are worth", _WORTH, [(LABELS[name], *_worth(each)) for name, each in given])
    trust = table("Scores and steadiness", _TRUST, [(LABELS[name], *_trust(each)) for name, each in given])
    return section("comparison", "The strategies side by side", paragraph(_BASELINES), worth, trust)


def _worth(measures: Measures) -> tuple[str, ...]:
    right = measures["precision_at_capacity"]
    return (
        percent_between(right["mean"], right["low"], right["high"]),
        percent(measures["precision"]),
        percent(measures["recall"]),
        decimal(measures["alerts_per_week"]),
    )


def _trust(measures: Measures) -> tuple[str, ...]:
    top = measures["top_percent"]
    return (
        decimal(measures["calibration_error"], 4),
        percent(top["score"]),
        percent(top["observed"]),
        percent(measures["shock_day_share"]),
        decimal(measures["changes_per_student"]),
    )
