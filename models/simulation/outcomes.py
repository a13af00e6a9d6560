"""What the school and the agency come to know of housing trouble: `outcomes.csv`."""

from __future__ import annotations

from datetime import date
from typing import Literal, NamedTuple

import numpy as np

from models.simulation.base import IntArray
from models.simulation.calendar import SimulatedYear
from models.simulation.enrollments import Enrollments
from models.simulation.housing import Episodes
from models.simulation.people import Population

OutcomeKind = Literal["homelessness_identified", "support_started", "support_ended"]


class SimulatedOutcome(NamedTuple):
    """One thing known of a student (a position) from this date on."""

    day: date
    student: int
    kind: OutcomeKind


def make_outcomes(
    population: Population, episodes: Episodes, enrollments: Enrollments, year: SimulatedYear
) -> tuple[SimulatedOutcome, ...]:
    """Every outcome of the year, by date: all children of a household who are enrolled on the day, on a school day."""
    open_days = np.flatnonzero(year.open.any(axis=0))
    found: list[SimulatedOutcome] = []
    for episode, household in enumerate(episodes.household.tolist()):
        first, last = np.searchsorted(population.household, (household, household + 1))
        for student in range(int(first), int(last)):
            found += _of_student(student, episode, episodes, enrollments, open_days, year)
    return tuple(sorted(found))


def _of_student(
    student: int, episode: int, episodes: Episodes, enrollments: Enrollments, open_days: IntArray, year: SimulatedYear
) -> list[SimulatedOutcome]:
    steps: tuple[tuple[OutcomeKind, IntArray], ...] = (
        ("homelessness_identified", episodes.identified),
        ("support_started", episodes.support),
        ("support_ended", episodes.support_end),
    )
    found: list[SimulatedOutcome] = []
    for kind, days in steps:
        position = np.searchsorted(open_days, days[episode])
        if position == len(open_days):
            break
        day = int(open_days[position])
        if enrollments.at[student, day] < 0:
            break
        found.append(SimulatedOutcome(year.dates[day], student, kind))
    return found
