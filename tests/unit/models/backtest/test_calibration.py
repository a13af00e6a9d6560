"""Scores against what came true, ties and all."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.backtest.calibration import calibration_error, equal_bins, scored, top_percent

from .made import Drawn, Row, drawn, naive_right, truth, week_ends

pytestmark = pytest.mark.slow


def test_ten_bins_of_one_score_each() -> None:
    made = truth(10, [(9, 14), (0, 9)])
    ends = week_ends(*(Row(student, 9, score=student / 10) for student in range(10)))
    judged = scored(made, ends)
    bins = equal_bins(judged)
    assert [each.score for each in bins] == pytest.approx([student / 10 for student in range(10)])
    assert [each.observed for each in bins] == pytest.approx([0] * 9 + [1])
    assert calibration_error(judged) == pytest.approx((sum(range(9)) / 10 + 0.1) / 10)


def test_a_tie_across_an_edge_is_shared_whatever_the_order_of_rows() -> None:
    made = truth(20, [(student, 14) for student in range(5)])
    ends = week_ends(*(Row(student, 9, score=0.25) for student in range(20)))
    assert calibration_error(scored(made, ends)) == pytest.approx(0)
    top = top_percent(scored(made, ends))
    assert (top["score"], top["observed"]) == pytest.approx((0.25, 0.25))


def test_the_top_percent_is_the_highest_scores() -> None:
    made = truth(200, [(199, 14), (50, 14)])
    ends = week_ends(*(Row(student, 9, score=student / 1000) for student in range(200)))
    assert top_percent(scored(made, ends)) == pytest.approx({"score": 0.1985, "observed": 0.5})


def test_weeks_without_a_whole_horizon_and_students_without_a_score_are_left_out() -> None:
    ends = week_ends(Row(0, 49, score=0.5), Row(1, 49), Row(0, 50, score=0.5))
    assert scored(truth(2), ends).student.tolist() == [0]


def test_no_score_has_no_calibration() -> None:
    judged = scored(truth(1), week_ends(Row(0, 4)))
    assert equal_bins(judged) == []
    assert calibration_error(judged) is None
    assert top_percent(judged) == {"score": None, "observed": None}


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_loops_over_the_rows_find_the_same(seed: int) -> None:
    made = drawn(seed)
    judged = scored(made.truth, week_ends(*made.rows))
    error, top = naive(made)
    assert calibration_error(judged) == pytest.approx(error)
    assert list(top_percent(judged).values()) == pytest.approx(top)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_order_of_the_rows_changes_nothing(seed: int) -> None:
    made = drawn(seed)
    mixed = [made.rows[at] for at in np.random.default_rng(seed).permutation(len(made.rows))]
    error = calibration_error(scored(made.truth, week_ends(*mixed)))
    assert error == pytest.approx(calibration_error(scored(made.truth, week_ends(*made.rows))))


def naive(made: Drawn) -> tuple[float, list[float]]:
    """Every score cut into a hundred parts, each with the mean outcome of all that tie; then dealt by rank."""
    rows = sorted(
        (row.score, naive_right(made.truth, row.student, row.day))
        for row in made.rows
        if row.day + 30 < len(made.truth.dates)
    )
    parts = []
    for score, _ in rows:
        tied = [right for other, right in rows if other == score]
        parts += [(score, sum(tied) / len(tied))] * 100
    bins = np.array(parts).reshape(10, -1, 2).mean(axis=1)
    top = np.array(parts[-len(rows) :]).mean(axis=0)
    return float(np.abs(bins[:, 0] - bins[:, 1]).mean()), top.tolist()
