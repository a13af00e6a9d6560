"""The rates that the config's docstrings cite, over several worlds of 2,000 students."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from models.simulation import World, WorldConfig, simulate
from models.simulation.base import BoolArray
from models.simulation.housing import DOUBLED_UP, SHELTER
from models.simulation.marks import ABSENT
from models.simulation.shocks import bus_failures

pytestmark = pytest.mark.slow

SEEDS = range(20, 28)


@dataclass
class Year:
    """Per student of several worlds."""

    rate: float
    chronic: BoolArray
    shelter: BoolArray
    doubled_up: BoolArray
    september: np.ndarray

    @property
    def homeless(self) -> BoolArray:
        return self.shelter | self.doubled_up


def absences(world: World) -> tuple[np.ndarray, np.ndarray]:
    students = world.population.students
    days = np.bincount(world.marks.student, minlength=students)
    absent = np.bincount(world.marks.student[world.marks.status == ABSENT], minlength=students)
    return absent, days


def september_absences(world: World) -> np.ndarray:
    end = sum(day.month == 9 for day in world.year.dates)
    rows = (world.marks.status == ABSENT) & (world.marks.day < end)
    return np.bincount(world.marks.student[rows], minlength=world.population.students)


def years(config: WorldConfig) -> Year:
    rates, chronic, kinds, september = [], [], [], []
    for seed in SEEDS:
        world = simulate(config, seed)
        absent, days = absences(world)
        rates.append(absent.sum() / days.sum())
        september.append(september_absences(world))
        chronic.append((absent * 10 >= days) & (days >= 10))
        episode = world.episodes.of_household(len(world.population.strain))[world.population.household]
        homeless = (episode >= 0) & world.episodes.homeless(world.year.days)[episode]
        kinds.append(np.where(homeless, world.episodes.kind[episode], -1))
    kind = np.concatenate(kinds)
    return Year(
        float(np.mean(rates)), np.concatenate(chronic), kind == SHELTER, kind == DOUBLED_UP, np.concatenate(september)
    )


@pytest.fixture(scope="module")
def year() -> Year:
    return years(WorldConfig())


def test_seven_to_nine_percent_of_days_are_missed(year: Year) -> None:
    assert 0.07 <= year.rate <= 0.09


def test_a_quarter_to_three_tenths_of_students_are_chronically_absent(year: Year) -> None:
    assert 0.25 <= year.chronic.mean() <= 0.30


def test_about_a_tenth_of_students_is_homeless_in_the_year(year: Year) -> None:
    assert 0.085 <= year.homeless.mean() <= 0.115


def test_about_half_of_homeless_students_are_chronically_absent(year: Year) -> None:
    assert 0.46 <= year.chronic[year.homeless].mean() <= 0.58
    assert year.chronic[year.homeless].mean() - year.chronic[~year.homeless].mean() >= 0.20


def test_doubled_up_students_hardly_differ_and_those_in_shelter_do(year: Year) -> None:
    others = year.chronic[~year.homeless].mean()
    assert 0.04 <= year.chronic[year.doubled_up].mean() - others <= 0.18
    assert year.chronic[year.shelter].mean() - others >= 0.30


def test_absences_in_september_tell_as_much_of_the_year_as_in_baltimore(year: Year) -> None:
    some, many = (year.september >= 2) & (year.september <= 4), year.september > 4
    assert 0.4 <= year.chronic[some].mean() <= 0.6
    assert 0.8 <= year.chronic[many].mean() <= 0.95


def test_without_signal_homeless_students_are_absent_like_the_others() -> None:
    config = WorldConfig()
    silent = years(config.model_copy(update={"housing": config.housing.model_copy(update={"signal": 0.0})}))
    difference = silent.chronic[silent.homeless].mean() - silent.chronic[~silent.homeless].mean()
    assert abs(difference) < 0.04


def test_a_storm_keeps_most_of_every_school_at_home(world: World) -> None:
    for school in range(len(world.config.schools)):
        usual = share_absent(world, school, None)
        for storm in world.year.storms:
            assert 0.4 <= share_absent(world, school, int(storm)) <= 0.8
        assert usual < 0.15


def test_failing_buses_keep_part_of_one_school_at_home() -> None:
    world = simulate(WorldConfig(), 21)
    failures = bus_failures(world.config, world.year, world.seed)
    assert len({school for school, _ in failures}) == 1
    seen = [share_absent(world, school, day) for school, day in failures if world.year.open[school, day]]
    assert seen
    assert all(0.18 < share < 0.5 for share in seen)


def share_absent(world: World, school: int, day: int | None) -> float:
    marks = world.marks
    rows = (marks.school == school) & (
        (marks.day == day) if day is not None else ~np.isin(marks.day, world.year.storms)
    )
    return float((marks.status[rows] == ABSENT).mean())
