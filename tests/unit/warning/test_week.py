"""A week's close in the stream: counted, steered, told, answered; and scores of those who have school."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID, uuid4

from models.policy import ELEVATED, WATCH, default_policy
from services.contracts import topics
from services.contracts.marks import WeekClosed
from services.contracts.risk import ThresholdSet, WeekCounted
from services.warning import records
from services.warning.capacity import CapacityControl
from services.warning.loading import load_partition
from services.warning.partition import Partition
from services.warning.sealing import seal_changes
from services.warning.window import scores_of
from tests.unit.models.hand_made import artifact
from tests.unit.warning.driving import TAKEN_AT, Record, batch, close, consent, enrollment, mark, school_day
from tests.unit.warning.keys import FakeKeys

MONDAY = date(2016, 12, 5)
DAYS = [MONDAY + timedelta(days=n) for n in range(5)]
TOKEN = uuid4()


def a_partition(capacity: int | None = 2, *, signal: bool = True) -> Partition:
    model = artifact(kind="logistic" if signal else "none")
    return Partition(default_policy(), CapacityControl(model, capacity))


def take(partition: Partition, record: Record, number: int = 0, partitions: int = 1) -> UUID | None:
    place = records.Place(number, partitions)
    token = records.take(partition, place, *record, TAKEN_AT.timestamp(), FakeKeys())
    while partition.evaluate():
        pass
    return token


def stored(partition: Partition) -> dict[str, bytes]:
    """What the partition has to write."""
    changes = seal_changes(partition.take_changes(), FakeKeys().cipher)
    return {key: value for key, value in changes if value is not None}


def week(monday: date = MONDAY) -> Record:
    value = WeekClosed(taken_at=TAKEN_AT, token=TOKEN, week=monday)
    return Record(topics.MARKS.name, b"0", value.model_dump_json().encode())


def said(partition: Partition) -> list[WeekCounted | ThresholdSet]:
    found, partition.outbox = partition.outbox, []
    return found


def counted(event: WeekCounted) -> Record:
    return Record(topics.RISK_WEEKS.name, None, event.model_dump_json().encode())


def emitted(event: ThresholdSet) -> Record:
    return Record(topics.THRESHOLDS.name, None, event.model_dump_json().encode())


def with_students(partition: Partition, *students: str, agency: str | None = None) -> Partition:
    for day in DAYS:
        take(partition, school_day("A", day, instructional=True))
    for student in students:
        take(partition, consent(student, date(2016, 9, 1)))
        take(partition, enrollment(student, ("A", date(2016, 9, 8), None), agency=agency))
        take(partition, batch(*(mark(student, day, "absent", excused=False) for day in DAYS)))
    take(partition, close("A", *DAYS))
    return partition


def test_a_week_is_answered_at_once_when_nothing_is_to_be_steered() -> None:
    for partition in (a_partition(None), a_partition(signal=False), Partition(default_policy())):
        assert take(partition, week()) == TOKEN
        assert said(partition) == []


def test_the_owner_finds_the_threshold_when_every_partition_has_counted_and_each_answers_when_it_holds() -> None:
    partitions = [with_students(a_partition(), f"s{number}") for number in range(3)]
    counts: list[WeekCounted] = []
    for number, partition in enumerate(partitions):
        assert take(partition, week(), number, 3) is None
        [count] = said(partition)
        assert isinstance(count, WeekCounted)
        assert (count.partition, count.partitions, sum(count.waiting)) == (number, 3, 1)
        counts.append(count)
    owner = partitions[0]
    for count in counts[:2]:
        take(owner, counted(count))
    assert said(owner) == []
    take(owner, counted(counts[2]))
    [found] = said(owner)
    assert isinstance(found, ThresholdSet)
    assert (found.week, found.weeks, found.capacity) == (MONDAY + timedelta(days=7), 1, 2)
    assert owner.capacity_control.last == [found]
    assert [take(partition, emitted(found), number, 3) for number, partition in enumerate(partitions)] == [TOKEN] * 3


def test_two_agencies_at_one_school_have_a_threshold_each_and_the_week_is_answered_when_both_hold() -> None:
    partition = with_students(a_partition(1), "s0", "s1", "s2", agency="hope")
    with_students(partition, "t0", agency="hearth")
    assert take(partition, week()) is None
    counts = said(partition)
    assert [count.agency for count in counts] == ["hearth", "hope"]
    for count in counts:
        assert isinstance(count, WeekCounted)
        take(partition, counted(count))
    found = said(partition)
    assert all(isinstance(each, ThresholdSet) and each.capacity == 1 for each in found)
    tokens = [take(partition, emitted(each)) for each in found if isinstance(each, ThresholdSet)]
    assert tokens == [None, TOKEN]


def test_a_threshold_raises_nobody_of_another_agency_also_after_a_restart() -> None:
    partition = with_students(a_partition(), "s0", agency="hope")
    with_students(partition, "t0", agency="hearth")
    for agency in ("hope", "hearth"):
        at = -9.0 if agency == "hope" else None
        told = ThresholdSet(week=MONDAY, threshold=at, agency=agency, capacity=2, entered=0, weeks=1, token=TOKEN)
        take(partition, emitted(told))
    items = stored(partition)
    again = load_partition(items, default_policy(), CapacityControl(artifact(), 2), TAKEN_AT, FakeKeys().cipher)
    for each in (partition, again):
        levels = {name: each.alerts.turns(student)[-1].level for name, student in each.students.items()}
        assert levels == {"s0": ELEVATED, "t0": WATCH}


def test_a_week_that_is_sent_again_is_answered_again_with_the_same_threshold() -> None:
    partition = with_students(a_partition(), "s0")
    found = []
    for _ in range(2):
        assert take(partition, week()) is None
        [count] = said(partition)
        assert isinstance(count, WeekCounted)
        take(partition, counted(count))
        [threshold] = said(partition)
        assert isinstance(threshold, ThresholdSet)
        assert take(partition, emitted(threshold)) == TOKEN
        found.append(threshold)
    assert found[0] == found[1]


def test_scores_are_the_same_straight_after_a_restart() -> None:
    partition = with_students(a_partition(), "s0", "s1")
    items = stored(partition)

    again = load_partition(items, default_policy(), CapacityControl(artifact(), 2), TAKEN_AT, FakeKeys().cipher)

    assert scores_of(again) == scores_of(partition)


def test_scores_of_a_day_are_of_those_who_have_school_on_it() -> None:
    partition = with_students(a_partition(), "s0", "s1")
    take(partition, enrollment("s1", ("A", date(2016, 9, 8), DAYS[-1])))
    take(partition, school_day("A", MONDAY + timedelta(days=7), instructional=True))
    take(partition, school_day("A", MONDAY + timedelta(days=8), instructional=False))

    assert scores_of(partition).keys() == {"s0", "s1"}
    assert scores_of(partition, DAYS[-1]).keys() == {"s0", "s1"}
    assert scores_of(partition, MONDAY + timedelta(days=7)).keys() == {"s0"}
    assert scores_of(partition, MONDAY + timedelta(days=8)) == {}
    assert scores_of(partition, date(2016, 8, 31)) == {}
