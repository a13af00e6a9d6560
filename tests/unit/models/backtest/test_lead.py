"""How early a strategy is, before the identification and before another strategy."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from models.backtest.lead import lead_days, lead_over, quartiles

from .made import drawn, naive_leads, raised, truth


def test_the_lead_is_taken_once_for_each_identification() -> None:
    made = truth(3, [(0, 40), (1, 50), (2, 60)])
    assert lead_days(made, raised((0, 20), (0, 35), (1, 49), (2, 5))).tolist() == [20, 1]


def test_over_the_baseline_counts_its_first_place_or_the_identification() -> None:
    made = truth(4, [(0, 40), (1, 40), (2, 40), (3, 40)])
    mine = raised((0, 20), (1, 20), (2, 20))
    baseline = raised((0, 5), (1, 34), (1, 39), (2, 41), (3, 10))
    assert lead_over(made, mine, baseline).tolist() == [-15, 14, 20]


def test_over_the_baseline_counts_the_first_alert_of_the_year_however_early() -> None:
    made = truth(1, [(0, 50)])
    assert lead_over(made, raised((0, 5), (0, 40)), raised()).tolist() == [45]


def test_a_baseline_is_never_ahead_of_itself() -> None:
    made = truth(1, [(0, 40)])
    assert lead_over(made, raised((0, 20)), raised((0, 20))).tolist() == [0]


def test_quartiles_lie_between_neighbours_and_nothing_has_none() -> None:
    made = truth(4, [(student, 40) for student in range(4)])
    found = quartiles(lead_days(made, raised((3, 10), (2, 20), (1, 30), (0, 39))))
    assert found == {"q1": 7.75, "median": 15.0, "q3": 22.5}
    assert quartiles(lead_days(made, raised())) == {"q1": None, "median": None, "q3": None}


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_loops_over_the_rows_find_the_same(seed: int) -> None:
    made, baseline = drawn(seed), drawn(seed + 1).alerts
    expected = []
    for student, when, _ in naive_leads(made.truth, made.alerts):
        ours, theirs = (
            min((day for who, day in alerts if who == student), default=len(made.truth.dates))
            for alerts in (made.alerts, baseline)
        )
        if ours < when:
            expected.append(min(theirs, when) - ours)
    assert lead_over(made.truth, raised(*made.alerts), raised(*baseline)).tolist() == expected
