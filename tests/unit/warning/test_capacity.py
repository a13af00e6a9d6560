"""The owner finds a threshold when every partition has counted its week, once, and through restarts."""

from __future__ import annotations

from datetime import date, timedelta

import msgspec
import numpy as np
import pytest

from models.artifact import Artifact
from models.capacity import NO_THRESHOLD, count_week, next_threshold
from models.engine.cohort import WeekStanding
from services.contracts.risk import ThresholdSet, WeekCounted
from services.warning.capacity import CapacityControl, StoredCapacityControl
from tests.unit.models.hand_made import artifact
from tests.unit.warning.driving import TOKEN

CAPACITY = 2
FIRST = date(2016, 9, 5)
WEEKS = [FIRST + timedelta(days=7 * n) for n in range(60)]
HIGH_AND_LOW = WeekStanding(
    now=np.array([-1.0, -6.0]),
    before=np.array([-5.0, -6.0]),
    peak=np.array([-1.0, -5.5]),
    can_enter=np.array([True, True]),
)


def capacity_control() -> CapacityControl:
    return CapacityControl(artifact(), CAPACITY)


def count(
    of: CapacityControl, week: date, students: list[WeekStanding], partition: int, partitions: int = 3
) -> WeekCounted:
    (found,) = of.count(week, {None: students}, partition=partition, partitions=partitions, token=TOKEN)
    return found


def counted(week: date, partition: int, partitions: int = 3, entered: int = 0) -> WeekCounted:
    of = capacity_control()
    for _ in range(entered):
        of.entered(None, 2016)
    return count(of, week, [HIGH_AND_LOW], partition, partitions)


def hear(owner: CapacityControl, week: date) -> ThresholdSet:
    """All three partitions count a week."""
    assert owner.take_count(counted(week, 0)) == []
    assert owner.take_count(counted(week, 2)) == []
    (found,) = owner.take_count(counted(week, 1))
    return found


def restarted(old: CapacityControl) -> CapacityControl:
    """As the table gives it back."""
    fresh = capacity_control()
    fresh.restore(stored(old), {}, 0)
    return fresh


def stored(old: CapacityControl) -> StoredCapacityControl:
    return msgspec.msgpack.decode(msgspec.msgpack.encode(old.dump()), type=StoredCapacityControl)


def test_the_threshold_is_found_when_all_have_counted() -> None:
    found = hear(capacity_control(), WEEKS[0])

    whole = count_week(0, *(np.tile(field, 3) for field in HIGH_AND_LOW))
    assert found.threshold == next_threshold([whole], 1, CAPACITY)
    assert (found.week, found.weeks, found.capacity, found.entered) == (WEEKS[1], 1, CAPACITY, 0)
    assert found.token == TOKEN


def test_counts_by_other_bins_are_refused_and_hold_up_nobody() -> None:
    owner = capacity_control()
    with pytest.raises(ValueError, match="other bins"):
        owner.take_count(counted(WEEKS[0], 1).model_copy(update={"waiting": [1]}))
    hear(owner, WEEKS[0])


def test_a_partition_that_counts_twice_is_one_partition() -> None:
    owner = capacity_control()
    owner.take_count(counted(WEEKS[0], 0))
    assert owner.take_count(counted(WEEKS[0], 0)) == []
    owner.take_count(counted(WEEKS[0], 1))

    (found,) = owner.take_count(counted(WEEKS[0], 2))

    assert found == hear(capacity_control(), WEEKS[0])


def test_a_repeat_is_told_the_same() -> None:
    owner = capacity_control()
    hear(owner, WEEKS[0])
    found = hear(owner, WEEKS[1])

    assert owner.take_count(counted(WEEKS[1], 1)) == [found]
    assert owner.take_count(counted(WEEKS[1], 1, entered=9)) == [found]


def test_a_week_before_the_last_is_not_found_again() -> None:
    owner = capacity_control()
    for week in WEEKS[:3]:
        hear(owner, week)

    assert owner.take_count(counted(WEEKS[0], 0)) == []
    assert hear(owner, WEEKS[3]).weeks == 4


