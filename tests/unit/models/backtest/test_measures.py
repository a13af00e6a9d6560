"""The JSON's strategies, on a case by hand and against plain loops."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.backtest.evidence import Truth
from models.backtest.measures import BASELINES, WALKED, Measures, baselines, measure
from models.backtest.places import candidates, fill_places

from .made import Row, changes, drawn, naive_judged, naive_leads, pairs, raised, truth, week_ends

pytestmark = pytest.mark.slow

NOTHING = week_ends()


def measured(of: Truth, *alerts: tuple[int, int], shock: list[bool] | None = None) -> Measures:
    return measure(of, NOTHING, 1, {"both": raised(*alerts, shock=shock)}, {})["both"]


def test_precision_leaves_out_what_cannot_be_judged_right_or_not() -> None:
    made = truth(4, [(0, 40), (1, 79)])
    found = measured(made, (0, 20), (2, 30), (3, 49), (1, 50), (2, 70))
    assert found["precision"] == pytest.approx(1 / 3)
    assert found["precision_at_capacity"]["mean"] == found["precision"]
    assert found["recall"] == 1.0


def test_an_alert_after_the_identification_is_not_right() -> None:
    found = measured(truth(1, [(0, 10)]), (0, 10), (0, 11))
    assert (found["precision"], found["recall"]) == (0.0, 0.0)


def test_alerts_per_week_count_every_alert_over_every_week_with_an_instructional_day() -> None:
    assert measured(truth(3), (0, 4), (1, 4), (2, 79), (0, 79))["alerts_per_week"] == 4 / 16


def test_the_shock_day_share_is_of_students() -> None:
    found = measured(truth(10), (0, 3), (0, 50), (1, 50), (2, 60), shock=[True, True, True, False])
    assert found["shock_day_share"] == 0.2


def test_changes_are_per_student_who_had_any() -> None:
    found = measure(truth(9), NOTHING, 1, {"rules": raised()}, {"rules": changes(0, 0, 3, 0, 3)})
    assert found["rules"]["changes_per_student"] == 2.5
    assert found["ten_percent"]["changes_per_student"] is None


def test_lead_over_the_ten_percent_rule_is_against_its_places_at_the_same_capacity() -> None:
    made = truth(3, [(0, 40), (1, 40)])
    ends = week_ends(Row(0, 34, rate=0.2), Row(1, 34, rate=0.1), Row(2, 34, rate=0.3))
    alerts = {"both": raised((0, 20), (1, 20))}
    assert measure(made, ends, 2, alerts, {})["both"]["lead_over_ten_percent"] == {
        "q1": 15.5,
        "median": 17.0,
        "q3": 18.5,
        "n": 2,
    }
    assert measure(made, ends, 3, alerts, {})["both"]["lead_over_ten_percent"]["median"] == 14.0
    assert set(measure(made, ends, 3, alerts, {})["ten_percent"]["lead_over_ten_percent"].values()) == {None}


def test_rules_at_capacity_are_their_ranking_and_not_all_their_alerts() -> None:
    made = truth(3, [(0, 30)])
    ends = week_ends(Row(0, 4, rule_level=3), Row(1, 4, rule_level=2))
    found = measure(made, ends, 1, {"rules": raised((0, 4), (1, 4), (2, 4))}, {})["rules"]
    assert found["precision"] == pytest.approx(1 / 3)
    assert found["precision_at_capacity"]["mean"] == 1.0


def test_without_a_model_its_figures_are_null_and_the_others_are_not() -> None:
    made = truth(12, [(0, 30)], groups={"gender": ("F",) * 12})
    found = measure(made, week_ends(Row(0, 4, rate=0.2)), 1, {"rules": raised((0, 4))}, {"rules": changes(0)})
    assert set(found) == {*WALKED, *BASELINES}
    assert found["rules"]["precision"] == found["ten_percent"]["precision"] == 1.0
    for name in ("both", "model"):
        cell = found[name]["false_alert_rate"]["gender"].pop("F")
        assert cell == {"rate": None, "low": None, "high": None, "n": 11}
        assert set(_leaves(found[name])) == {None}


def test_only_model_and_both_have_a_calibration() -> None:
    ends = week_ends(*(Row(student, 4, score=0.1, rate=0.5) for student in range(10)))
    every = {"both": raised((0, 4)), "model": raised((0, 4)), "rules": raised((0, 4))}
    found = measure(truth(10, [(0, 30)]), ends, 1, every, {})
    for name, figures in found.items():
        assert (figures["calibration_error"] is None) is (name not in {"both", "model"})
        assert (figures["top_percent"]["score"] is None) is (name not in {"both", "model"})
    assert found["both"]["calibration_error"] == pytest.approx(0.0)


def test_a_history_with_nobody_and_no_day_is_all_null() -> None:
    found = measure(truth(0, days=0), NOTHING, 1, {"both": raised(), "rules": raised()}, {})
    assert {value for figures in found.values() for value in _leaves(figures)} == {None, 0}


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 4))
def test_loops_over_the_rows_find_the_same(seed: int, capacity: int) -> None:
    made = drawn(seed)
    ends = week_ends(*made.rows)
    found = measure(made.truth, ends, capacity, {"both": raised(*made.alerts, shock=made.shock)}, {})
    json.dumps(found, allow_nan=False)
    every = {"both": made.alerts} | {name: pairs(b) for name, b in baselines(ends, capacity, 12).items()}
    for name, alerts in every.items():
        _same(found[name], made.truth, alerts)
    shocked = {student for (student, _), shock in zip(made.alerts, made.shock, strict=True) if shock}
    assert found["both"]["shock_day_share"] == len(shocked) / 12
    capped = pairs(fill_places(candidates(ends, "rules", 12), capacity, 12))
    judged = naive_judged(made.truth, capped)
    assert found["rules"]["precision_at_capacity"]["mean"] == (np.mean(judged) if judged else None)


def _same(figures: Measures, of: Truth, alerts: list[tuple[int, int]]) -> None:
    judged = naive_judged(of, alerts)
    assert figures["precision"] == (np.mean(judged) if judged else None)
    interval = figures["precision_at_capacity"]
    assert interval["mean"] == figures["precision"]
    assert not judged or interval["low"] <= interval["high"]
    leads = [lead for _, _, lead in naive_leads(of, alerts)]
    right = [lead for lead in leads if lead is not None]
    assert figures["recall"] == (pytest.approx(len(right) / len(leads)) if leads else None)
    assert figures["lead_days"]["median"] == (np.median(right) if right else None)
    assert figures["alerts_per_week"] == len(alerts) / len(of.week_ends)


def _leaves(value: object) -> list[object]:
    return [leaf for each in value.values() for leaf in _leaves(each)] if isinstance(value, dict) else [value]
