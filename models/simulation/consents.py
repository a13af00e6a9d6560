"""Who consents: before the year or during it, to the gate's records, purpose and recipient or to others."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np

from models.simulation.base import BoolArray, stream
from models.simulation.calendar import SimulatedYear
from models.simulation.config import Consents, WorldConfig
from models.simulation.people import Population

RELATIONSHIPS = ("parent", "parent", "guardian", "guardian")
METHODS = ("paper", "electronic")
SIGNING_DAYS = 30
"""Days before the year in which consents are gathered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedConsent:
    """One signed consent; `student` is a position."""

    student: int
    relationship: str
    signed_on: date
    method: str
    records: str
    recipients: str
    expires_on: date | None = None
    """The last day in force."""
    revoked_on: date | None = None
    """The first day without it."""


def make_consents(
    config: WorldConfig, population: Population, year: SimulatedYear, seed: int
) -> tuple[SimulatedConsent, ...]:
    """Every consent, by student; a renewed one follows the one that ended."""
    rng = stream(seed, "consents")
    signing = np.flatnonzero(_signs(config.consents, population, rng))
    relation = rng.integers(0, len(RELATIONSHIPS), len(population.strain))[population.household[signing]]
    rows: list[SimulatedConsent] = []
    for student, relationship in zip(signing.tolist(), relation.tolist(), strict=True):
        rows += _of_student(config.consents, student, RELATIONSHIPS[relationship], year.dates, rng)
    return tuple(rows)


def _signs(config: Consents, population: Population, rng: np.random.Generator) -> BoolArray:
    """Per student; the parent decides for all children alike, in the main."""
    home = (rng.random(len(population.strain)) < config.share)[population.household]
    own = rng.random(population.students)
    sibling = population.first_of_household != np.arange(population.students)
    return np.where(sibling & (rng.random(population.students) < config.per_child), own < config.share, home)


def _of_student(
    config: Consents, student: int, relationship: str, dates: tuple[date, ...], rng: np.random.Generator
) -> list[SimulatedConsent]:
    mid_year, covers, renews = rng.random(3).tolist()
    if mid_year < config.mid_year:
        signed = dates[int(rng.integers(1, len(dates) - 1))]
    else:
        signed = dates[0] - timedelta(days=int(rng.integers(1, SIGNING_DAYS)))
    expires, revoked = _end(config, signed, dates, rng)
    wrong_recipient = covers < config.wrong_recipient
    wrong_records = not wrong_recipient and covers < config.wrong_recipient + config.wrong_records
    row = SimulatedConsent(
        student=student,
        relationship=relationship,
        signed_on=signed,
        method=METHODS[int(rng.integers(len(METHODS)))],
        records=config.other_records if wrong_records else config.records,
        recipients=config.other_recipients if wrong_recipient else config.recipients,
        expires_on=expires,
        revoked_on=revoked,
    )
    if expires != _new_years_eve(dates) or renews >= config.renewed:
        return [row]
    again = expires + timedelta(days=int(rng.integers(1, SIGNING_DAYS)))
    return [row, replace(row, signed_on=again, expires_on=_end_of_june(dates))]


def _end(
    config: Consents, signed: date, dates: tuple[date, ...], rng: np.random.Generator
) -> tuple[date | None, date | None]:
    """When it expires and when it is withdrawn, if ever."""
    kind, open_ended = rng.random(2).tolist()
    expires = None if open_ended < config.open_ended else _end_of_june(dates)
    if kind < config.withdrawn:
        after = max(signed, dates[0])
        return expires, after + timedelta(days=int(rng.integers(1, max(2, (dates[-1] - after).days))))
    if kind < config.withdrawn + config.expiring and signed < _new_years_eve(dates):
        return _new_years_eve(dates), None
    return expires, None


def _new_years_eve(dates: tuple[date, ...]) -> date:
    return date(dates[0].year, 12, 31)


def _end_of_june(dates: tuple[date, ...]) -> date:
    return date(dates[0].year + 1, 6, 30)
