"""Who is absent on which day, and why: one matrix of students by days, the most telling cause on top."""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from models.simulation.absence_config import Causes
from models.simulation.base import CodeArray, FloatArray, IntArray, stream
from models.simulation.calendar import SimulatedYear
from models.simulation.config import GRADES, WorldConfig
from models.simulation.enrollments import Enrollments
from models.simulation.housing import SHELTER, Episodes, severity
from models.simulation.people import HIGH, MIDDLE, Population
from models.simulation.shocks import flu, keep_away
from models.simulation.spells import Cells, cover, scatter, thin

CARING_FROM = GRADES.index("4")
NEAR_RECESS_DAYS = 5


class Cause(IntEnum):
    """Why a student is absent; 0 is not."""

    NONE = 0
    OTHER = 1
    FAMILY = 2
    ILLNESS = 3
    FLU = 4
    CARING = 5
    TRUANCY = 6
    DISENGAGEMENT = 7
    CHRONIC = 8
    HOUSING = 9
    WEATHER = 10
    BUS = 11


def make_causes(
    config: WorldConfig,
    population: Population,
    episodes: Episodes,
    enrollments: Enrollments,
    year: SimulatedYear,
    seed: int,
) -> CodeArray:
    """Students by days: the cause of absence, on days without school as well."""
    cause = np.zeros((population.students, year.days), dtype=np.int8)
    for kind, cells in (
        *_everyday(config.causes, population, year, seed),
        *_of_some(config.causes, population, year, seed),
        (Cause.HOUSING, _trouble(config, population, episodes, year.days, seed)),
    ):
        cause[cells.student, cells.day] = kind
    keep_away(cause, Cause.WEATHER, Cause.BUS, config, enrollments.at, year, seed)
    return cause


def _everyday(
    causes: Causes, population: Population, year: SimulatedYear, seed: int
) -> tuple[tuple[Cause, Cells], ...]:
    prone, rng, days = population.proneness, stream(seed, "everyday"), year.days
    proneness = np.asarray(prone**causes.illness.proneness)
    season, near_recess = _season(days, causes.illness.winter), _near_recess(year, causes.family.near_recess)
    ill = scatter(rng, causes.illness.spells * proneness, season, causes.illness.more_days)
    trips = scatter(rng, causes.family.spells * prone, near_recess, causes.family.more_days)
    return (
        (Cause.OTHER, scatter(rng, causes.other.days * prone, np.ones(days), 0.0)),
        (Cause.FAMILY, trips),
        (Cause.ILLNESS, ill),
        (Cause.FLU, flu(causes.flu, population.school, proneness, days, stream(seed, "flu"))),
    )


def _of_some(causes: Causes, population: Population, year: SimulatedYear, seed: int) -> tuple[tuple[Cause, Cells], ...]:
    rng, days = stream(seed, "of some"), year.days
    grade, count = population.grade, population.students
    cut = rng.gamma(causes.truancy.shape, 1 / causes.truancy.shape, count) * population.proneness
    cut *= np.select([grade >= HIGH, grade >= MIDDLE], [causes.truancy.high_days, causes.truancy.middle_days], 0.0)
    by_weekday = np.array(causes.truancy.by_weekday)
    ill = np.where(rng.random(count) < causes.chronic.share, causes.chronic.spells, 0.0)
    return (
        (Cause.CARING, _caring(causes, np.flatnonzero(grade >= CARING_FROM), year.weekdays(), rng)),
        (Cause.TRUANCY, scatter(rng, cut, by_weekday[year.weekdays()], causes.truancy.more_days)),
        (Cause.DISENGAGEMENT, _drift(causes, np.flatnonzero(grade >= HIGH), days, rng)),
        (Cause.CHRONIC, scatter(rng, ill, _season(days, causes.illness.winter), causes.chronic.more_days)),
        (Cause.CHRONIC, _hospital(causes, np.flatnonzero(ill), days, rng)),
    )


def _season(days: int, winter: float) -> FloatArray:
    """Illness over the year: least at its ends, most in the middle of winter."""
    return np.asarray(1.0 - winter * np.cos(2 * np.pi * np.arange(days) / days))


def _near_recess(year: SimulatedYear, factor: float) -> FloatArray:
    near = np.convolve(year.recess, np.ones(2 * NEAR_RECESS_DAYS + 1), mode="same")[: year.days] > 0
    return np.where(near, factor, 1.0)


def _caring(causes: Causes, eligible: IntArray, weekday: IntArray, rng: np.random.Generator) -> Cells:
    student = eligible[rng.random(len(eligible)) < causes.caring.share]
    one, other = (rng.integers(0, 5, len(student))[:, None] for _ in range(2))
    return thin(rng, student, np.where((weekday == one) | (weekday == other), causes.caring.day, 0.0))


def _drift(causes: Causes, eligible: IntArray, days: int, rng: np.random.Generator) -> Cells:
    drift = causes.disengagement
    student = eligible[rng.random(len(eligible)) < drift.share]
    onset = rng.uniform(*drift.onset, len(student))[:, None] * days
    plateau = rng.uniform(*drift.plateau, len(student))[:, None]
    return thin(rng, student, plateau * np.clip((np.arange(days)[None, :] - onset) / drift.ramp_days, 0.0, 1.0))


def _hospital(causes: Causes, ill: IntArray, days: int, rng: np.random.Generator) -> Cells:
    student = ill[rng.random(len(ill)) < causes.chronic.hospital_share]
    shortest, longest = causes.chronic.hospital_days
    length = rng.integers(shortest, longest + 1, len(student))
    return cover(student, rng.integers(0, days, len(student)), length, days)


def _trouble(config: WorldConfig, population: Population, episodes: Episodes, days: int, seed: int) -> Cells:
    """Absence by housing trouble; each child shows as much of it as they do."""
    housing, rng = config.housing, stream(seed, "trouble")
    episode = episodes.of_household(len(population.strain))[population.household]
    student = np.flatnonzero(episode >= 0)
    rows = episode[student]
    daily = np.array([housing.shelter_daily, housing.doubled_up_daily, housing.averted_daily])[episodes.kind[rows]]
    shown = rng.gamma(housing.shape, 1 / housing.shape, len(student)) * daily * housing.signal
    chance = severity(episodes, rows, days, housing) * shown[:, None]
    during = thin(rng, student, np.minimum(chance, 0.9), housing.more_days)
    moving = episodes.kind[rows] == SHELTER
    length = rng.poisson(housing.move_days * housing.signal, len(student)) * moving
    move = cover(student, episodes.lost[rows], length, days)
    return Cells(np.concatenate((during.student, move.student)), np.concatenate((during.day, move.day)))
