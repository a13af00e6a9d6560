"""Which alerts came true, on edges of the horizon and against plain loops."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from models.backtest.judging import followed, identifications, judgeable, leads, never_identified

from .made import DAYS, drawn, naive_leads, naive_right, raised, truth


def test_right_is_a_later_day_at_most_thirty_after() -> None:
    made = truth(2, [(0, 40)])
    day = np.array([9, 10, 39, 40, 41], dtype=np.int32)
    assert followed(made, np.zeros(5, dtype=np.int32), day).tolist() == [False, True, True, False, False]
    assert not followed(made, np.ones(5, dtype=np.int32), day).any()


def test_an_alert_whose_horizon_passes_the_last_day_cannot_be_judged() -> None:
    assert judgeable(truth(1), np.array([0, 49, 50], dtype=np.int32)).tolist() == [True, True, False]


def test_no_alert_could_come_before_the_first_day_nor_is_one_past_the_year_looked_for() -> None:
    student, day = identifications(truth(3, [(0, 0), (1, 1), (2, DAYS)]))
    assert (student.tolist(), day.tolist()) == ([1], [1])


def test_the_earliest_right_alert_gives_the_lead_and_one_too_early_gives_none() -> None:
    made = truth(2, [(0, 40), (0, 75), (1, 5)])
    assert leads(made, raised((0, 9), (0, 12), (0, 30), (1, 5))).tolist() == [28, 0, 0]
    assert leads(made, raised((0, 10), (0, 45))).tolist() == [30, 30, 0]


def test_only_who_has_no_identification_at_all_is_never_identified() -> None:
    assert never_identified(truth(3, [(0, 0), (2, DAYS)])).tolist() == [False, True, False]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_loops_over_the_rows_find_the_same(seed: int) -> None:
    made = drawn(seed)
    alerts = raised(*made.alerts)
    assert followed(made.truth, alerts.student, alerts.day).tolist() == [
        naive_right(made.truth, *alert) for alert in made.alerts
    ]
    assert leads(made.truth, alerts).tolist() == [lead or 0 for _, _, lead in naive_leads(made.truth, made.alerts)]
