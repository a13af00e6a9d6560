from __future__ import annotations

import pytest

from services.lab.report.numbers import about_of_hundred, decimal, percent, percent_between, rest_of_hundred


@pytest.mark.parametrize(
    ("rate", "text"), [(0.1432, "14.3%"), (0.0042, "0.42%"), (0.0, "0.0%"), (1.0, "100.0%"), (None, "does not apply")]
)
def test_rates_are_percents_finer_below_one(rate: float | None, text: str) -> None:
    assert percent(rate) == text


def test_an_interval_stands_beside_its_rate_or_not_at_all() -> None:
    assert percent_between(0.143, 0.101, 0.184) == "14.3% (10.1% to 18.4%)"
    assert percent_between(0.143, None, None) == "14.3%"
    assert percent_between(None, None, None) == "does not apply"


@pytest.mark.parametrize(
    ("value", "text"), [(20, "20"), (100.0, "100"), (2.5, "2.5"), (1234567, "1,234,567"), (None, "does not apply")]
)
def test_numbers_have_no_idle_zeros(value: float | None, text: str) -> None:
    assert decimal(value) == text


@pytest.mark.parametrize(
    ("rate", "some", "rest"),
    [(0.143, "about 14", "86"), (0.002, "fewer than 1", "more than 99"), (0.0, "about 0", "100")],
)
def test_a_hundred_families_are_counted_whole(rate: float, some: str, rest: str) -> None:
    assert about_of_hundred(rate) == some
    assert rest_of_hundred(rate) == rest
