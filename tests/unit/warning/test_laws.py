"""The laws of the worker: the end is a function of what happened, whatever the order in which it was heard."""

from __future__ import annotations

from datetime import timedelta
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from models.policy import LEVEL_NAMES
from services.contracts import topics
from services.contracts.marks import AttendanceMark, MarkBatch
from services.contracts.packed import decode, is_packed, read_marks_record
from tests.unit.warning.driving import Record, Worker, batch, worker_with
from tests.unit.warning.keys import CIPHERS
from tests.unit.warning.worlds import Seeded, World, at, worlds

pytestmark = pytest.mark.slow

quick = settings(
    max_examples=15,
    deadline=None,
    phases=[Phase.reuse, Phase.generate],  # a world shrinks for minutes and tells no more then
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
seeds = st.integers(0, 2**32).map(Seeded)


def agree(first: Worker, second: Worker) -> None:
    assert first.windows() == second.windows()
    assert first.standing() == second.standing()
    first.check_reader()
    second.check_reader()


def is_marks(record: Record) -> bool:
    return record.topic == topics.MARKS.name and is_packed(record.value or b"")


def read(record: Record) -> MarkBatch | None:
    found = read_marks_record(record.value or b"", CIPHERS.__getitem__) if is_marks(record) else None
    return found if isinstance(found, MarkBatch) else None


@quick
@given(worlds(), seeds)
def test_any_order_across_topics_ends_the_same(world: World, random: Random) -> None:
    agree(worker_with(*world.records()), worker_with(*world.merged(random)))


@quick
@given(worlds(histories=False), seeds)
def test_reordering_and_duplicating_marks_changes_nothing(world: World, random: Random) -> None:
    mixed = world.records()
    places = [
        number for number, record in enumerate(mixed) if is_marks(record) and not decode(record.value or b"").counts
    ]
    moved = [mixed[place] for place in places]
    random.shuffle(moved)
    for place, record in zip(places, moved, strict=True):
        mixed[place] = record
    doubled = [again for record in mixed for again in [record] * random.choice([1, 1, 2])]
    agree(worker_with(*world.records()), worker_with(*doubled))


@quick
@given(worlds(withdrawals=True), seeds, st.booleans())
def test_replaying_everything_on_a_loaded_state_tells_nothing_contradictory(
    world: World, random: Random, restarted: bool
) -> None:
    worker = worker_with(*world.merged(random))
    windows, standing = worker.windows(), worker.standing()
    worker.check_reader()
    if restarted:
        worker.restart()
    worker.take(*world.merged(random))
    assert worker.windows() == windows
    assert worker.standing() == standing
    worker.check_reader()


@quick
@given(worlds(), seeds)
def test_replaying_what_was_not_committed_ends_the_same(world: World, random: Random) -> None:
    """Each topic goes back to an offset of its own."""
    worker = worker_with(*world.merged(random))
    windows, standing = worker.windows(), worker.standing()
    worker.restart()
    again = World(world.days)
    for topic in world.topics():
        again.marks.append(topic[random.randint(0, len(topic)) :])
    worker.take(*[record for topic in again.marks for record in topic])
    assert (worker.windows(), worker.standing()) == (windows, standing)
    worker.check_reader()


@quick
@given(worlds(withdrawals=True), seeds)
def test_a_restart_in_the_middle_changes_nothing_that_follows(world: World, random: Random) -> None:
    taken = world.merged(random)
    undisturbed, restarted = Worker(), Worker()
    for record in taken:
        assert restarted.take(record) == undisturbed.take(record)
        if random.random() < 0.05:
            restarted.restart()
    agree(undisturbed, restarted)


@quick
@given(worlds(), seeds)
def test_a_batch_split_in_any_way_changes_nothing(world: World, random: Random) -> None:
    split: list[Record] = []
    for record in world.records():
        value = read(record)
        if value is None:
            split.append(record)
            continue
        split.append(batch(counts=value.counts))
        rest = value.marks
        while rest:
            cut = random.randint(1, len(rest))
            split.append(batch(*rest[:cut]))
            rest = rest[cut:]
    agree(worker_with(*world.records()), worker_with(*split))


@quick
@given(worlds(corrections=False), seeds)
def test_a_correction_equals_never_having_erred(world: World, random: Random) -> None:
    erred, corrected = [], []
    for record in world.records():
        value = read(record)
        if value is None:
            erred.append(record)
            corrected.append(record)
            continue
        right = [m.model_copy(update={"recorded_at": m.recorded_at or at(m.date, -60)}) for m in value.marks]
        wrong = [mistaken(m, random) for m in right if random.random() < 0.3]
        corrected.append(batch(*right, counts=value.counts))
        erred += [batch(*wrong), batch(*right, counts=value.counts)]
    agree(worker_with(*corrected), worker_with(*erred))


def mistaken(right: AttendanceMark, random: Random) -> AttendanceMark:
    """The same mark as it was first recorded, and wrong."""
    assert right.recorded_at is not None
    return right.model_copy(
        update={
            "status": random.choice(["present", "absent", "tardy", "partial"]),
            "excused": random.choice([True, None]),
            "recorded_at": random.choice([right.recorded_at - timedelta(microseconds=1), None]),
        }
    )


@quick
@given(worlds(withdrawals=True), seeds)
def test_events_of_an_alert_are_numbered_in_strictly_rising_order(world: World, random: Random) -> None:
    worker = worker_with(*world.merged(random), *world.merged(random))
    last: dict[object, int] = {}
    for event in worker.reader.events:
        assert event.seq > last.get(event.alert_id, 0)
        last[event.alert_id] = event.seq
    assert len({event.event_id for event in worker.reader.events}) == len(worker.reader.events)
    assert {event.level for event in worker.reader.events} <= set(LEVEL_NAMES)
