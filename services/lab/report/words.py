"""What the numbers mean, in sentences."""

from __future__ import annotations

from models.backtest.measures import Interval
from services.lab.report.document import BASELINE, Document
from services.lab.report.numbers import about_of_hundred, decimal, of_hundred, rest_of_hundred


def provenance(document: Document) -> str:
    """Whether a model was used, what it was trained on, and whether it claims to see anything."""
    model = document.model
    if model is None:
        return "No model was used: these are the numbers of the rules alone."
    silent = "" if model.signal else " It found no signal there, and claims none."
    if model.simulated:
        return (
            "The model was trained on simulated data. It has learned from made-up students only, and its scores are "
            f"no better than the assumptions behind them.{silent}"
        )
    return f"The model was trained on real history: {model.trained_on}.{silent}"


def worth(document: Document) -> list[str]:
    """What a call is worth, how many families are found, and the 10% rule beside them; empty without any alert."""
    main = document.measured.get(document.main)
    if main is None or main["precision_at_capacity"]["mean"] is None:
        return []
    said = [_precision(main["precision_at_capacity"]), _recall(main["recall"])]
    if document.main == "rules":
        said.append(_uncapped(main["alerts_per_week"], document.capacity))
    if BASELINE in document.measured:
        said.append(_baseline(document.measured[BASELINE]["precision_at_capacity"]))
    return [sentence for sentence in said if sentence]


def _precision(right: Interval) -> str:
    mean = right["mean"]
    if mean is None:
        return ""
    return (
        f"Of 100 families called, {about_of_hundred(mean)} were identified as homeless or in housing crisis within "
        f"the next 30 school days{_sure(right)}; {rest_of_hundred(mean)} were not."
    )


def _recall(found: float | None) -> str:
    if found is None:
        return ""
    return (
        f"Of 100 families who were identified, {about_of_hundred(found)} had been raised in the 30 school days "
        f"before; {rest_of_hundred(found)} had not."
    )


def _uncapped(alerts_per_week: float | None, capacity: int) -> str:
    return (
        f"The rules alone raise {decimal(alerts_per_week)} students a week, whatever the capacity. The first number is "
        f"of a list that is cut to {capacity} a week; the second counts all their alerts."
    )


def _baseline(right: Interval) -> str:
    mean = right["mean"]
    if mean is None:
        return ""
    return f"With as many calls a week, the 10% rule finds {about_of_hundred(mean)} of 100{_sure(right)}."


def _sure(right: Interval) -> str:
    low, high = right["low"], right["high"]
    return "" if low is None or high is None else f" (90% interval: {of_hundred(low)} to {of_hundred(high)})"
