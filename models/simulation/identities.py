"""Ids, names and birthdays: made up, and of no influence on anything else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from models.simulation.base import stream
from models.simulation.names import FIRST_NAMES, LAST_NAMES
from models.simulation.people import Population

KINDERGARTEN_AGE = 5
"""Completed years on 1 September."""


@dataclass(frozen=True, slots=True)
class Identities:
    """Per student, and per household."""

    student_id: tuple[str, ...]
    first_name: tuple[str, ...]
    birth_date: tuple[date, ...]
    household_id: tuple[str, ...]
    last_name: tuple[str, ...]
    guardian: tuple[str, ...]
    """First name of the parent or guardian who signs."""


def make_identities(population: Population, first_year: int, seed: int) -> Identities:
    """A unique 6- or 7-digit id and a name for everybody."""
    rng = stream(seed, "identities")
    students, homes = population.students, len(population.strain)
    before = rng.integers(0, 365, students).tolist()
    years = (KINDERGARTEN_AGE + population.grade + population.over_age).tolist()
    return Identities(
        student_id=tuple(map(str, (rng.choice(9_800_000, students, replace=False) + 200_000).tolist())),
        first_name=_names(FIRST_NAMES, students, rng),
        birth_date=tuple(
            date(first_year - age, 9, 1) - timedelta(days=days) for age, days in zip(years, before, strict=True)
        ),
        household_id=tuple(f"H{n:07}" for n in rng.choice(9_000_000, homes, replace=False).tolist()),
        last_name=_names(LAST_NAMES, homes, rng),
        guardian=_names(FIRST_NAMES, homes, rng),
    )


def _names(names: tuple[str, ...], count: int, rng: np.random.Generator) -> tuple[str, ...]:
    return tuple(names[i] for i in rng.integers(0, len(names), count).tolist())
