"""Shares with 90% intervals by bootstrap over households: children of one home stand or fall together.

Households, not students, are drawn with replacement, as many as there are, `REPLICATES` times; an interval runs from
the 5th to the 95th percentile of the redrawn shares (the percentile bootstrap, Efron & Tibshirani 1993, chapter 13).
The same draws serve every share, so that two shares of one history may be compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.arrays import Floats, Ints

REPLICATES = 1000
SEED = 20161206
_CHUNK = 50
"""Replicates drawn at a time, which bounds the memory."""


@dataclass(frozen=True, slots=True)
class ShareParts:
    """The two sums of a share, student by student."""

    hits: Floats
    of: Floats


@dataclass(frozen=True, slots=True)
class Share:
    """Hits per chance, 0-1, with its 90% interval; None without any chance."""

    rate: float | None
    low: float | None
    high: float | None
    n: int
    """The number of chances."""


def shares(household: Ints, parts: Sequence[ShareParts]) -> list[Share]:
    """Each share over all students, whose households are given."""
    _, code = np.unique(household, return_inverse=True)
    columns = [column for part in parts for column in (part.hits, part.of)]
    if not columns or not len(code):
        return [Share(None, None, None, 0) for _ in parts]
    sums = np.stack([np.bincount(code, weights=column) for column in columns], axis=1).astype(np.float64)
    redrawn = _redrawn(sums)
    totals = sums.sum(axis=0)
    return [
        _share(totals[at], totals[at + 1], redrawn[:, at], redrawn[:, at + 1]) for at in range(0, 2 * len(parts), 2)
    ]


def _redrawn(sums: Floats) -> Floats:
    """Replicates by columns: the columns' totals over the households drawn in each replicate."""
    rng = np.random.default_rng(SEED)
    households = len(sums)
    columns = np.ascontiguousarray(sums.T)
    totals = []
    for _ in range(REPLICATES // _CHUNK):
        drawn = rng.integers(households, size=(_CHUNK, households))
        drawn += np.arange(_CHUNK)[:, np.newaxis] * households
        times = np.bincount(drawn.ravel(), minlength=_CHUNK * households).reshape(_CHUNK, households)
        # This way round: OpenBLAS takes twenty times as long for few rows by many columns as for many by few.
        totals.append((columns @ times.astype(np.float64).T).T)
    return np.concatenate(totals)


def _share(hits: float, of: float, redrawn_hits: Floats, redrawn_of: Floats) -> Share:
    any_chance = redrawn_of > 0
    if of <= 0 or not any_chance.any():
        return Share(None, None, None, round(of))
    low, high = np.quantile(redrawn_hits[any_chance] / redrawn_of[any_chance], (0.05, 0.95)).tolist()
    return Share(float(hits / of), low, high, round(of))
