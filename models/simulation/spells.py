"""Spells: absences of several days in a row, as sparse cells of a students-by-days matrix."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from models.simulation.base import FloatArray, IntArray


class Cells(NamedTuple):
    """Cells of the matrix, by student and day."""

    student: IntArray
    day: IntArray


def cover(student: IntArray, first: IntArray, length: IntArray, days: int) -> Cells:
    """The cells of these spells that lie within the year."""
    total = int(length.sum())
    within = np.arange(total) - np.repeat(np.cumsum(length) - length, length)
    day = np.repeat(first, length) + within
    inside = (day >= 0) & (day < days)
    return Cells(np.repeat(student, length)[inside], day[inside])


def scatter(rng: np.random.Generator, rate: FloatArray, density: FloatArray, more_days: float) -> Cells:
    """Spells with this mean number per student, their first days drawn from a density over the days."""
    student = np.repeat(np.arange(len(rate)), rng.poisson(rate))
    edges = np.cumsum(density / density.sum())
    first = np.minimum(np.searchsorted(edges, rng.random(len(student)), side="right"), len(density) - 1)
    return cover(student, first, 1 + rng.poisson(more_days, len(student)), len(density))


def thin(rng: np.random.Generator, student: IntArray, chance: FloatArray, more_days: float = 0.0) -> Cells:
    """Spells of these students with a daily chance of absence per day (students by days)."""
    starts = chance / (1.0 + more_days)
    row, first = np.nonzero(rng.random(chance.shape) < starts)
    return cover(student[row], first, 1 + rng.poisson(more_days, len(row)), chance.shape[1])
