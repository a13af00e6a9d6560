"""Thresholds are steered by what has been, so that a year's new alerts are K a week."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.arrays import Floats
from models.capacity import (
    AHEAD,
    BINS,
    CATCH_UP_WEEKS,
    LOWEST,
    NO_THRESHOLD,
    NOTHING,
    PLACE_DAYS,
    RECENT_WEEKS,
    STEP,
    WEEK,
    WEEK_DAYS,
    Thresholds,
    WeekCounts,
    bins,
    count_week,
    early_weeks,
    edge,
    monday_of,
    next_threshold,
)
from models.engine.levels import KEEP

scores = st.floats(-15, 8)
rows = st.lists(st.tuples(scores, scores, scores, st.booleans()), max_size=30)
MONDAY = date(2016, 9, 5).toordinal()


def counts_of(students: list[tuple[float, float, float, bool]], entered: int = 0) -> WeekCounts:
    columns = np.array(students, dtype=np.float64).reshape(-1, 4)
    return count_week(entered, columns[:, 0], columns[:, 1], columns[:, 2], columns[:, 3] > 0)


def same(one: WeekCounts, other: WeekCounts) -> bool:
    return (
        one.entered == other.entered
        and (one.waiting == other.waiting).all()
        and bool((one.passed == other.passed).all())
    )


def place(score: float) -> int:
    return max(0, min(BINS - 1, int(bins(np.array([score]))[0])))


@given(rows)
def test_counts_are_what_plain_counting_gives(students: list[tuple[float, float, float, bool]]) -> None:
    found = counts_of(students)

    for number in range(0, BINS, 13):
        assert found.waiting[number] == sum(place(now) == number and may for now, _, _, may in students)
        assert found.passed[number] == sum(place(before) < number <= place(peak) for _, before, peak, _ in students)


@given(rows, rows, st.integers(0, 9), st.integers(0, 9))
def test_partitions_add_up(
    one: list[tuple[float, float, float, bool]], other: list[tuple[float, float, float, bool]], first: int, second: int
) -> None:
    assert same(counts_of(one, first) + counts_of(other, second), counts_of(one + other, first + second))
    assert same(counts_of(one, first) + NOTHING, counts_of(one, first))


def test_scores_off_the_grid_are_in_its_outermost_bins() -> None:
    assert bins(np.array([-99.0, LOWEST, 99.0])).tolist() == [0, 0, BINS - 1]
    assert bins(np.array([edge(n) + STEP / 2 for n in range(BINS)])).tolist() == list(range(BINS))


@given(rows, st.integers(1, 5), st.integers(0, 40), st.integers(1, 20))
def test_a_threshold_is_the_lowest_that_fits_the_places(
    students: list[tuple[float, float, float, bool]], capacity: int, entered: int, closed: int
) -> None:
    week = counts_of(students, entered)

    found = next_threshold([week], closed, capacity)

    places = min(capacity + (capacity * closed - entered) / CATCH_UP_WEEKS, AHEAD * capacity)
    if places <= 0:
        assert found == NO_THRESHOLD
        return
    at = round((found - LOWEST) / STEP) if found != NO_THRESHOLD else BINS
    expected = [week.waiting[number:].sum() + week.passed[number] for number in range(BINS)]
    assert all(count > places for count in expected[:at])
    assert at == BINS or expected[at] <= places


def test_who_took_more_than_the_places_so_far_gets_none() -> None:
    week = counts_of([(-2.0, -3.0, -2.0, True)], entered=20)

    assert next_threshold([week], closed=7, capacity=2) == NO_THRESHOLD
    assert next_threshold([week], closed=9, capacity=2) != NO_THRESHOLD


def test_no_week_is_given_more_than_two_weeks_places() -> None:
    week = counts_of([(-2.0 + n, -9.0, -2.0 + n, True) for n in range(5)])

    assert next_threshold([week], closed=30, capacity=1) > -2.0


def test_a_models_first_weeks_stand_for_those_that_are_not_there_yet() -> None:
    first = counts_of([(-8.0, -8.0, -8.0, True)] * 100)
    early = early_weeks(np.full(100, 1.0), np.where(np.arange(100) < 20, -8.0, 1.0))

    assert next_threshold([first], 1, 5) < 1.0 < next_threshold([first], 1, 5, early)
    later = [first] * (RECENT_WEEKS + 1)
    assert next_threshold(later, len(later), 5, early) == next_threshold(later, len(later), 5)


def test_the_flow_is_that_of_the_last_weeks_alone() -> None:
    calm = counts_of([(-8.0, -8.0, -8.0, True)] * 50)
    wild = counts_of([(-8.0, -8.0, 2.0, True)] * 50)
    recent = [calm] * RECENT_WEEKS

    assert next_threshold([wild, *recent], 5, 2) == next_threshold(recent, 5, 2)
    assert next_threshold([*recent[1:], wild], 5, 2) > next_threshold(recent, 5, 2)


def test_every_day_has_the_threshold_of_its_week() -> None:
    thresholds = Thresholds({MONDAY: -2.0, MONDAY + 2 * WEEK: -1.0})

    assert thresholds.on(MONDAY - 1) == NO_THRESHOLD
    assert {thresholds.on(MONDAY + n) for n in range(WEEK)} == {-2.0}
    assert {thresholds.on(MONDAY + WEEK + n) for n in range(WEEK)} == {-2.0}, "a week without one keeps the last"
    assert thresholds.on(MONDAY + 2 * WEEK) == -1.0
    assert thresholds.on(MONDAY + 9 * WEEK) == -1.0


def test_a_week_begins_on_monday() -> None:
    for n in range(20):
        day = date(2016, 9, 1) + timedelta(days=n)
        assert date.fromordinal(monday_of(day.toordinal())) == day - timedelta(days=day.weekday())


class Year:
    """Students whose scores wander, day by day; who enters stays for some days."""

    def __init__(self, seed: int, students: int = 1500, weeks: int = 36) -> None:
        random = np.random.default_rng(seed)
        level = random.normal(-6.0, 1.0, students)
        wander = np.zeros(students)
        self.scores: list[Floats] = []
        for day in range(weeks * WEEK_DAYS):
            wander = 0.93 * wander + random.normal(0, 0.45, students)
            season = 0.6 * np.sin(day / 30)
            self.scores.append(level + wander + season)

    def thresholds(self, capacity: int, until: int | None = None) -> tuple[list[float], int]:
        """Each week's threshold, and how many entered in the year."""
        students = len(self.scores[0])
        elevated, bar, entered_on = np.zeros(students, bool), np.zeros(students), np.full(students, -PLACE_DAYS)
        found, entered = [NO_THRESHOLD], 0
        weeks: list[WeekCounts] = []
        for day, now in enumerate(self.scores[:until]):
            free = ~elevated & (day - entered_on >= PLACE_DAYS)
            elevated &= (now >= bar) & (day - entered_on < PLACE_DAYS)
            enters = free & (now >= found[-1])
            elevated |= enters
            bar[enters] = np.minimum(found[-1], now[enters]) - KEEP
            entered_on[enters] = day
            entered += int(enters.sum())
            if (day + 1) % WEEK_DAYS == 0:
                before = self.scores[max(0, day - WEEK_DAYS)]
                peak = np.max(self.scores[max(0, day - WEEK_DAYS + 1) : day + 1], axis=0)
                since = day + 1 - entered_on
                may = (since >= PLACE_DAYS - WEEK_DAYS) & (~elevated | (since < PLACE_DAYS))
                weeks = [*weeks, count_week(entered, now, before, peak, may)][-RECENT_WEEKS:]
                found.append(next_threshold(weeks, (day + 1) // WEEK_DAYS, capacity))
        return found, entered


@pytest.mark.parametrize("capacity", [2, 4, 8, 15])
@pytest.mark.parametrize("seed", [1, 2])
def test_a_years_new_alerts_are_within_a_tenth_of_the_capacity(capacity: int, seed: int) -> None:
    _, entered = Year(seed).thresholds(capacity)

    assert entered == pytest.approx(36 * capacity, rel=0.1)


def test_what_comes_later_changes_no_earlier_threshold() -> None:
    year = Year(1, students=400, weeks=16)
    whole, _ = year.thresholds(3)
    for day in range(60, len(year.scores)):
        year.scores[day] = year.scores[day] + 3.0

    assert year.thresholds(3)[0][:13] == whole[:13]
    assert year.thresholds(3, until=60)[0] == whole[:13]
    assert year.thresholds(3)[0] != whole
