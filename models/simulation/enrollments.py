"""Enrollment spans: late entries, leavers, and changes of school during the year."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.simulation.base import BoolArray, IntArray, SmallArray, stream
from models.simulation.config import WorldConfig
from models.simulation.housing import AVERTED, Episodes
from models.simulation.people import Population, grade_places

MARGIN = 10
"""Changes of school keep this many weekdays from the year's ends."""
OPEN = -1
"""No exit date."""


@dataclass(frozen=True, slots=True)
class Enrollments:
    """Per student one span or two; days are positions in the year's weekdays, both ends inclusive."""

    entry: IntArray
    leave: IntArray
    """The last day of the first span; OPEN when it has no end."""
    moved: IntArray
    """The first day of the second span, or OPEN when there is none."""
    second: IntArray
    """Its school."""
    at: SmallArray
    """Students by days: the school, or -1 when not enrolled."""


def make_enrollments(
    config: WorldConfig, population: Population, episodes: Episodes, days: int, seed: int
) -> Enrollments:
    """Where each student is enrolled on each day."""
    people = config.people
    rng = stream(seed, "enrollments")
    count = population.students
    entry = np.where(rng.random(count) < people.late_entries, rng.integers(1, days // 2, count), 0)
    leave = np.where(rng.random(count) < people.leavers, rng.integers(days // 2, days - 1, count), OPEN)
    move = _moves(config, population, episodes, days, rng)
    second = _other_school(config, population, rng)
    moves = (move != OPEN) & (second != OPEN) & (entry == 0) & (leave == OPEN)
    gap = rng.integers(0, people.gap_days + 1, count)
    leave = np.where(moves, move - 1 - gap, leave)
    moved = np.where(moves, move, OPEN)
    return Enrollments(entry, leave, moved, second, _matrix(population.school, entry, leave, moved, second, days))


def _moves(
    config: WorldConfig, population: Population, episodes: Episodes, days: int, rng: np.random.Generator
) -> IntArray:
    """Per student: the day of a change of school, or OPEN; the children of a household move together."""
    housing = config.housing
    homes = len(population.strain)
    room = days - 2 * MARGIN
    if room <= 0:
        return np.full(population.students, OPEN, dtype=np.int64)
    move = np.where(rng.random(homes) < config.people.transfers, MARGIN + rng.integers(0, room, homes), OPEN)
    day = episodes.lost + rng.integers(0, 8, len(episodes.lost))
    by_trouble = (episodes.kind != AVERTED) & (rng.random(len(day)) < housing.transfer * housing.signal)
    by_trouble &= (day >= MARGIN) & (day < days - MARGIN)
    move[episodes.household[by_trouble]] = day[by_trouble]
    return move[population.household]


def _other_school(config: WorldConfig, population: Population, rng: np.random.Generator) -> IntArray:
    """Per student: another school with their grade, or OPEN when there is none."""
    places = grade_places(config)
    choice = rng.random(population.students)
    second = np.full(population.students, OPEN, dtype=np.int64)
    for grade in np.unique(population.grade):
        serving = np.flatnonzero(places[:, grade])
        if len(serving) < 2:  # noqa: PLR2004
            continue
        at = np.flatnonzero(population.grade == grade)
        here = np.searchsorted(serving, population.school[at])
        ahead = 1 + np.floor(choice[at] * (len(serving) - 1)).astype(np.int64)
        second[at] = serving[(here + ahead) % len(serving)]
    return second


def _matrix(
    school: IntArray, entry: IntArray, leave: IntArray, moved: IntArray, second: IntArray, days: int
) -> SmallArray:
    at = np.repeat(school.astype(np.int16)[:, None], days, axis=1)
    day = np.arange(days)
    special: BoolArray = (entry > 0) | (leave != OPEN)
    for student in np.flatnonzero(special):
        row = at[student]
        row[: entry[student]] = -1
        if leave[student] != OPEN:
            row[day > leave[student]] = -1
        if moved[student] != OPEN:
            row[moved[student] :] = second[student]
    return at
