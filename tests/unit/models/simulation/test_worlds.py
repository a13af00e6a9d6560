"""The other worlds: each runs, and differs from the default in what its docstring says."""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from typing import NamedTuple

import numpy as np
import pytest

from models.simulation import WorldConfig, simulate
from models.simulation.base import BoolArray, FloatArray, IntArray
from models.simulation.marks import ABSENT, TARDY
from models.simulation.worlds import WORLDS, other_worlds

pytestmark = pytest.mark.slow

SEEDS = range(40, 43)
DEFAULT = WorldConfig()


class Students(NamedTuple):
    """Per student of several draws of a world."""

    absent: FloatArray
    """Share of days."""
    tardy: FloatArray
    chronic: BoolArray
    homeless: BoolArray
    race_ethnicity: IntArray


@cache
def draws(name: str) -> Students:
    config = DEFAULT if name == "default" else other_worlds()[name]
    parts: defaultdict[str, list[np.ndarray]] = defaultdict(list)
    for seed in SEEDS:
        world = simulate(config, seed)
        people, marks = world.population, world.marks
        days, absent, tardy = (
            np.bincount(marks.student[rows], minlength=people.students)
            for rows in (slice(None), marks.status == ABSENT, marks.status == TARDY)
        )
        episode = world.episodes.of_household(len(people.strain))[people.household]
        parts["absent"].append(absent / np.maximum(days, 1))
        parts["tardy"].append(tardy / np.maximum(days, 1))
        parts["chronic"].append((absent * 10 >= days) & (days >= 10))
        parts["homeless"].append((episode >= 0) & world.episodes.homeless(world.year.days)[episode])
        parts["race_ethnicity"].append(people.race_ethnicity)
    return Students(**{field: np.concatenate(values) for field, values in parts.items()})


def gap(values: FloatArray | BoolArray, of: BoolArray) -> float:
    return float(values[of].mean() - values[~of].mean())


def test_every_world_says_what_differs_and_differs() -> None:
    configs = other_worlds()
    assert set(configs) == set(WORLDS)
    assert all(make.__doc__ for make in WORLDS.values())
    assert all(config != DEFAULT for config in configs.values())


@pytest.mark.parametrize("name", WORLDS)
def test_every_world_keeps_the_size_and_the_year(name: str) -> None:
    config = other_worlds(300, first_year=2019)[name]
    assert (config.students, config.calendar.first_year) == (300, 2019)


@pytest.mark.parametrize("name", WORLDS)
def test_every_world_can_be_tiny(name: str) -> None:
    assert simulate(other_worlds(2)[name], 1).attendance_count


def test_a_world_without_trouble_runs() -> None:
    world = simulate(WorldConfig(students=50).changed({"housing": {"trouble": 0}}), 1)
    assert not list(world.outcomes())


def test_the_largest_worlds_are_possible() -> None:
    assert len(WorldConfig.of_size(1_000_000).schools) > 2000
    assert len(other_worlds(1_000_000)["rural"].schools) > 2000


def test_the_signal_is_weak_strong_or_none() -> None:
    none, weak, default, strong = (
        gap(draws(name).chronic, draws(name).homeless)
        for name in ("no_signal", "weak_signal", "default", "strong_signal")
    )
    assert abs(none) < 0.05
    assert none < weak < default < strong


def test_absence_is_high_or_low() -> None:
    assert abs(draws("high_absence").chronic.mean() - 0.40) < 0.03
    assert abs(draws("low_absence").chronic.mean() - 0.14) < 0.03


def test_few_or_many_become_homeless() -> None:
    assert abs(draws("low_base_rate").homeless.mean() - 0.03) < 0.01
    assert abs(draws("high_base_rate").homeless.mean() - 0.18) < 0.02


def test_trouble_shows_as_tardiness() -> None:
    default, led = draws("default"), draws("tardy_led")
    assert gap(led.tardy, led.homeless) > 2 * gap(default.tardy, default.homeless)
    assert gap(led.absent, led.homeless) < 0.7 * gap(default.absent, default.homeless)


def test_groups_differ_in_absence_and_not_in_housing() -> None:
    students = draws("biased_groups")
    black, white = (students.race_ethnicity == position for position in (1, 2))
    assert 1.35 < students.absent[black].mean() / students.absent[white].mean() < 1.7
    assert abs(students.homeless[black].mean() - students.homeless[white].mean()) < 0.03


def test_rural_schools_are_small_and_in_other_zones() -> None:
    schools = other_worlds(2000)["rural"].schools
    assert len(schools) == 15
    assert len({school.timezone for school in schools}) == 3
    assert "America/New_York" not in {school.timezone for school in schools}
