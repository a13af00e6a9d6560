"""Who is learned from and who is judged: other households, and later weeks whose outcomes nobody knew before."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

import numpy as np

from models.arrays import Flags, Ints
from models.backtest.evidence import HORIZON_DAYS
from models.training.examples import Examples

FOLDS: Final = 3
"""Parts of the households; each is judged by what was learned from the others."""
LATE_SHARE: Final = 1 / 3
"""The part of one school year's weeks that judges."""
NOT_OVER: Final = np.iinfo(np.int32).max
_SAME_YEAR: Final = 120
"""Histories whose ends lie no further apart (calendar days) are of one school year, in several districts."""


class TrainingError(Exception):
    """No model can be trained; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class TimeSplit:
    """Rows to learn from, and later ones to judge on."""

    early: Flags
    """Their horizon ends before the first late day."""
    late: Flags
    first_late: int
    """An ordinal."""


def household_folds(household: Ints, seed: int) -> Ints:
    """Each row's fold, 0 to `FOLDS` - 1: by a hash of the household's number, so that the order of rows is nothing."""
    numbers, place = np.unique(household, return_inverse=True)
    folds = [hashlib.blake2b(f"{seed}:{number}".encode(), digest_size=8).digest() for number in numbers.tolist()]
    return np.array([int.from_bytes(fold, "big") % FOLDS for fold in folds], dtype=np.int32)[place]


def time_split(examples: Examples, known_on: Ints, *, whole_year: bool) -> TimeSplit:
    """Judge on the latest third of the last school year's weeks, or with `whole_year` on all of it if others precede.

    `examples` are judgeable, and their outcomes were known on `known_on`. Raises `TrainingError` when the history is
    too short to learn and judge on it.
    """
    first_late = _first_late_day(examples, whole_year=whole_year)
    late = examples.ordinal >= first_late
    early = known_on < first_late
    if not early.any() or not late.any():
        raise TrainingError(
            "The history is too short: a model is learned in its first weeks and judged in its last, "
            f"{HORIZON_DAYS} school days apart. Give a whole school year, or the folder of an earlier one as well."
        )
    return TimeSplit(early, late, first_late)


def horizon_end(examples: Examples) -> Ints:
    """Per row, the week's end (an ordinal) by which its horizon was over; `NOT_OVER` when the examples end before."""
    known = np.full(len(examples.day), NOT_OVER, dtype=np.int32)
    for year in np.unique(examples.year):
        rows = np.flatnonzero(examples.year == year)
        days, first = np.unique(examples.day[rows], return_index=True)
        dates = np.append(examples.ordinal[rows][first], np.int32(NOT_OVER))
        known[rows] = dates[np.searchsorted(days, examples.day[rows] + HORIZON_DAYS)]
    return known


def _first_late_day(examples: Examples, *, whole_year: bool) -> int:
    spans = [examples.ordinal[examples.year == year] for year in np.unique(examples.year)]
    last = max(int(span.max()) for span in spans)
    start = min(int(span.min()) for span in spans if last - int(span.max()) < _SAME_YEAR)
    if whole_year and any(int(span.max()) < start for span in spans):
        return start
    days = np.unique(examples.ordinal[examples.ordinal >= start])
    return int(days[len(days) - max(1, round(len(days) * LATE_SHARE))])
