"""Housing trouble: it starts, deepens until the home is lost, is seen or not, and is relieved.

Days are positions in the school year's weekdays and may lie outside it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.simulation.absence_config import Housing
from models.simulation.base import BoolArray, FloatArray, IntArray, lognormal, stream
from models.simulation.config import WorldConfig
from models.simulation.people import Population

SHELTER, DOUBLED_UP, AVERTED = range(3)
NOT_IDENTIFIED = 1_000_000
"""A day that does not come."""


@dataclass(frozen=True, slots=True)
class Episodes:
    """One row per household in trouble."""

    household: IntArray
    kind: IntArray
    start: IntArray
    lost: IntArray
    """The day on which the home is lost; of an averted one, the turning point."""
    identified: IntArray
    """NOT_IDENTIFIED when the school does not learn of it."""
    support: IntArray
    support_end: IntArray
    relief: IntArray
    """From here on the effect fades."""

    def of_household(self, households: int) -> IntArray:
        """Per household: the row of its episode, or -1."""
        row = np.full(households, -1, dtype=np.int64)
        row[self.household] = np.arange(len(self.household))
        return row

    def homeless(self, days: int) -> BoolArray:
        """Rows that lost their home, and were without one on some day of the year."""
        lost: BoolArray = (self.kind != AVERTED) & (self.lost < days)
        return lost & (self.relief > 0)


def make_episodes(config: WorldConfig, population: Population, days: int, seed: int) -> Episodes:
    """Who gets into trouble in or just before a year of so many weekdays, and how it goes."""
    housing = config.housing
    rng = stream(seed, "housing")
    household = _in_trouble(housing, population, rng)
    count = len(household)
    kind = np.where(rng.random(count) < housing.doubled_up, DOUBLED_UP, SHELTER)
    kind = np.where(rng.random(count) < housing.averted, AVERTED, kind)
    start = _days(rng.uniform(*housing.starts, count) * days)
    lost = start + 1 + _days(lognormal(rng, housing.lead_days, housing.lead_spread, count))
    seen = (kind != AVERTED) & (rng.random(count) < housing.identified)
    identified = lost + _days(lognormal(rng, housing.identify_days, housing.identify_spread, count))
    identified = np.where(identified < 0, rng.integers(0, housing.known_days, count), identified)
    support = identified + 1 + _days(lognormal(rng, housing.support_days, housing.identify_spread, count))
    support_end = support + 1 + _days(lognormal(rng, housing.support_length, housing.lead_spread, count))
    alone = lost + _days(lognormal(rng, housing.unseen_days, housing.lead_spread, count))
    relief = np.where(kind == AVERTED, lost, np.where(seen, support, alone))
    return Episodes(
        household=household,
        kind=kind,
        start=start,
        lost=lost,
        identified=np.where(seen, identified, NOT_IDENTIFIED),
        support=np.where(seen, support, NOT_IDENTIFIED),
        support_end=np.where(seen, support_end, NOT_IDENTIFIED),
        relief=relief,
    )


def _in_trouble(housing: Housing, population: Population, rng: np.random.Generator) -> IntArray:
    """The config's share of households, each in proportion to its risk (Efraimidis and Spirakis's sampling)."""
    over_age = np.bincount(population.household, weights=population.over_age, minlength=len(population.strain)) > 0
    weight = np.exp(housing.signal * housing.strain_risk * population.strain)
    weight *= np.where(over_age, housing.over_age_risk**housing.signal, 1.0)
    first = np.argsort(rng.exponential(size=len(weight)) / weight)[: round(housing.trouble * len(weight))]
    return np.sort(first)


def severity(episodes: Episodes, rows: IntArray, days: int, housing: Housing) -> FloatArray:
    """Per row of `rows` and day of the year: how deep the trouble is, 0-1; it rises linearly to the loss."""
    day = np.arange(days)[None, :]
    start, lost, relief = (part[rows][:, None] for part in (episodes.start, episodes.lost, episodes.relief))
    depth = np.clip((day - start) / (lost - start), 0.0, 1.0)
    depth *= np.exp(-np.maximum(day - relief, 0) / housing.relief_days)
    return np.asarray(depth * np.where(episodes.kind[rows] == AVERTED, housing.averted_depth, 1.0)[:, None])


def _days(values: FloatArray) -> IntArray:
    return np.floor(values).astype(np.int64)
