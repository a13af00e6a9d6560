"""What the report plots agrees with the figures."""

from __future__ import annotations

import pytest

from models.backtest.curves import curves
from models.backtest.measures import measure

from .made import Row, drawn, raised, truth, week_ends


def test_at_the_teams_capacity_a_curve_meets_the_figures() -> None:
    made = drawn(11)
    ends = week_ends(*made.rows)
    found = curves(made.truth, ends, 2, {})
    figures = measure(made.truth, ends, 2, {}, {})
    points = {point.ranking: point for point in found.capacity if point.capacity == 2}
    for name in ("ten_percent", "streak_3", "rate_to_date", "absences_20"):
        precision = points[name].precision
        assert figures[name]["precision_at_capacity"] == {
            "mean": precision.rate,
            "low": precision.low,
            "high": precision.high,
        }
        assert points[name].recall == figures[name]["recall"]
    assert points["rules"].precision.rate == figures["rules"]["precision_at_capacity"]["mean"]


def test_capacities_are_steps_of_the_teams_own_each_once_and_none_is_nothing() -> None:
    found = curves(truth(1), week_ends(Row(0, 4, score=0.5)), 2, {})
    assert [point.capacity for point in found.capacity if point.ranking == "score"] == [1, 2, 3, 4, 6, 8]


def test_the_calibration_points_are_the_bins_of_the_error() -> None:
    made = drawn(11)
    ends = week_ends(*made.rows)
    points = curves(made.truth, ends, 2, {}).calibration
    error = measure(made.truth, ends, 2, {"model": raised()}, {})["model"]["calibration_error"]
    assert len(points) == 10
    assert sum(abs(point.score - (point.observed.rate or 0)) for point in points) / 10 == pytest.approx(error)
    assert all(point.observed.n > 0 for point in points)


def test_without_a_score_there_is_neither_ranking_nor_calibration() -> None:
    found = curves(truth(1), week_ends(Row(0, 4)), 2, {})
    assert found.calibration == ()
    assert {point.ranking for point in found.capacity} == {
        "rules",
        "ten_percent",
        "streak_3",
        "rate_to_date",
        "absences_20",
    }


def test_alerts_fall_in_the_week_that_ends_on_or_after_them() -> None:
    found = curves(truth(3, days=15), week_ends(), 2, {"both": raised((0, 0), (1, 4), (2, 5), (0, 14))})
    assert found.weeks[0].strategy == "both"
    assert found.weeks[0].alerts == (2, 1, 1)


def test_leads_are_sorted_one_for_each_identification_with_a_right_alert() -> None:
    made = truth(3, [(0, 40), (1, 50), (2, 60)])
    found = curves(made, week_ends(), 2, {"rules": raised((0, 20), (0, 35), (1, 49))})
    assert found.leads[0].days == (1, 20)
