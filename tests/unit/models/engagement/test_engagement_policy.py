from __future__ import annotations

from importlib.resources import files

import pytest

from models.engagement.policy import parse_engagement_policy
from models.policy import PolicyError
from tests.unit.models.engagement.facts import POLICY

TEXT = files("models").joinpath("policies/engagement.toml").read_text(encoding="utf-8")


def test_each_threshold_has_a_source_and_says_its_figures_in_words() -> None:
    parts = (POLICY.attendance, POLICY.behaviour, POLICY.courses)
    assert all(part.source and part.words.endswith(".") and "{" not in part.words for part in parts)
    assert "below 90% is off track, from 90% to below 95% sliding" in POLICY.attendance.words
    assert "below 60% of its scale, and 10% of it is a full letter" in POLICY.courses.words


@pytest.mark.parametrize(
    ("was", "becomes", "said"),
    [
        ('off_track_below = "0.90"', 'off_track_below = "0.99"', "off_track_below is above sliding_below"),
        ("min_days = 10", "min_days = 0", "attendance.min_days"),
        ('version = "2026.1"', 'version = "2026.1"\nweights = 3', "weights"),
        ("min_days = 10", "min_days =", "not TOML"),
        ("{more} without", "{days} without", "goal"),
    ],
)
def test_a_policy_that_cannot_be_used_says_where(was: str, becomes: str, said: str) -> None:
    with pytest.raises(PolicyError, match=said):
        parse_engagement_policy(TEXT.replace(was, becomes, 1))
