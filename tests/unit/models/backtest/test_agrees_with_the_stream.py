"""A walk of the backtest and a replay through the stream's partitions say the same on every day."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import pytest

from models.backtest.runner import Runner
from models.backtest.walk import Walker
from models.policy import default_policy
from models.risk_model import probability
from models.school_year import year_of
from services.warning.capacity import CapacityControl
from tests.unit.models.backtest.districts import District, history_of
from tests.unit.models.backtest.random_districts import make_district
from tests.unit.models.backtest.streaming import Stream
from tests.unit.models.hand_made import artifact

pytestmark = pytest.mark.slow

POLICY = default_policy()
SEEDS = range(10)
CAPACITY = 2


class Said(NamedTuple):
    """What stands at a day's end, of students whose consent is in force."""

    days: dict[str, int]
    """How many days count, of each student with any."""
    scores: dict[str, float]
    """Probabilities; none without a model."""
    levels: dict[str, int]
    """As told."""
    thresholds: dict[int, float]
    entered: int
    """New alerts, elevated or urgent; only a model's are steered by."""


Days = dict[int, Said]


class Walked:
    """By the backtest: within the capacity, and by the rules alone."""

    def __init__(self, district: District, seed: int) -> None:
        self.both: Days = {}
        self.rules: Days = {}
        self._history = history_of(district)
        self._walker = Walker(self._history, POLICY, artifact(seed).model, CAPACITY)
        self._days = self._walker._days()
        self._walker.run(progress=self._look)

    def _look(self, number: int, _of: int) -> None:
        day, runners = self._days[number - 1], self._walker._runners
        self.both[day] = self._said(day, runners["both"])
        self.rules[day] = self._said(day, runners["rules"])._replace(scores={}, entered=0)

    def _said(self, day: int, runner: Runner) -> Said:
        district = self._walker.district
        year = district.years.get(year_of(day))
        if year is None:
            return Said({}, {}, {}, {}, 0)
        rows, length = district.active(year, day), year.cohort.ledger.length
        some = rows[length[rows] > 0]
        names = [self._history.student_ids[student] for student in district.units.student[year.first :]]
        scores = probability(year.cohort.now(some)).tolist()
        return Said(
            {names[row]: int(length[row]) for row in some},
            dict(zip([names[row] for row in some], scores, strict=True)),
            {names[row]: int(runner.emitted._level[row + year.first]) for row in rows},
            dict(runner.levels(year).thresholds[0].by_week),
            runner.emitted.entered.total(),
        )


@cache
def walked(seed: int) -> Walked:
    return Walked(make_district(seed), seed)


@cache
def streamed(seed: int, *, scored: bool) -> Days:
    """By the stream, over one to three partitions; without scores by the rules alone."""
    district = make_district(seed)
    partitions = 1 + 2 * (seed % 2) if scored else 2
    made = artifact(seed) if scored else None
    stream = Stream(district, POLICY, partitions, lambda: CapacityControl(made, CAPACITY))
    return {day: _handed_in(stream, day) for day in district.days()}


def _handed_in(stream: Stream, day: int) -> Said:
    stream.hand_in(day)
    return Said(stream.days(), stream.scores(), stream.levels(), stream.thresholds(), stream.entered())


def days_of_both(seed: int, *, scored: bool) -> list[tuple[int, Said, Said]]:
    """Each day that both know, with what the walk and the stream say."""
    walk = walked(seed).both if scored else walked(seed).rules
    stream = streamed(seed, scored=scored)
    return [(day, walk[day], stream[day]) for day in sorted(walk.keys() & stream.keys())]


@pytest.mark.parametrize("seed", SEEDS)
def test_days_and_scores_are_the_same_on_every_day(seed: int) -> None:
    both = days_of_both(seed, scored=True)

    assert len(both) >= 60
    for day, walk, stream in both:
        assert walk.days == stream.days, day
        assert walk.scores == stream.scores, day


@pytest.mark.parametrize("seed", SEEDS)
def test_levels_and_thresholds_are_the_same_on_every_day(seed: int) -> None:
    for day, walk, stream in days_of_both(seed, scored=True):
        assert walk.levels == stream.levels, day
        assert walk.thresholds == stream.thresholds, day


@pytest.mark.parametrize("seed", SEEDS)
def test_by_the_rules_alone_levels_are_the_same_on_every_day(seed: int) -> None:
    for day, walk, stream in days_of_both(seed, scored=False):
        assert walk.days == stream.days, day
        assert walk.levels == stream.levels, day


@pytest.mark.parametrize("school", ["A", "B"])
@pytest.mark.parametrize("seed", SEEDS)
def test_where_a_school_is_not_shared_they_are_the_same_too(seed: int, school: str) -> None:
    district = make_district(seed).without(school)
    walk = Walked(district, seed).both
    stream = Stream(district, POLICY, 2, lambda: CapacityControl(artifact(seed), CAPACITY))
    said = {day: _handed_in(stream, day) for day in district.days()}
    assert len(walk.keys() & said.keys()) >= 50
    for day in sorted(walk.keys() & said.keys()):
        assert walk[day].days == said[day].days, day
        assert walk[day].scores == said[day].scores, day


def test_the_districts_are_hard_enough() -> None:
    """Scores vary, every level is told, thresholds move, consents begin and end."""
    said = [walked(seed).both for seed in SEEDS]
    last = [days[max(days)] for days in said]

    assert {level for days in said for day in days.values() for level in day.levels.values()} == {0, 1, 2, 3}
    assert all(len(set(day.scores.values())) > 10 for day in last)
    assert all(len(set(day.thresholds.values())) > 3 for day in last)
    assert all(day.entered > 5 for day in last)
    assert all(len({len(day.levels) for day in days.values()}) >= 3 for days in said)
