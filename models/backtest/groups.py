"""How often families who are never identified were alerted all the same, group by group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict

import numpy as np

from models.arrays import Flags
from models.backtest.bootstrap import Share, ShareParts
from models.backtest.evidence import Raised, Truth
from models.backtest.judging import never_identified

SMALL_CELL = 10
"""Fewer students than this have no rate of their own (`docs/domain.md`, Law)."""


class FalseAlertRate(TypedDict):
    """Share of `n` never-identified students who had a new alert, and its 90% interval; null in a small cell."""

    rate: float | None
    low: float | None
    high: float | None
    n: int


GroupRates = dict[str, dict[str, FalseAlertRate]]


@dataclass(frozen=True, slots=True)
class GroupCell:
    """The never-identified students of one value of one group."""

    group: str
    value: str
    members: Flags
    """Per student."""


def cells(truth: Truth) -> list[GroupCell]:
    """Every known value of every group, by group, then value."""
    never = never_identified(truth)
    found = []
    for group, values in truth.groups.items():
        each = np.array(values, dtype=np.str_)
        found += [GroupCell(group, value, never & (each == value)) for value in sorted(set(values) - {""})]
    return found


def cell_parts(truth: Truth, cells: list[GroupCell], raised: Raised | None) -> list[ShareParts]:
    """Per cell: its students with a new alert, and all of its students."""
    alerted = np.zeros(len(truth.household), dtype=np.bool_)
    if raised is not None:
        alerted[raised.student] = True
    return [ShareParts((cell.members & alerted).astype(np.float64), cell.members.astype(np.float64)) for cell in cells]


def group_rates(truth: Truth, cells: list[GroupCell], found: list[Share], *, known: bool) -> GroupRates:
    """The rates as the JSON has them; all null when it is not known who was alerted."""
    rates: GroupRates = {group: {} for group in truth.groups}
    for cell, share in zip(cells, found, strict=True):
        shown = known and share.n >= SMALL_CELL
        rates[cell.group][cell.value] = FalseAlertRate(
            rate=share.rate if shown else None,
            low=share.low if shown else None,
            high=share.high if shown else None,
            n=share.n,
        )
    return rates
