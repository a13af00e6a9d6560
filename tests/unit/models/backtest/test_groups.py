"""False alerts by group: never-identified students only, small cells without a rate."""

from __future__ import annotations

from models.backtest.bootstrap import shares
from models.backtest.evidence import Raised, Truth
from models.backtest.groups import GroupRates, cell_parts, cells, group_rates

from .made import raised, truth

GENDER = ("F",) * 12 + ("M",) * 9 + ("",) * 9


def rates(of: Truth, alerts: Raised | None) -> GroupRates:
    found = cells(of)
    return group_rates(of, found, shares(of.household, cell_parts(of, found, alerts)), known=alerts is not None)


def test_the_identified_are_left_out_and_a_student_counts_once() -> None:
    made = truth(30, [(0, 70), (1, 0)], groups={"gender": GENDER})
    found = rates(made, raised((0, 1), (2, 5), (2, 40), (3, 79)))["gender"]["F"]
    assert (found["rate"], found["n"]) == (0.2, 10)
    assert found["low"] is not None
    assert found["high"] is not None
    assert found["low"] <= 0.2 <= found["high"]


def test_a_small_cell_has_a_number_and_no_rate() -> None:
    found = rates(truth(30, groups={"gender": GENDER}), raised((15, 3)))
    assert found["gender"]["M"] == {"rate": None, "low": None, "high": None, "n": 9}


def test_the_unknown_are_no_group_and_a_group_nobody_knows_is_empty() -> None:
    found = rates(truth(30, groups={"gender": GENDER, "english_learner": ("",) * 30}), raised())
    assert list(found["gender"]) == ["F", "M"]
    assert found["english_learner"] == {}


def test_a_strategy_that_did_not_run_has_numbers_and_no_rate() -> None:
    found = rates(truth(30, groups={"gender": GENDER}), None)
    assert found["gender"]["F"] == {"rate": None, "low": None, "high": None, "n": 12}