@pytest.mark.parametrize("at", range(4))
def test_a_restart_at_any_place_changes_nothing(at: int) -> None:
    whole, broken = capacity_control(), capacity_control()
    hear(whole, WEEKS[0])
    hear(broken, WEEKS[0])
    found = []
    for number, partition in enumerate((1, 0, 2)):
        if number == at:
            broken = restarted(broken)
        whole_found = whole.take_count(counted(WEEKS[1], partition, entered=partition))
        found.append((broken.take_count(counted(WEEKS[1], partition, entered=partition)), whole_found))
    broken = restarted(broken)

    assert all(one == other for one, other in found)
    assert hear(broken, WEEKS[2]) == hear(whole, WEEKS[2])


def test_a_new_school_year_starts_anew() -> None:
    owner = capacity_control()
    for week in WEEKS[:30]:
        hear(owner, week)

    found = hear(owner, WEEKS[52])

    fresh = hear(capacity_control(), WEEKS[52])
    assert found.weeks == fresh.weeks == 1
    assert found.threshold == fresh.threshold


def test_new_alerts_are_counted_by_school_year() -> None:
    of = capacity_control()
    for year in (2016, 2016, 2017):
        of.entered(None, year)

    assert count(of, WEEKS[0], [], 0).entered == 2
    assert count(of, WEEKS[52], [], 0).entered == 1
    assert count(restarted(of), WEEKS[0], [], 0).entered == 2


def test_a_week_without_students_counts_nothing() -> None:
    found = count(capacity_control(), WEEKS[0], [], 1)

    assert (found.agency, found.entered, found.waiting, found.passed) == (None, 0, [], [])


def test_whoever_is_over_the_capacity_gets_no_places() -> None:
    owner = capacity_control()
    owner.take_count(counted(WEEKS[0], 0, entered=6))
    owner.take_count(counted(WEEKS[0], 1, entered=2))

    (found,) = owner.take_count(counted(WEEKS[0], 2))

    assert found.entered == 8
    assert found.threshold is None


def test_a_threshold_holds_from_its_monday_and_once() -> None:
    of = capacity_control()
    emitted = ThresholdSet(week=WEEKS[1], threshold=-2.5, capacity=CAPACITY, entered=0, weeks=1, token=TOKEN)

    assert of.take_threshold(emitted) == (0, WEEKS[1].toordinal(), NO_THRESHOLD, -2.5)
    assert of.take_threshold(emitted) is None
    assert of.thresholds[0].on(WEEKS[1].toordinal()) == -2.5
    assert of.thresholds[0].on(WEEKS[1].toordinal() - 1) == NO_THRESHOLD


def test_thresholds_survive_a_restart_weeks_without_places_too() -> None:
    of = capacity_control()
    for number, at in enumerate((-2.5, None), start=1):
        of.take_threshold(
            ThresholdSet(week=WEEKS[number], threshold=at, capacity=CAPACITY, entered=0, weeks=number, token=TOKEN)
        )

    fresh = restarted(of)

    assert fresh.thresholds[0].by_week == {WEEKS[1].toordinal(): -2.5, WEEKS[2].toordinal(): NO_THRESHOLD}


def test_another_model_scores_from_the_next_day_on_and_the_same_one_goes_on() -> None:
    first, other = artifact(1), artifact(2)
    known = {first.digest: first}
    of = CapacityControl(first, CAPACITY)
    same, new = CapacityControl(first, CAPACITY), CapacityControl(other, CAPACITY)

    same.restore(stored(of), known, 736_300)
    new.restore(stored(of), known, 736_300)

    assert _models(same) == [(0, first)]
    assert _models(new) == [(0, first), (736_300, other)]
    later = CapacityControl(first, CAPACITY)
    later.restore(stored(new), {**known, other.digest: other}, 736_400)
    assert _models(later) == [(0, first), (736_300, other), (736_400, first)]


def _models(of: CapacityControl) -> list[tuple[int, Artifact | None]]:
    return [(since.day, since.artifact) for since in of.models]


