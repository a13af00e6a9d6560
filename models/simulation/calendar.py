"""The school year: weekdays from the first school day to the last, and which of them each school was open."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from models.simulation.base import BoolArray, IntArray, stream
from models.simulation.config import WorldConfig

MONDAY, THURSDAY = 0, 3
WEEKEND = 5


@dataclass(frozen=True, slots=True)
class SimulatedYear:
    """Days are positions in `dates`."""

    dates: tuple[date, ...]
    """Every weekday from the first school day to the last, open or not."""
    open: BoolArray
    """Schools by days: whether it was an instructional day."""
    storms: IntArray
    """Days on which schools were open in bad weather."""
    recess: BoolArray
    """Days of the year's planned recesses and holidays."""

    @property
    def days(self) -> int:
        """The number of weekdays."""
        return len(self.dates)

    def weekdays(self) -> IntArray:
        """0 (Monday) to 4, per day."""
        return np.array([day.weekday() for day in self.dates])

    def later(self, count: int) -> tuple[date, ...]:
        """`dates` and so many weekdays after them."""
        after = weekdays_from(self.dates[-1] + timedelta(days=1))
        return (*self.dates, *(next(after) for _ in range(count)))


def make_year(config: WorldConfig, seed: int) -> SimulatedYear:
    """The year's calendar; snow closures move its end, as Massachusetts asks."""
    rng = stream(seed, "calendar")
    wanted = config.calendar
    off = holidays(wanted.first_year)
    planned = _school_days(wanted.first_year, off, wanted.instructional_days)
    winter = [day for day in planned if day.month in (12, 1, 2, 3) and day != planned[0]]
    special = rng.permutation(len(winter))[: wanted.snow_closures + wanted.storms]
    snow = {winter[i] for i in special[: wanted.snow_closures]}
    storms = {winter[i] for i in special[wanted.snow_closures :]}
    last = _school_days(wanted.first_year, off | snow, wanted.instructional_days)[-1]
    dates = tuple(_until(last, weekdays_from(planned[0])))
    common = np.array([day not in off and day not in snow for day in dates])
    return SimulatedYear(
        dates=dates,
        open=_per_school(config, rng, common, dates, storms),
        storms=np.array([i for i, day in enumerate(dates) if day in storms], dtype=np.int64),
        recess=np.array([day in off for day in dates]),
    )


def _per_school(
    config: WorldConfig, rng: np.random.Generator, common: BoolArray, dates: tuple[date, ...], storms: set[date]
) -> BoolArray:
    is_open = np.repeat(common[None, :], len(config.schools), axis=0)
    ordinary = [i for i, day in enumerate(dates) if common[i] and day not in storms and 0 < i < len(dates) - 1]
    for row, school in enumerate(config.schools):
        is_open[row, rng.permutation(ordinary)[: school.own_closed_days]] = False
    for _ in range(config.calendar.building_closures):
        is_open[rng.integers(len(config.schools)), rng.choice(ordinary)] = False
    return is_open


def holidays(first_year: int) -> set[date]:
    """Boston's holidays and recesses of the school year that begins in `first_year`."""
    second = first_year + 1
    thanksgiving = _nth(first_year, 11, THURSDAY, 4)
    recesses = [
        (_nth(first_year, 10, MONDAY, 2), 1),
        (date(first_year, 11, 11), 1),
        (thanksgiving, 2),
        (date(first_year, 12, 24), 10),
        (_nth(second, 1, MONDAY, 3), 1),
        (_nth(second, 2, MONDAY, 3), 5),
        (_nth(second, 4, MONDAY, 3), 5),
        (_nth(second, 6, MONDAY, 1) - timedelta(days=7), 1),
        (date(second, 6, 19), 1),
        (date(second, 7, 4), 1),
    ]
    return {start + timedelta(days=n) for start, length in recesses for n in range(length)}


def weekdays_from(day: date) -> Iterator[date]:
    """Every weekday from this day on."""
    while True:
        if day.weekday() < WEEKEND:
            yield day
        day += timedelta(days=1)


def _nth(year: int, month: int, weekday: int, n: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (n - 1))


def _school_days(first_year: int, off: set[date], count: int) -> list[date]:
    """So many school days from the Thursday after Labor Day on."""
    start = _nth(first_year, 9, MONDAY, 1) + timedelta(days=3)
    days = (day for day in weekdays_from(start) if day not in off)
    return [next(days) for _ in range(count)]


def _until(last: date, days: Iterator[date]) -> Iterator[date]:
    for day in days:
        if day > last:
            return
        yield day
