"""What the doctor says of the risk model."""

from __future__ import annotations

from services.cli.model_check import ModelInUse, judge_model


def test_a_model_in_use_is_named_with_its_origin_and_capacity() -> None:
    result = judge_model(ModelInUse(in_use=True, name="first", simulated=True, capacity=8))
    assert (result.status, result.detail) == ("ok", "first, trained on simulated data, capacity 8 a week")


def test_without_a_capacity_the_rules_levels_hold() -> None:
    result = judge_model(ModelInUse(in_use=True, name="first"))
    assert (result.status, result.detail) == ("ok", "first, no capacity, so the rules' levels hold")


def test_a_model_without_signal_says_so() -> None:
    assert "claims to see nothing" in judge_model(ModelInUse(in_use=True, name="first", signal=False)).detail


def test_without_a_model_it_fails_and_says_why() -> None:
    result = judge_model(ModelInUse(in_use=False, problem="There is no model.json."))
    assert (result.status, result.detail) == ("failed", "none, the rules go on alone: There is no model.json.")
    assert result.hint
