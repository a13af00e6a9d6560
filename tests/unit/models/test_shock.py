"""A shock day is far above the school's own usual, and of enough students."""

from __future__ import annotations

import pytest

from models.shock import HeadCount, ShockRule, is_shock

RULE = ShockRule()
USUAL = [0.04, 0.05, 0.06, 0.05, 0.04, 0.05]


def test_a_day_far_above_the_usual_is_a_shock() -> None:
    assert is_shock(HeadCount(60, 100, 0), USUAL, RULE)
    assert not is_shock(HeadCount(7, 100, 0), USUAL, RULE)


def test_the_floor_is_inclusive_and_absolute() -> None:
    steady = [0.25] * 6
    assert is_shock(HeadCount(35, 100, 0), steady, ShockRule(floor=0.10))
    assert not is_shock(HeadCount(34, 100, 0), steady, ShockRule(floor=0.10))


def test_a_school_that_swings_needs_more() -> None:
    swinging = [0.02, 0.20, 0.04, 0.18, 0.10, 0.12]
    assert not is_shock(HeadCount(30, 100, 0), swinging, RULE)
    assert is_shock(HeadCount(60, 100, 0), swinging, RULE)


def test_earlier_shocks_do_not_hide_a_new_one() -> None:
    assert is_shock(HeadCount(60, 100, 0), [*USUAL, 0.7, 0.8], RULE)


@pytest.mark.parametrize(
    "counts", [HeadCount(3, 5, 0), HeadCount(7, 19, 0), HeadCount(15, 19, 19), HeadCount(7, 20, 0)]
)
def test_a_few_absent_children_of_a_small_school_are_no_shock(counts: HeadCount) -> None:
    assert not is_shock(counts, USUAL, RULE)


def test_without_a_usual_the_share_alone_decides() -> None:
    assert is_shock(HeadCount(40, 100, 0), [0.05] * 4, RULE)
    assert not is_shock(HeadCount(39, 100, 0), [0.05] * 4, RULE)


def test_only_the_trailing_days_of_the_rule_are_the_usual() -> None:
    assert is_shock(HeadCount(20, 100, 0), [0.5] * 20 + [0.05] * 20, RULE)


def test_the_share_is_of_all_enrolled_when_their_number_is_known() -> None:
    assert HeadCount(20, 25, 100).rate() == 0.2
    assert HeadCount(20, 25, 0).rate() == 0.8


def test_a_file_of_absences_alone_tells_a_share_only_of_the_enrolled() -> None:
    assert HeadCount(60, 60, 0).rate() is None
    assert HeadCount(60, 60, 50).rate() is None
    assert HeadCount(60, 60, 100).rate() == 0.6
    assert HeadCount(0, 0, 0).rate() is None
    assert HeadCount(0, 0, 100).rate() == 0.0


def test_a_day_on_which_every_enrolled_student_was_absent_is_a_shock() -> None:
    assert HeadCount(100, 100, 100).rate() == 1.0
    assert is_shock(HeadCount(100, 100, 100), USUAL, RULE)
