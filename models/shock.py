"""Peer correction: a day on which a whole school was away says nothing about one child.

A shock day is one whose absence rate is far above the school's own trailing days: above their median
by more than `mads` scaled median absolute deviations and by at least `floor` (fractions 0-1). The
median and MAD resist outliers, so earlier shock days need no removal (Leys et al. 2013).
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

MAD_TO_SIGMA = 1.4826
"""Scales the MAD of a normal distribution to its standard deviation."""


class HeadCount(NamedTuple):
    """A school's head counts of one date, over all its students."""

    absent: int
    reported: int
    expected: int

    def rate(self) -> float | None:
        """The share absent (0-1), or None when the counts cannot say: only absences are known."""
        students = max(self.reported, self.expected)
        only_absences = self.absent == self.reported and self.absent > self.expected
        return None if students == 0 or only_absences else self.absent / students


class ShockRule(NamedTuple):
    """What makes a day a shock day. Lengths in instructional days, rates as fractions 0-1."""

    trailing_days: int = 20
    min_trailing_days: int = 5
    mads: float = 4.0
    floor: float = 0.10
    """At least this far above the median."""
    alone: float = 0.40
    """Enough by itself while there are fewer than `min_trailing_days` to compare with."""
    min_students: int = 20
    min_absent: int = 8


def is_shock(today: HeadCount, trailing: Sequence[float], rule: ShockRule) -> bool:
    """Whether the school's day is a shock day, given the absence rates of its days before."""
    rate = today.rate()
    if rate is None or today.absent < rule.min_absent or max(today.reported, today.expected) < rule.min_students:
        return False
    recent = trailing[-rule.trailing_days :]
    if len(recent) < rule.min_trailing_days:
        return rate >= rule.alone
    middle = median(recent)
    spread = MAD_TO_SIGMA * median(abs(r - middle) for r in recent)
    return rate >= middle + max(rule.floor, rule.mads * spread)
