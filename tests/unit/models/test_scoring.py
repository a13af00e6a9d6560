"""Scores and levels are those of the days, whatever the order in which they became known, and through restarts."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.artifact import Artifact
from models.engine.past import past_of
from models.policy import default_policy
from models.risk_model import NO_SIBLING
from services.contracts import topics
from services.contracts.risk import ThresholdSet
from services.warning.capacity import CapacityControl
from services.warning.partition import Partition
from services.warning.student import Student
from tests.unit.models.hand_made import artifact
from tests.unit.warning.driving import TOKEN, Record, Worker, batch, close, consent, enrollment, mark
from tests.unit.warning.worlds import FIRST, World, school_days, worlds

pytestmark = pytest.mark.slow

POLICY = default_policy()
MADE = artifact(5)
CAPACITY = 2


class Stands(NamedTuple):
    """What is said of a student in the end."""

    own: tuple[float, ...]
    logits: tuple[float, ...]
    levels: tuple[tuple[int, int], ...]


def worker(made: Artifact = MADE) -> Worker:
    return Worker(Partition(POLICY, CapacityControl(made, CAPACITY)))


def threshold(week: date, at: float | None) -> Record:
    told = ThresholdSet(week=week, threshold=at, capacity=CAPACITY, entered=0, weeks=1, token=TOKEN)
    return Record(topics.THRESHOLDS.name, b"", told.model_dump_json().encode())


def thresholds(random: Random) -> list[Record]:
    monday = FIRST - timedelta(days=FIRST.weekday())
    return [threshold(monday + timedelta(days=7 * n), random.choice([-5.0, -3.0, -2.0, None])) for n in range(10)]


def counting(of: Worker) -> list[Student]:
    return [student for student in of.partition.students.values() if student.counts]


def ordinals_of(of: Worker, student: Student) -> tuple[int, ...]:
    """The days that count."""
    return past_of(of.partition.years[student.year].cohort.register, student.row).ordinals if student.row >= 0 else ()


def stands(of: Worker) -> dict[str, Stands]:
    found: dict[str, Stands] = {}
    for student in counting(of):
        scores = of._scores(student, len(ordinals_of(of, student)))
        levels = tuple((turn.ordinal, turn.level) for turn in of.partition.alerts.turns(student))
        own, logits = zip(*scores, strict=True) if scores else ((), ())
        found[student.pseudonym] = Stands(own, logits, levels)
    return found


def restarted(old: Worker, made: Artifact = MADE) -> Worker:
    """Another worker that has read what the first wrote."""
    return settled(old.successor(CapacityControl(made, CAPACITY)))


def settled(of: Worker) -> Worker:
    of.take()
    while of.partition.touched and of.partition.evaluate():
        pass
    return of


def merged(world: World, random: Random) -> list[Record]:
    """Every record in a random order across topics, thresholds among them."""
    result = world.merged(random)
    for told in thresholds(Random(0)):
        result.insert(random.randint(0, len(result)), told)
    return result


@given(worlds(), st.integers(0, 2**32))
@settings(max_examples=12, deadline=None)
def test_the_order_of_arrival_changes_no_score_and_no_level(world: World, seed: int) -> None:
    in_order, shuffled = worker(), worker()

    in_order.take(*thresholds(Random(0)), *world.records())
    shuffled.take(*merged(world, Random(seed)))

    assert stands(in_order) == stands(shuffled)


@given(worlds(), st.integers(0, 2**32))
@settings(max_examples=12, deadline=None)
def test_restarts_change_no_score_and_no_level(world: World, seed: int) -> None:
    records = merged(world, Random(seed))
    places = sorted(Random(seed + 1).sample(range(len(records)), 2))
    whole, broken = worker(), worker()

    whole.take(*records)
    for number, record in enumerate(records):
        broken.take(record)
        if number in places:
            broken = restarted(broken)

    assert stands(whole) == stands(broken)


@given(worlds(), st.integers(0, 2**32))
@settings(max_examples=6, deadline=None)
def test_scores_are_those_of_all_days_told_at_once(world: World, seed: int) -> None:
    """Each own score is the model's of the days up to it, each score has the sibling's of the day before."""
    told = worker()
    told.take(*merged(world, Random(seed)))

    said = stands(told)
    for student in counting(told):
        track = said[student.pseudonym]
        siblings = [other for other in told.partition.homes.siblings(student) if other.counts]
        for position, ordinal in enumerate(ordinals_of(told, student)):
            before = [sum(o < ordinal for o in ordinals_of(told, sibling)) for sibling in siblings]
            own = [said[s.pseudonym].own[b - 1] for s, b in zip(siblings, before, strict=True) if b]
            values, edges = MADE.sibling.values, MADE.sibling.edges
            part = values[sum(edge <= max(own, default=NO_SIBLING) for edge in edges)]
            assert track.logits[position] == track.own[position] + part


DAYS = school_days(20)
LATER = datetime.combine(DAYS[-1], time(20), UTC)


def two_children(*, absent: tuple[date, ...] = (), told: tuple[date, ...] = tuple(DAYS), by: Artifact = MADE) -> Worker:
    """Siblings at one school; ben is absent on these days."""
    made = worker(by)
    for name in ("ann", "ben"):
        made.take(consent(name, DAYS[0]), enrollment(name, ("A", DAYS[0], None), household="h"))
    for day in told:
        made.take(batch(mark("ben", day, "absent" if day in absent else "present")), close("A", day))
    return made


def test_a_siblings_days_count_from_the_next_school_day_on() -> None:
    without, absent = two_children(), two_children(absent=tuple(DAYS[5:15]))

    changed = [a != b for a, b in zip(stands(without)["ann"].logits, stands(absent)["ann"].logits, strict=True)]

    assert stands(without)["ann"].own == stands(absent)["ann"].own
    assert not any(changed[:6])
    assert any(changed[6:])


def test_a_siblings_late_mark_is_counted_in_as_if_it_had_come_in_time() -> None:
    in_time, late = two_children(absent=tuple(DAYS[5:15])), two_children()

    late.take(batch(*(mark("ben", day, "absent", recorded_at=None) for day in DAYS[5:15])))

    assert stands(late) == stands(in_time)


def test_what_was_written_when_it_changed_is_enough_after_a_siblings_late_mark() -> None:
    """A worker writes only what has changed; the score of one whose sibling's late mark changes it is made again."""
    told = two_children()
    told.take(batch(*(mark("ben", day, "absent") for day in DAYS[5:15])))

    fresh = restarted(told)

    assert stands(fresh) == stands(told) == stands(two_children(absent=tuple(DAYS[5:15])))


