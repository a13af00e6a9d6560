"""A running worker says what the plain definition says of the same records, whatever their order."""

from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import NamedTuple

import pytest
from hypothesis import given

from models.artifact import Artifact
from tests.unit.models.hand_made import artifact
from tests.unit.warning.driving import Record, Worker, threshold
from tests.unit.warning.hearing import Heard, standing, turns
from tests.unit.warning.test_laws import quick, seeds
from tests.unit.warning.worlds import FIRST, World, worlds

MONDAY = FIRST - timedelta(days=FIRST.weekday())


class Judged(NamedTuple):
    """What the worker judges by."""

    artifact: Artifact | None = None
    capacity: int | None = None

    def worker(self) -> Worker:
        return Worker(artifact=self.artifact, capacity=self.capacity)

    def __repr__(self) -> str:
        return f"<{'model' if self.artifact else 'rules'}, {self.capacity}>"


RULES, MODEL, PLACES = Judged(), Judged(artifact(5)), Judged(artifact(5), 2)
every = pytest.mark.parametrize("by", [RULES, MODEL, PLACES], ids=["rules", "model", "places"])


def agrees(worker: Worker, records: list[Record], by: Judged) -> None:
    """The worker that took the records says what is so, to the bit."""
    truth = Heard(*records).truth(by.artifact, by.capacity)
    names = truth.children.keys()
    assert worker.windows() == {name: truth.window(name) for name in names}
    assert worker.scores() == truth.scores
    assert {name: worker.levels(name) for name in names} == truth.levels
    assert worker.turns() == turns(truth)
    assert worker.standing() == standing(truth)


def thresholds(random: Random) -> list[Record]:
    weeks = [MONDAY + timedelta(days=7 * number) for number in range(random.randint(0, 3), 16)]
    return [
        threshold(week, random.choice([-11.0, -9.0, -6.0, -4.0, -2.0, None])) for week in weeks if random.random() < 0.9
    ]


def placed_in(records: list[Record], told: list[Record], random: Random) -> list[Record]:
    """The records with these at random places among them."""
    result = list(records)
    for record in told:
        result.insert(random.randint(0, len(result)), record)
    return result


@every
@quick
@given(worlds(longest=80), seeds)
def test_in_order(by: Judged, world: World, random: Random) -> None:
    records = [*thresholds(random), *world.records()]
    worker = by.worker()
    worker.take(*records)
    agrees(worker, records, by)
    worker.check_reader()


@every
@quick
@given(worlds(longest=80), seeds)
def test_any_order_of_topics_and_thresholds(by: Judged, world: World, random: Random) -> None:
    records = placed_in(world.merged(random), thresholds(random), random)
    worker = by.worker()
    worker.take(*records)
    agrees(worker, records, by)
    worker.check_reader()


@every
@quick
@given(worlds(), seeds)
def test_marks_shuffled_inside_their_topic(by: Judged, world: World, random: Random) -> None:
    """Closes and head counts too: what is live is heard in the order in which it comes."""
    marks = [record for day in world.marks for record in day]
    random.shuffle(marks)
    world.marks = [marks]
    records = placed_in(world.merged(random), thresholds(random), random)
    worker = by.worker()
    worker.take(*records)
    agrees(worker, records, by)
    worker.check_reader()


@every
@quick
@given(worlds(longest=60), seeds)
def test_restarts_in_the_middle(by: Judged, world: World, random: Random) -> None:
    records = placed_in(world.merged(random), thresholds(random), random)
    worker = by.worker()
    for record in records:
        worker.take(record)
        if random.random() < 0.05:
            worker.restart()
    agrees(worker, records, by)
    worker.check_reader()


@quick
@given(worlds(withdrawals=True), seeds)
def test_withdrawals(world: World, random: Random) -> None:
    records = world.merged(random)
    worker = Worker()
    worker.take(*records)
    agrees(worker, records, RULES)
    worker.check_reader()
