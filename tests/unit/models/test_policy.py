"""A policy that cannot be used says which rule and field is wrong."""

from __future__ import annotations

import pytest

from models.policy import LEVEL_NAMES, Household, PolicyError, default_policy, parse_policy

RULE = """
[[rules]]
id = "{id}"
kind = "streak"
level = "{level}"
days = {days}
reason = "absences in a row"
text = "{text}"
clears = "School days attended."
"""


def policy(**changes: object) -> str:
    fields = {"id": "streak", "level": "watch", "days": 3, "text": "Absent.", **changes}
    return 'version = "1"\ncalm_days = 3\n[shock]\n' + RULE.format(**fields)


def test_the_shipped_policy_has_the_levels_of_the_design() -> None:
    levels = {rule.id: getattr(rule, "level", None) for rule in default_policy().rules}
    assert levels == {
        "streak_3": "watch",
        "streak_5": "elevated",
        "streak_10": "urgent",
        "rate_10": "watch",
        "rate_20": "elevated",
        "change_30": "elevated",
        "september_4": "watch",
        "tardy_5": "watch",
        "move_2": "elevated",
        "household_2": None,
    }
    assert [rule.id for rule in default_policy().rules if getattr(rule, "always", False)] == ["streak_10"]
    assert isinstance(default_policy().rules[-1], Household)
    assert LEVEL_NAMES == ("watch", "elevated", "urgent")


def test_a_policy_of_one_rule_is_enough() -> None:
    assert parse_policy(policy()).rules[0].id == "streak"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (policy(days=0), "days"),
        (policy(level="severe"), "level"),
        (
            policy().replace('kind = "streak"', 'kind = "tardies"\ncount = 2').replace("days = 3", "days = 251"),
            "days.*250",
        ),
        (policy(text="Absent {name} days."), "text.*may use only {count}"),
        (policy(text="Absent {"), "text"),
        (policy(id="Streak 3"), "id"),
        (policy() + RULE.format(id="streak", level="watch", days=4, text="x"), "an id of its own"),
        (policy() + 'severity = "high"\n', "severity"),
        (policy().replace("calm_days = 3", "calm_days = 0"), "calm_days"),
        (policy().replace('kind = "streak"', 'kind = "guess"'), "rules.0"),
        ("version = ", "not TOML"),
        ("", "version"),
    ],
)
def test_what_is_wrong_is_said(text: str, message: str) -> None:
    with pytest.raises(PolicyError, match=message):
        parse_policy(text)
