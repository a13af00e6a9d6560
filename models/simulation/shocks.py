"""What takes a whole school at once: flu waves, storms, failing buses."""

from __future__ import annotations

import numpy as np

from models.simulation.absence_config import Flu
from models.simulation.base import BoolArray, CodeArray, FloatArray, IntArray, SmallArray, stream
from models.simulation.calendar import SimulatedYear
from models.simulation.config import WorldConfig
from models.simulation.spells import Cells, cover


def flu(config: Flu, school: IntArray, proneness: FloatArray, days: int, rng: np.random.Generator) -> Cells:
    """Spells of every wave; each school has its own day and strength."""
    schools, count = int(school.max()) + 1, len(school)
    students, firsts = [], []
    for _ in range(config.waves):
        middle = rng.uniform(*config.season) * days + config.school_shift_days * rng.standard_normal(schools)
        strength = config.attack * rng.uniform(*config.strength, schools)
        taken = np.flatnonzero(rng.random(count) < strength[school] * proneness)
        students.append(taken)
        firsts.append(np.rint(middle[school[taken]] + config.spread_days * rng.standard_normal(len(taken))))
    student = np.concatenate([np.empty(0, dtype=np.int64), *students])
    first = np.concatenate([np.empty(0), *firsts]).astype(np.int64)
    return cover(student, first, 1 + rng.poisson(config.more_days, len(student)), days)


def keep_away(
    cause: CodeArray, weather: int, bus: int, config: WorldConfig, at: SmallArray, year: SimulatedYear, seed: int
) -> None:
    """Put storms and bus failures into the matrix, for those who are not absent anyway."""
    rng = stream(seed, "weather")
    for day in year.storms:
        _thin_out(cause, weather, day, at[:, day] >= 0, rng.uniform(*config.causes.weather.absent), rng)
    rng = stream(seed, "bus")
    for school, day in bus_failures(config, year, seed):
        _thin_out(cause, bus, day, at[:, day] == school, rng.uniform(*config.causes.bus.absent), rng)


def bus_failures(config: WorldConfig, year: SimulatedYear, seed: int) -> list[tuple[int, int]]:
    """Schools and days without buses."""
    rng = stream(seed, "bus days")
    failing = rng.permutation(len(config.schools))[: config.causes.bus.schools]
    failures: list[tuple[int, int]] = []
    for school in failing:
        first = int(rng.integers(0, max(1, year.days - config.causes.bus.days)))
        failures += [(int(school), day) for day in range(first, min(first + config.causes.bus.days, year.days))]
    return failures


def _thin_out(cause: CodeArray, kind: int, day: int, there: BoolArray, share: float, rng: np.random.Generator) -> None:
    column = cause[:, day]
    column[(column == 0) & there & (rng.random(len(column)) < share)] = kind
