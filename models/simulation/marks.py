"""What truly was: one mark per student and instructional day enrolled, from the causes of absence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from models.simulation.base import BoolArray, CodeArray, FloatArray, IntArray, SmallArray, stream
from models.simulation.calendar import SimulatedYear
from models.simulation.causes import Cause
from models.simulation.config import WorldConfig
from models.simulation.enrollments import Enrollments
from models.simulation.housing import Episodes, severity
from models.simulation.people import Population
from models.simulation.shocks import bus_failures

STATUSES: Final = ("present", "absent", "tardy", "early_departure", "partial")
PRESENT, ABSENT, TARDY, EARLY_DEPARTURE, PARTIAL = range(5)
REASONS: Final = ("", "illness", "medical", "family", "weather", "transport", "unknown")
"""What a school may note. It never notes housing: the school does not learn the cause."""
NO_REASON = 0
UNKNOWN = -1
"""No value: of `excused` for a student who attended, of `minutes` for one who missed none or all of the day."""

_TOLD: Final[dict[Cause, tuple[str, ...]]] = {
    Cause.NONE: ("",),
    Cause.OTHER: ("unknown", "family", "illness"),
    Cause.FAMILY: ("family",),
    Cause.ILLNESS: ("illness",),
    Cause.FLU: ("illness",),
    Cause.CARING: ("family", "unknown"),
    Cause.TRUANCY: ("unknown", "illness"),
    Cause.DISENGAGEMENT: ("unknown", "illness"),
    Cause.CHRONIC: ("medical", "illness"),
    Cause.HOUSING: ("family", "illness", "transport", "unknown"),
    Cause.WEATHER: ("weather",),
    Cause.BUS: ("transport",),
}


@dataclass(frozen=True, slots=True)
class SimulatedMarks:
    """One row per mark; `day` counts the year's weekdays, `school` and `student` are positions."""

    student: IntArray
    day: SmallArray
    school: SmallArray
    status: CodeArray
    """Position in `STATUSES`."""
    excused: CodeArray
    """1 yes, 0 no, UNKNOWN."""
    reason: CodeArray
    """Position in `REASONS`."""
    minutes: SmallArray
    """Minutes missed, or UNKNOWN."""

    def at(self, rows: IntArray | BoolArray | slice) -> SimulatedMarks:
        """These rows, in this order."""
        return SimulatedMarks(
            student=self.student[rows].copy(),
            day=self.day[rows].copy(),
            school=self.school[rows].copy(),
            status=self.status[rows].copy(),
            excused=self.excused[rows].copy(),
            reason=self.reason[rows].copy(),
            minutes=self.minutes[rows].copy(),
        )


def make_marks(
    config: WorldConfig,
    population: Population,
    episodes: Episodes,
    enrollments: Enrollments,
    year: SimulatedYear,
    cause: CodeArray,
    seed: int,
) -> SimulatedMarks:
    """Every student's mark of every instructional day enrolled, by day."""
    rng = stream(seed, "marks")
    at = enrollments.at
    in_session = (at >= 0) & year.open[np.maximum(at, 0), np.arange(year.days)]
    day, student = np.nonzero(in_session.T)
    school, why = at[student, day], cause[student, day]
    status = np.zeros(len(day), dtype=np.int8)
    _mark_late(status, _tardy_chance(config, population, episodes, year.days, seed), student, day, config, rng)
    _mark_bus_delays(status, config, school, day, year, seed)
    status[why > 0] = ABSENT
    excused = np.full(len(day), UNKNOWN, dtype=np.int8)
    reason = np.zeros(len(day), dtype=np.int8)
    away = np.flatnonzero(why)
    excused[away] = rng.random(len(away)) < _excused(config)[why[away]]
    reason[away] = _reasons(config, why[away], excused[away] == 1, rng)
    minutes = np.full(len(day), UNKNOWN, dtype=np.int16)
    part = np.flatnonzero(status > ABSENT)
    shortest, longest = config.causes.late.minutes
    minutes[part] = rng.integers(shortest, longest + 1, len(part))
    return SimulatedMarks(student, day.astype(np.int16), school, status, excused, reason, minutes)


def _tardy_chance(
    config: WorldConfig, population: Population, episodes: Episodes, days: int, seed: int
) -> tuple[FloatArray, IntArray, FloatArray]:
    """Per student the chance of being tardy and the row of their trouble, or -1; per trouble and day a factor."""
    late, rng = config.causes.late, stream(seed, "late")
    own = np.exp(late.spread * rng.standard_normal(population.students) - late.spread**2 / 2)
    chance = late.tardy * own * population.proneness**late.absence_power
    episode = episodes.of_household(len(population.strain))[population.household]
    rows = np.arange(len(episodes.household))
    more = (config.housing.tardy_factor - 1.0) * config.housing.signal
    return chance, episode, 1.0 + more * severity(episodes, rows, days, config.housing)


def _mark_late(
    status: CodeArray,
    tardy: tuple[FloatArray, IntArray, FloatArray],
    student: IntArray,
    day: IntArray,
    config: WorldConfig,
    rng: np.random.Generator,
) -> None:
    own, episode, factor = tardy
    chance = own[student].astype(np.float32)
    troubled = np.flatnonzero(episode[student] >= 0)
    chance[troubled] *= factor[episode[student[troubled]], day[troubled]].astype(np.float32)
    chance = np.minimum(chance, np.float32(0.6))
    uniform = rng.random(len(day), dtype=np.float32)
    late = config.causes.late
    early_departure = np.float32(1 - late.early_departure)
    status[uniform < chance] = TARDY
    status[uniform >= early_departure] = EARLY_DEPARTURE
    status[uniform >= 1 - np.float32(late.partial)] = PARTIAL


def _mark_bus_delays(
    status: CodeArray, config: WorldConfig, school: SmallArray, day: IntArray, year: SimulatedYear, seed: int
) -> None:
    rng = stream(seed, "bus delays")
    for failing, on in bus_failures(config, year, seed):
        first, last = np.searchsorted(day, (on, on + 1))
        rows = first + np.flatnonzero(school[first:last] == failing)
        status[rows[rng.random(len(rows)) < config.causes.bus.tardy]] = TARDY


def _excused(config: WorldConfig) -> FloatArray:
    causes = config.causes
    share = {
        Cause.NONE: 0.0,
        Cause.OTHER: causes.other.excused,
        Cause.FAMILY: causes.family.excused,
        Cause.ILLNESS: causes.illness.excused,
        Cause.FLU: causes.flu.excused,
        Cause.CARING: causes.caring.excused,
        Cause.TRUANCY: causes.truancy.excused,
        Cause.DISENGAGEMENT: causes.disengagement.excused,
        Cause.CHRONIC: causes.chronic.excused,
        Cause.HOUSING: config.housing.excused,
        Cause.WEATHER: causes.weather.excused,
        Cause.BUS: causes.bus.excused,
    }
    return np.array([share[cause] for cause in Cause])


def _reasons(config: WorldConfig, why: CodeArray, excused: BoolArray, rng: np.random.Generator) -> CodeArray:
    """What the school learns of excused absences, and often does not; of others it learns nothing."""
    most = max(len(told) for told in _TOLD.values())
    table = np.array(
        [[REASONS.index(_TOLD[cause][i % len(_TOLD[cause])]) for i in range(most)] for cause in Cause], dtype=np.int8
    )
    told = table[why, rng.integers(0, most, len(why))]
    return np.where(excused & (rng.random(len(why)) < config.reporting.reason_known), told, np.int8(NO_REASON))
