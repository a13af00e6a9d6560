"""Each rule of the shipped policy holds at its threshold and not below it."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.engine.rules import ALWAYS, Rules
from models.policy import parse_policy
from tests.unit.models.engine import plain
from tests.unit.models.tracks import OCTOBER, RULES, days_of, hits_of, rules_of, track_of

SEPTEMBER = date(2016, 9, 1)
LONG_AGO = "P" * 100


@pytest.mark.parametrize(
    ("kinds", "rule", "holds"),
    [
        ("PUUU", "streak_3", True),
        ("PUU", "streak_3", False),
        ("UUPU", "streak_3", False),
        (LONG_AGO + "UUUUU", "streak_5", True),
        (LONG_AGO + "UUUU", "streak_5", False),
        (LONG_AGO + "U" * 10, "streak_10", True),
        (LONG_AGO + "U" * 9, "streak_10", False),
        ("U" + "P" * 9, "rate_10", True),
        ("U" + "P" * 8, "rate_10", False),
        ("U" + "P" * 10, "rate_10", False),
        ("E" + "P" * 9, "rate_10", True),
        ("UPPPPUPPPP", "rate_20", True),
        ("UPPPPUPPPPP", "rate_20", False),
        ("P" * 40 + "UUPUPPPPUP", "change_30", True),
        ("P" * 40 + "UUPUPPPPPP", "change_30", False),
        (LONG_AGO + "TTTTTPPPPP", "tardy_5", True),
        (LONG_AGO + "TTTTPPPPPP", "tardy_5", False),
        (LONG_AGO + "TTTTTPPPPPP", "tardy_5", False),
        (LONG_AGO + ">PUPPU", "move_2", True),
        (LONG_AGO + ">PUPPP", "move_2", False),
        (LONG_AGO + "PUPPU", "move_2", False),
        (LONG_AGO + "UU>PPPPPPPP", "move_2", True),
        (LONG_AGO + "UU>PPPPPPPPP", "move_2", False),
    ],
)
def test_a_rule_holds_at_its_threshold_and_not_below(kinds: str, rule: str, holds: bool) -> None:
    assert (rule in rules_of(kinds)) is holds


@pytest.mark.slow
def test_exactly_ten_percent_is_chronic_at_every_length() -> None:
    for tens in range(1, 18):
        exact = "U" * tens + "P" * (9 * tens)
        assert "rate_10" in rules_of(exact, first=SEPTEMBER)
        assert "rate_10" not in rules_of(exact + "P", first=SEPTEMBER)


@pytest.mark.slow
def test_exactly_twenty_percent_is_severe_at_every_length() -> None:
    for fives in range(2, 30):
        exact = "U" * fives + "P" * (4 * fives)
        assert "rate_20" in rules_of(exact, first=SEPTEMBER)
        assert "rate_20" not in rules_of(exact + "P", first=SEPTEMBER)


def test_nine_days_enrolled_are_not_judged_by_rate() -> None:
    assert not rules_of("UPPPPPUPP") & {"rate_10", "rate_20"}


def test_four_absences_in_september_are_said_until_the_end_of_october() -> None:
    september = "UPUPUPUPPPPPPPPPPPPPPP"
    assert "september_4" in rules_of(september, first=SEPTEMBER)
    assert "september_4" not in rules_of("UPUPUPEPPPPPPPPPPPPPPP", first=SEPTEMBER)
    october = september + "P" * 21
    assert days_of(october, first=SEPTEMBER)[-1].ordinal == date(2016, 10, 31).toordinal()
    assert "september_4" in rules_of(october, first=SEPTEMBER)
    assert "september_4" not in rules_of(october + "P", first=SEPTEMBER)


def test_absences_outside_september_are_not_septembers() -> None:
    assert "september_4" not in rules_of("UPUPUPUPUPUPU", first=OCTOBER)


@pytest.mark.parametrize("neutral", ["E", "u", "p", "e"])
def test_an_excused_or_shock_day_neither_breaks_nor_extends_a_streak(neutral: str) -> None:
    assert "streak_3" not in rules_of("PUU" + neutral)
    assert "streak_3" in rules_of("PUU" + neutral + "U")
    assert "streak_3" in rules_of("PUUU" + neutral)
    assert "streak_3" not in rules_of("PU" + neutral + "P" + "UU")


@pytest.mark.parametrize("neutral", ["E", "u", "p"])
def test_an_excused_or_shock_day_moves_no_rate_of_ten_days(neutral: str) -> None:
    """Four of the last ten after 35 days are 28.6 points above the usual; nine of them alone would be 32.7."""
    kinds = "P" * 26 + "UUPUPPPUP"
    assert "change_30" not in rules_of(kinds)
    assert "change_30" not in rules_of(kinds + neutral)
    assert "change_30" in rules_of("P" * 36 + "UUPUPPPUP" + neutral)


@pytest.mark.parametrize("neutral", ["E", "u", "t"])
def test_excused_and_shock_days_are_no_absences_of_the_other_rules(neutral: str) -> None:
    assert "move_2" not in rules_of(LONG_AGO + ">PU" + neutral * 3)
    assert "tardy_5" not in rules_of(LONG_AGO + "TTTT" + "t")
    assert "september_4" not in rules_of("UPUPUP" + neutral, first=SEPTEMBER)


def test_a_shock_absence_alone_lifts_nobody_over_the_ten_percent_line() -> None:
    almost = "U" + "P" * 15
    assert "rate_10" not in rules_of(almost + "u")
    assert "rate_10" not in rules_of(almost + "uPP")
    assert "rate_10" in rules_of(almost + "uU"), "the next ordinary absence is judged by the definition"


def test_a_shock_absence_does_not_end_a_chronic_absence_that_stands() -> None:
    judged = "P" * 9 + "u" + "P" * 10 + "UU" + "P"
    assert "rate_10" in rules_of(judged)
    assert "rate_10" in rules_of(judged + "u")


def test_reasons_say_the_dates_the_usual_and_what_clears_it() -> None:
    hits = {hit.rule: hit for hit in hits_of(track_of("P" * 40 + "UUUUU"))}
    streak = hits["streak_5"]
    assert [date.fromordinal(day) for day in streak.dates] == [date(2016, 11, d) for d in (28, 29, 30)] + [
        date(2016, 12, d) for d in (1, 2)
    ]
    assert streak.text == "Absent 5 school days in a row without an excuse, 28 Nov to 2 Dec."
    assert streak.usual == "11% of days, over the last 45 that count"
    assert streak.clears
    assert [hit.level for hit in hits.values()] == sorted((hit.level for hit in hits.values()), reverse=True)
    assert hits["change_30"].text.startswith("Absent 5 of the last 10 days that count (50%)")


def test_the_evidence_of_a_change_passes_over_days_that_do_not_count() -> None:
    track = track_of("P" * 40 + "UUEPUPPPUPE")
    change = next(hit for hit in hits_of(track) if hit.rule == "change_30")
    assert len(change.dates) == 4
    assert "4 of the last 10 days" in change.text


@given(st.text("PPPUETDQup>", min_size=1, max_size=60).filter(lambda kinds: kinds.strip(">")))
@pytest.mark.slow
def test_a_day_that_is_passed_over_as_quiet_would_have_raised_nobody(kinds: str) -> None:
    track = track_of(kinds, first=SEPTEMBER)
    days = track.days
    expected = [plain.assessed(RULES.policy, days[: n + 1]) for n in range(len(days))]
    assert [(level % ALWAYS, level // ALWAYS) for level in track.rule_levels] == expected


def test_thresholds_come_from_the_policy() -> None:
    text = """
version = "1"
calm_days = 1
[shock]
[[rules]]
id = "two"
kind = "streak"
level = "urgent"
days = 2
reason = "absences in a row"
text = "{count} in a row"
clears = "School."
[[rules]]
id = "third"
kind = "rate_to_date"
level = "watch"
rate = "1/3"
min_days = 3
reason = "share"
text = "{rate}"
clears = "School."
"""
    rules = Rules(parse_policy(text), 2016)
    assert rules.policy.rules[1].rate == Fraction(1, 3)  # type: ignore[union-attr]
    assert [hit.rule for hit in hits_of(track_of("PUU", rules=rules))] == ["two", "third"]
    assert [hit.rule for hit in hits_of(track_of("PUP", rules=rules))] == ["third"]
