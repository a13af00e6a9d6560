"""False-alert rates of groups: how far apart they are, and the warning when that is too far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from models.backtest.groups import SMALL_CELL, FalseAlertRate
from services.lab.report.document import BASELINE, Document
from services.lab.report.numbers import points

WIDEST_GAP = 0.05
"""Difference of two rates above which the report warns."""
_NAMES = {
    "gender": "Gender",
    "race_ethnicity": "Race or ethnicity",
    "english_learner": "English learner",
    "special_education": "Special education",
}


@dataclass(frozen=True, slots=True)
class GroupRow:
    """One value of one group, named for a reader, with its rate under each strategy that is compared."""

    group: str
    value: str
    rates: Mapping[str, FalseAlertRate]

    @property
    def large_enough(self) -> bool:
        """Whether there are enough students to show a rate of theirs."""
        return all(rate["n"] >= SMALL_CELL for rate in self.rates.values())


@dataclass(frozen=True, slots=True)
class Gap:
    """The highest and the lowest rate of one group under one strategy."""

    group: str
    strategy: str
    width: float
    """Their difference, 0-1."""
    lowest: str
    highest: str
    overlap: bool
    """Whether the intervals of the two meet, so that chance may explain the difference."""


def group_rows(document: Document) -> list[GroupRow]:
    """Every value of every group, under the main strategy and the 10% rule."""
    compared = {
        name: document.measured[name]["false_alert_rate"]
        for name in (document.main, BASELINE)
        if name in document.measured
    }
    values = [(group, value) for group, found in compared.get(document.main, {}).items() for value in found]
    return [
        GroupRow(
            group=_NAMES.get(group, _printable(group)),
            value=_printable(value),
            rates={name: rates[group][value] for name, rates in compared.items() if value in rates.get(group, {})},
        )
        for group, value in values
    ]


def gaps(rows: list[GroupRow], strategy: str) -> dict[str, Gap]:
    """Each group's gap under a strategy, over the values with a rate; a group with fewer than two has none."""
    rated: dict[str, list[tuple[float, str, FalseAlertRate]]] = {}
    for row in rows:
        rate = row.rates.get(strategy)
        if rate is not None and rate["rate"] is not None:
            rated.setdefault(row.group, []).append((rate["rate"], row.value, rate))
    return {group: _gap(group, strategy, found) for group, found in rated.items() if len(found) > 1}


def gap_warning(gap: Gap, baseline: Gap | None) -> str:
    """The warning about a gap that is too wide, with the 10% rule's beside it."""
    chance = "Their intervals overlap, so chance may explain it." if gap.overlap else "Their intervals do not overlap."
    beside = f" Under the 10% rule the group's widest gap is {points(baseline.width)}." if baseline is not None else ""
    return (
        f"{gap.group}: students who were never identified are not alerted equally often. The rates of "
        f"“{gap.highest}” and “{gap.lowest}” are {points(gap.width)} apart, more than 5. {chance}{beside}"
    )


def _gap(group: str, strategy: str, rated: list[tuple[float, str, FalseAlertRate]]) -> Gap:
    lowest, low_value, low = min(rated, key=lambda each: each[0])
    highest, high_value, high = max(rated, key=lambda each: each[0])
    below, above = low["high"], high["low"]
    overlap = below is None or above is None or below >= above
    return Gap(group, strategy, highest - lowest, low_value, high_value, overlap)


def _printable(text: str) -> str:
    """The text without control characters, which no page may hold."""
    return "".join(character for character in text if character.isprintable())
