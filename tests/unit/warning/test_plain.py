"""A running worker says what the plain definition says of the same records, whatever their order."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random
from typing import NamedTuple

import pytest
from hypothesis import given

from models.artifact import SIBLING, Artifact, Step
from services.contracts import topics
from tests.unit.models.hand_made import artifact
from tests.unit.warning.driving import TAKEN_AT, Alert, Record, Worker, batch, close, mark, threshold
from tests.unit.warning.hearing import Heard, standing, turns
from tests.unit.warning.test_laws import quick, seeds
from tests.unit.warning.worlds import FIRST, SCHOOLS, STUDENTS, World, at, worlds

pytestmark = pytest.mark.slow

MONDAY = FIRST - timedelta(days=FIRST.weekday())
NEXT = date(2017, 9, 4)


class Judged(NamedTuple):
    """What the worker judges by."""

    artifact: Artifact | None = None
    capacity: int | None = None

    def worker(self) -> Worker:
        return Worker(artifact=self.artifact, capacity=self.capacity)

    def __repr__(self) -> str:
        return f"<{'model' if self.artifact else 'rules'}, {self.capacity}>"


_EDGES = (-20.0, *(-12.0 + number / 4 for number in range(40)))
MADE = artifact(5).model_copy(
    update={"sibling": Step(feature=SIBLING, edges=_EDGES, values=tuple(n / 16 for n in range(len(_EDGES) + 1)))}
)
"""Whatever a sibling's score is shows."""
RULES, MODEL, PLACES = Judged(), Judged(MADE), Judged(MADE, 2)
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


def still_open(alerts: set[Alert]) -> set[Alert]:
    return {alert for alert in alerts if alert.status == "open"}


def made_anew(world: World) -> list[Record]:
    """Each student's last enrollments once more, of which every day is made anew.

    A worker keeps what a sibling added to a day's score when it was scored, also when that sibling has left since or
    has lost the day before it.
    """
    return list({record.key: record for record in world.reference[topics.ENROLLMENTS.name]}.values())


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
    records = placed_in(world.scattered(random), thresholds(random), random)
    if by.artifact is not None:
        records += made_anew(world)
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
    records = placed_in(world.records(), thresholds(random), random)
    worker = by.worker()
    worker.take(*records)
    agrees(worker, records, by)
    worker.check_reader()


@every
@quick
@given(worlds(longest=60), seeds)
def test_restarts_in_the_middle(by: Judged, world: World, random: Random) -> None:
    order = world.scattered(random) if by.artifact is None else world.records()
    records = placed_in(order, thresholds(random), random)
    worker = by.worker()
    for record in records:
        worker.take(record)
        if random.random() < 0.05:
            worker.restart()
    agrees(worker, records, by)
    worker.check_reader()


@quick
@given(worlds(withdrawals=True), seeds)
def test_erasures(world: World, random: Random) -> None:
    """Of the others all is as if the erased had never been; of these the history is told by the ledger alone."""
    records = world.scattered(random)
    worker = Worker()
    for record in records:
        worker.take(record)
        if random.random() < 0.01:
            worker.restart()
    agrees(worker, records, RULES)
    told = {alert for alert in worker.reader.alerts() if alert.student not in worker.keys.gone}
    assert still_open(told) == still_open(worker.standing())


@every
@quick
@given(worlds(longest=30), seeds)
def test_another_school_year_whatever_begins_it(by: Judged, world: World, random: Random) -> None:
    """Marks ahead of their batch wait, a close begins the year, and last year's late marks are of no window."""
    days = [NEXT + timedelta(days=number) for number in range(12)]
    later = [
        batch(mark(student, day, random.choice(["present", "absent"])), taken_at=random.choice([TAKEN_AT, at(day, 0)]))
        for day in days
        for student in STUDENTS
        if random.random() < 0.7
    ]
    later += [close(school, day) for day in days for school in SCHOOLS if random.random() < 0.3]
    records = placed_in([*thresholds(random), *world.records()], random.sample(later, len(later)), random)
    if by.artifact is not None:
        records += made_anew(world)
    worker = by.worker()
    for record in records:
        worker.take(record)
        if by.artifact is None and random.random() < 0.01:
            worker.restart()
    agrees(worker, records, by)
