"""A backtest's figures for people."""

from __future__ import annotations

from collections.abc import Mapping

from models.backtest.measures import Baseline, Measures, Walked

Name = Walked | Baseline

LABELS: dict[str, str] = {
    "both": "Rules and model",
    "rules": "Rules alone",
    "model": "Model alone",
    "ten_percent": "10% rule",
    "streak_3": "Longest streak first",
    "rate_to_date": "Year-to-date rate",
    "absences_20": "Absences, last 20 days",
}
"""Every strategy's name for a reader, in the order in which they are listed."""


def table(document: Mapping[str, object], measured: Mapping[Name, Measures]) -> list[str]:
    """A line a strategy, and what the columns mean."""
    lines = [
        f"{document['marks']:,} rows, {document['students']:,} students with a consent, "
        f"{document['days']} school days, {document['capacity']} places a week",
        "",
        f"{'':<24}{'precision at capacity':<26}{'alerts/week':>12}{'recall':>9}{'lead':>7}{'over 10% rule':>15}",
    ]
    lines += [_line(LABELS[name], found) for name, found in measured.items()]
    both = measured["both"]
    error, top = both["calibration_error"], both["top_percent"]
    lines += ["", "Intervals are 90%, by bootstrap over households. Lead: median school days."]
    if error is not None and top["score"] is not None and top["observed"] is not None:
        lines.append(
            f"Calibration error {error:.4f}; of the highest 1% of scores, {top['score']:.1%} on average, "
            f"{top['observed']:.1%} came true within 30 school days."
        )
    return lines


def _line(name: str, found: Measures) -> str:
    interval = found["precision_at_capacity"]
    mean, low, high = interval["mean"], interval["low"], interval["high"]
    shown = "-" if mean is None or low is None or high is None else f"{mean:.1%}  ({low:.1%} to {high:.1%})"
    weekly, recall = _number(found["alerts_per_week"], ".1f"), _number(found["recall"], ".0%")
    lead, over = (_number(found[part]["median"], ".0f") for part in ("lead_days", "lead_over_ten_percent"))
    return f"{name:<24}{shown:<26}{weekly:>12}{recall:>9}{lead:>7}{over:>15}"


def _number(value: float | None, how: str) -> str:
    return "-" if value is None else format(value, how)
