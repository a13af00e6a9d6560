"""Places go to the first of a ranking, K a week, and to nobody twice within the renewal."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.backtest.evidence import Raised, WeekEnds
from models.backtest.places import Ranking, candidates, fill_places
from models.capacity import PLACE_DAYS

from .made import Row, drawn, pairs, week_ends

SEEDS = st.integers(0, 2**32 - 1)
RANKINGS: tuple[Ranking, ...] = get_args(Ranking)


def filled(ends: WeekEnds, ranking: Ranking, capacity: int, students: int) -> Raised:
    return fill_places(candidates(ends, ranking, students), capacity, students)


def test_the_ten_percent_rule_takes_ten_percent_inclusive_after_ten_days() -> None:
    ends = week_ends(
        Row(0, 9, rate=0.1, days=10),
        Row(1, 9, rate=0.5, days=9),
        Row(2, 9, rate=0.0999, days=40),
        Row(3, 9, rate=3 / 30, days=30),
        Row(4, 9, rate=0.4, days=10),
    )
    places = pairs(filled(ends, "ten_percent", 5, 5))
    assert places[0] == (4, 9)
    assert sorted(places) == [(0, 9), (3, 9), (4, 9)]


def test_the_longest_streak_comes_first_and_shorter_ones_fill_what_is_left() -> None:
    ends = week_ends(Row(0, 4, streak=2), Row(1, 4, streak=3), Row(2, 4, streak=7), Row(3, 4))
    assert pairs(filled(ends, "streak_3", 2, 4)) == [(2, 4), (1, 4)]
    assert pairs(filled(ends, "streak_3", 9, 4)) == [(2, 4), (1, 4), (0, 4)]


def test_everybody_with_ten_days_is_ranked_by_rate() -> None:
    ends = week_ends(Row(0, 4, rate=0.0), Row(1, 4, rate=0.3, days=9), Row(2, 4, rate=0.05))
    assert pairs(filled(ends, "rate_to_date", 3, 3)) == [(2, 4), (0, 4)]


def test_absences_of_the_last_20_days_need_one_at_least() -> None:
    ends = week_ends(Row(0, 4, absences_20=0), Row(1, 4, absences_20=1), Row(2, 4, absences_20=9))
    assert pairs(filled(ends, "absences_20", 3, 3)) == [(2, 4), (1, 4)]


def test_rules_go_by_level_then_by_rate_and_need_watch() -> None:
    ends = week_ends(
        Row(0, 4, rule_level=1, rate=1.0),
        Row(1, 4, rule_level=2, rate=0.0),
        Row(2, 4, rule_level=1, rate=0.2),
        Row(3, 4, rule_level=0, rate=1.0),
        Row(4, 4, rule_level=2, rate=0.01),
    )
    assert pairs(filled(ends, "rules", 9, 5)) == [(4, 4), (1, 4), (0, 4), (2, 4)]


def test_without_a_model_no_score_takes_a_place() -> None:
    assert pairs(filled(week_ends(Row(0, 4), Row(1, 9)), "score", 3, 2)) == []
    assert pairs(filled(week_ends(), "score", 3, 0)) == []


def test_a_place_is_renewed_from_the_thirtieth_day_after_it() -> None:
    ends = week_ends(*(Row(0, day, score=0.5, shock=day == 34) for day in (4, 5, 33, 34, 63, 65)))
    places = filled(ends, "score", 1, 1)
    assert pairs(places) == [(0, 4), (0, 34), (0, 65)]
    assert places.shock.tolist() == [False, True, False]


def test_who_holds_a_place_leaves_the_next_to_others() -> None:
    ends = week_ends(*(Row(student, day, score=1 - student / 10) for day in (4, 9, 14) for student in range(4)))
    assert pairs(filled(ends, "score", 2, 4)) == [(0, 4), (1, 4), (2, 9), (3, 9)]


def test_ties_favour_no_position() -> None:
    students = 2000
    ends = week_ends(*(Row(student, 4, score=0.5) for student in range(students)))
    chosen = filled(ends, "score", 500, students).student
    assert abs(chosen.mean() - students / 2) < 100


@settings(max_examples=25, deadline=None)
@given(SEEDS, st.sampled_from(RANKINGS), st.integers(1, 5))
def test_places_never_exceed_the_capacity_nor_go_twice_to_one_student_within_the_renewal(
    seed: int, ranking: Ranking, capacity: int
) -> None:
    places = filled(week_ends(*drawn(seed).rows), ranking, capacity, 12)
    assert (np.diff(places.day) >= 0).all()
    assert np.bincount(places.day).max(initial=0) <= capacity
    for student in range(12):
        assert (np.diff(places.day[places.student == student]) >= PLACE_DAYS).all()


@settings(max_examples=25, deadline=None)
@given(SEEDS, st.sampled_from(RANKINGS), st.integers(1, 5))
def test_the_order_of_the_rows_within_a_week_changes_nothing(seed: int, ranking: Ranking, capacity: int) -> None:
    rows = drawn(seed).rows
    mixed = [rows[at] for at in np.random.default_rng(seed).permutation(len(rows))]
    mixed.sort(key=lambda row: row.day)
    assert pairs(filled(week_ends(*rows), ranking, capacity, 12)) == pairs(
        filled(week_ends(*mixed), ranking, capacity, 12)
    )


@settings(max_examples=25, deadline=None)
@given(SEEDS, st.integers(1, 5))
def test_numbering_the_students_otherwise_changes_only_their_numbers(seed: int, capacity: int) -> None:
    rng = np.random.default_rng(seed)
    rows = [row._replace(score=float(score)) for row, score in zip(rows_of(seed), rng.random(200), strict=False)]
    other = rng.permutation(12)
    renamed = [row._replace(student=int(other[row.student])) for row in rows]
    places = pairs(filled(week_ends(*rows), "score", capacity, 12))
    assert pairs(filled(week_ends(*renamed), "score", capacity, 12)) == [
        (int(other[student]), day) for student, day in places
    ]


def rows_of(seed: int) -> list[Row]:
    return drawn(seed).rows


@pytest.mark.parametrize("ranking", RANKINGS)
def test_every_place_is_taken_while_there_are_candidates_who_may(ranking: Ranking) -> None:
    rows = [Row(student, 4, 0.5, 0.5, 50, 5, 5, 2) for student in range(12)]
    assert len(filled(week_ends(*rows), ranking, 7, 12).day) == 7
    assert len(filled(week_ends(*rows), ranking, 70, 12).day) == 12
