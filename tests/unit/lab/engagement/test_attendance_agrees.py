"""The rate of the year to date is the engine's, on whatever day it is asked for."""

from __future__ import annotations

from datetime import date

import pytest

from models.attendance import EXCUSED, UNEXCUSED
from models.backtest.district import District, Year
from models.backtest.history import History
from models.backtest.units import NOWHERE
from models.engine.past import past_of
from models.policy import default_policy
from services.lab.engagement.attendance import attendance_on
from tests.unit.models.backtest import districts
from tests.unit.models.backtest.random_districts import make_district


@pytest.mark.parametrize("seed", range(12))
def test_days_and_absences_are_the_engines(seed: int) -> None:
    made = make_district(seed)
    _compare(districts.history_of(made), made.days())


@pytest.mark.parametrize("seed", range(3))
def test_days_at_a_school_that_is_not_shared_are_no_days(seed: int) -> None:
    made = make_district(seed).without("B")
    _compare(districts.history_of(made), made.days())


def _compare(history: History, days: range) -> None:
    district, compared = District(history, default_policy()), 0
    for day in days:
        year = district.learn(day)
        if year is not None and day % 5 == 0:
            year.cohort.evaluate_all()
            mine = attendance_on(history, date.fromordinal(day))
            for student, theirs in _of_engine(district, year, day).items():
                found = mine[history.student_ids[student]]
                assert (sorted(found.enrolled), sorted(found.absent)) == theirs
                compared += len(theirs[0])
    assert compared > 1_000


def _of_engine(district: District, year: Year, day: int) -> dict[int, tuple[list[date], list[date]]]:
    """By student: the days that count up to the day, and the absences among them."""
    found = {}
    for student, unit in enumerate(district.units.of_students(day).tolist()):
        if unit != NOWHERE:
            past = past_of(year.cohort.register, unit - year.first)
            counted = [(at, code) for at, code in zip(past.ordinals, past.shown, strict=True) if at <= day]
            absent = [date.fromordinal(at) for at, code in counted if code in (EXCUSED, UNEXCUSED)]
            found[student] = [date.fromordinal(at) for at, _ in counted], absent
    return found
