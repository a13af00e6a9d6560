"""Features cut into bins: a candidate learns from the bins' numbers, so that what it learns is steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from models.arrays import Floats

BinNumbers: TypeAlias = npt.NDArray[np.uint8]
"""A row per row, a column per feature: how many of the feature's edges are at or below its value."""

MOST_VALUES = 64
"""A feature with no more values than this has a bin for each."""
_TAIL = (0.002, 0.005, 0.01, 0.02)
_SHARES = (*_TAIL, *np.linspace(0, 1, 25)[1:-1].tolist(), *(1 - share for share in reversed(_TAIL)))
"""Quantiles at which other features are cut: finer in the tails, where those who need a place are."""


def edges_of(column: Floats) -> Floats:
    """Where a feature is cut: values that occur, ascending, the lowest not among them; none when it never varies."""
    values = np.unique(column)
    if len(values) <= MOST_VALUES:
        return np.asarray(values[1:])
    cuts = np.unique(np.quantile(column, _SHARES, method="higher"))
    return np.asarray(cuts[cuts > values[0]])


def bin_numbers(columns: Sequence[Floats], edges: Sequence[Floats]) -> BinNumbers:
    """The bins of these rows, which are at least one bin per feature and at most `MOST_VALUES`."""
    found = np.empty((len(columns[0]), len(edges)), dtype=np.uint8, order="F")
    for place, (column, cuts) in enumerate(zip(columns, edges, strict=True)):
        found[:, place] = np.searchsorted(cuts, column, side="right")
    return found


def bin_means(columns: Sequence[Floats], numbers: BinNumbers, edges: Sequence[Floats]) -> list[Floats]:
    """Per feature, the mean value of each bin; no bin is empty on the rows that the edges were made of."""
    means = []
    for column, number, cuts in zip(columns, numbers.T, edges, strict=True):
        rows = np.bincount(number, minlength=len(cuts) + 1)
        means.append(np.bincount(number, weights=column, minlength=len(cuts) + 1) / np.maximum(rows, 1))
    return means