@pytest.mark.parametrize(
    "of",
    [
        CapacityControl(None, CAPACITY),
        CapacityControl(artifact(), None),
        CapacityControl(artifact(kind="none"), CAPACITY),
    ],
    ids=["no model", "no capacity", "no signal"],
)
def test_without_a_model_that_sees_something_or_a_capacity_nothing_is_steered(of: CapacityControl) -> None:
    assert not of.steers
    assert not any(of.take_count(counted(WEEKS[0], partition)) for partition in range(3))


HOPE, HEARTH = "project-hope", "hearth"
FEW = WeekStanding(*(field[:1] for field in HIGH_AND_LOW))


def week_of_two(owner: CapacityControl, week: date, *, flood: int = 0) -> dict[str | None, ThresholdSet]:
    """Two partitions: of one agency in both, of which some have entered, of the other in the second alone."""
    found = []
    for partition, students in enumerate(({HOPE: [HIGH_AND_LOW]}, {HEARTH: [FEW], HOPE: [HIGH_AND_LOW]})):
        of = capacity_control()
        for _ in range(flood):
            of.entered(HOPE, 2016)
        for told in of.count(week, students, partition=partition, partitions=2, token=TOKEN):
            assert found == []
            found += owner.take_count(told)
    assert [each.more for each in found] == [True, False]
    return {each.agency: each for each in found}


def test_each_agency_has_the_whole_capacity_over_its_own_students() -> None:
    found = week_of_two(capacity_control(), WEEKS[0])

    both = count_week(0, *(np.tile(field, 2) for field in HIGH_AND_LOW))
    assert found[HOPE].threshold == next_threshold([both], 1, CAPACITY)
    assert found[HEARTH].threshold == next_threshold([count_week(0, *FEW)], 1, CAPACITY)
    assert {each.capacity for each in found.values()} == {CAPACITY}


def test_one_agencys_flood_costs_another_no_place() -> None:
    quiet, flooded = week_of_two(capacity_control(), WEEKS[0]), week_of_two(capacity_control(), WEEKS[0], flood=50)

    assert (flooded[HOPE].threshold, flooded[HOPE].entered) == (None, 100)
    assert flooded[HEARTH] == quiet[HEARTH]


def test_agencies_are_steered_apart_through_a_restart_and_answered_again_in_order() -> None:
    owner = capacity_control()
    for week in WEEKS[:3]:
        week_of_two(owner, week, flood=1)
        owner = restarted(owner)
    found = week_of_two(owner, WEEKS[3])

    assert {each.weeks for each in found.values()} == {4}
    again = owner.take_count(counted(WEEKS[3], 0))
    assert again == [found[HOPE], found[HEARTH]]
    assert [each.more for each in again] == [True, False]


def test_a_threshold_holds_for_its_agency_alone() -> None:
    of = capacity_control()
    emitted = ThresholdSet(
        week=WEEKS[1], threshold=-2.5, agency=HOPE, capacity=CAPACITY, entered=0, weeks=1, token=TOKEN
    )
    of.take_threshold(emitted)
    fresh = restarted(of)

    for each in (of, fresh):
        found = {agency: each.thresholds[each.number(agency)].on(WEEKS[1].toordinal()) for agency in (HOPE, HEARTH)}
        assert found == {HOPE: -2.5, HEARTH: NO_THRESHOLD}


def test_an_agency_goes_on_from_what_was_steered_before_there_were_any() -> None:
    owner = capacity_control()
    owner.take_threshold(hear(owner, WEEKS[0]))
    for _ in range(2):
        owner.entered(None, 2016)
    earlier = msgspec.msgpack.decode(msgspec.msgpack.encode(owner.dump()))[:7]
    later = capacity_control()
    later.restore(msgspec.convert(earlier, StoredCapacityControl), {}, 0)

    number = later.number(HOPE)

    assert later.thresholds[number].by_week == owner.thresholds[0].by_week
    found = later.count(WEEKS[1], {HOPE: [HIGH_AND_LOW]}, partition=0, partitions=1, token=TOKEN)
    assert next(each.entered for each in found if each.agency == HOPE) == 2
    assert next(told.weeks for each in found for told in later.take_count(each) if told.agency == HOPE) == 2