def test_another_model_leaves_the_past_as_it_was_judged() -> None:
    old = two_children(absent=tuple(DAYS[5:12]), told=tuple(DAYS[:15]))
    before = stands(old)
    new = restarted(old, artifact(6))

    new.take(*(close("A", day) for day in DAYS[15:]))

    by_the_new = stands(two_children(absent=tuple(DAYS[5:12]), by=artifact(6)))
    for name, then in before.items():
        now = stands(new)[name]
        assert now.own[:15] == then.own
        assert now.logits[:15] == then.logits
        assert now.own[15:] == by_the_new[name].own[15:]


def test_a_day_told_otherwise_is_judged_by_the_model_of_its_day() -> None:
    old = two_children(absent=tuple(DAYS[5:12]))
    new = restarted(old, artifact(6))
    correction = batch(mark("ben", DAYS[2], "absent", recorded_at=LATER))

    new.take(correction)

    then, now = stands(old)["ben"], stands(new)["ben"]
    assert now.own[:2] == then.own[:2]
    assert now.own[2:] != then.own[2:]
    old.take(correction)
    assert stands(new) == stands(old)


def test_a_move_that_becomes_known_after_a_restart_is_scored() -> None:
    """The days are the same, and still the scores are not: the school is another."""
    moved = [("A", DAYS[0], DAYS[9]), ("B", DAYS[10], None)]
    told = two_children()
    told.take(*(batch(mark("ann", day, school="B")) for day in DAYS[10:]), *(close("B", day) for day in DAYS[10:]))
    kept = restarted(told)

    for each in (told, kept):
        each.take(enrollment("ann", *moved, household="h"))

    assert stands(kept) == stands(told)
    assert stands(kept)["ann"].own[9] != stands(kept)["ann"].own[10]
