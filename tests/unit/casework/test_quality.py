from __future__ import annotations

from services.casework.quality.queries import precision_of


def test_of_too_few_cases_nothing_is_said() -> None:
    assert precision_of(5, 4).model_dump() == {"value": None, "low": None, "high": None, "n": None}


def test_the_interval_holds_the_share() -> None:
    found = precision_of(6, 14)
    assert (found.value, found.n) == (0.3, 20)
    assert found.low is not None
    assert found.high is not None
    assert 0 < found.low < 0.3 < found.high < 1
