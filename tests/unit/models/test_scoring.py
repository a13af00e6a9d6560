"""Scores and levels are those of the days, whatever the order in which they became known, and through restarts."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st
from services.warning.stored_school import dump_school, load_school

from models.artifact import Artifact
from models.policy import default_policy
from models.risk_model import NO_SIBLING
from services.contracts import topics
from services.contracts.risk import ThresholdSet
from services.warning.partition import Partition
from services.warning.steering import Steering
from services.warning.student import dump, load
from tests.unit.models.hand_made import artifact
from tests.unit.warning.driving import TOKEN, Record, Worker, batch, close, consent, enrollment, mark
from tests.unit.warning.worlds import FIRST, World, school_days, worlds

POLICY = default_policy()
MADE = artifact(5)
CAPACITY = 2


class Stands(NamedTuple):
    """What is said of a student in the end."""

    own: tuple[float, ...]
    logits: tuple[float, ...]
    levels: tuple[tuple[int, int], ...]


def worker(made: Artifact = MADE) -> Worker:
    return Worker(Partition(POLICY, Steering(made, CAPACITY)))


def threshold(week: date, at: float | None) -> Record:
    told = ThresholdSet(week=week, threshold=at, capacity=CAPACITY, entered=0, weeks=1, token=TOKEN)
    return Record(topics.THRESHOLDS.name, b"", told.model_dump_json().encode())


def thresholds(random: Random) -> list[Record]:
    monday = FIRST - timedelta(days=FIRST.weekday())
    return [threshold(monday + timedelta(days=7 * n), random.choice([-5.0, -3.0, -2.0, None])) for n in range(10)]


def stands(of: Worker) -> dict[str, Stands]:
    students = [student for student in of.partition.students.values() if student.counts]
    found: dict[str, Stands] = {}
    for student, track in zip(students, of.partition.tracks.of(students), strict=True):
        levels = tuple((turn.ordinal, turn.level) for turn in track.turns)
        found[student.pseudonym] = Stands(tuple(track.own), tuple(track.logits), levels)
    return found


def restarted(old: Worker, made: Artifact = MADE) -> Worker:
    """Another worker that has read what the first wrote."""
    steering = Steering(made, CAPACITY)
    steering.restore(old.partition.steering.dump())
    fresh = Worker(Partition(POLICY, steering))
    fresh.reader = old.reader
    for name, school in old.partition.schools.items():
        fresh.partition.schools[name] = load_school(dump_school(school), POLICY)
    for student in old.partition.students.values():
        fresh.partition.add(load(dump(student)))
    return fresh


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

    students = [student for student in told.partition.students.values() if student.counts]
    tracks = dict(zip(students, told.partition.tracks.of(students), strict=True))
    for student, track in tracks.items():
        siblings = [tracks[other] for other in told.partition._roll.counting_siblings(student)]
        for position, ordinal in enumerate(track.ordinals):
            before = [[o for o in sibling.ordinals if o < ordinal] for sibling in siblings]
            highest = max((s.own[len(b) - 1] for s, b in zip(siblings, before, strict=True) if b), default=NO_SIBLING)
            values, edges = MADE.sibling.values, MADE.sibling.edges
            assert track.logits[position] == track.own[position] + values[sum(edge <= highest for edge in edges)]


DAYS = school_days(20)
LATER = datetime.combine(DAYS[-1], time(20), UTC)


def two_children(*, absent: tuple[date, ...] = (), told: tuple[date, ...] = tuple(DAYS)) -> Worker:
    """Siblings at one school; ben is absent on these days."""
    made = worker()
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
    """A worker writes only students that have changed; one whose sibling's late mark changes the score is one."""
    told = two_children()
    written = {name: dump(student) for name, student in told.partition.students.items()}
    told.partition.changed_students.clear()
    told.take(batch(*(mark("ben", day, "absent") for day in DAYS[5:15])))
    written |= {student.pseudonym: dump(student) for student in told.partition.changed_students}

    fresh = restarted(told)
    for name, stored in written.items():
        fresh.partition.students.pop(name)
        fresh.partition.add(load(stored))

    assert stands(fresh) == stands(told) == stands(two_children(absent=tuple(DAYS[5:15])))


def test_another_model_leaves_the_past_as_it_was_judged() -> None:
    old = two_children(absent=tuple(DAYS[5:12]), told=tuple(DAYS[:15]))
    before = stands(old)
    new = restarted(old, artifact(6))

    new.take(*(close("A", day) for day in DAYS[15:]))

    for name, then in before.items():
        now = stands(new)[name]
        assert now.own[:15] == then.own
        assert now.logits[:15] == then.logits
        assert now.own[15:] == stands(by(artifact(6)))[name].own[15:]


def by(made: Artifact) -> Worker:
    """All days scored by one model."""
    return restarted_without_scores(two_children(absent=tuple(DAYS[5:12])), made)


def restarted_without_scores(old: Worker, made: Artifact) -> Worker:
    for student in old.partition.students.values():
        student.year.forget_track()
    return restarted(old, made)


def test_another_model_judges_anew_what_was_told_otherwise() -> None:
    old = two_children(absent=tuple(DAYS[5:12]))
    new = restarted(old, artifact(6))
    stands(new)
    new.take(batch(mark("ben", DAYS[2], "absent", recorded_at=LATER)))

    then, now = stands(old)["ben"], stands(new)["ben"]
    assert now.own[:2] == then.own[:2]
    assert now.own[2:] != then.own[2:]


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
