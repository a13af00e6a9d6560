"""Levels rise at once, fall after calm days, and siblings lift each other."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st
from models.episodes import Episode, episodes, with_household
from models.track import Hit, Turn

from models.policy import ELEVATED, NONE, URGENT, WATCH, Household
from tests.unit.models.tracks import RULES, levels_of, track_of

RULE = Household(id="household_2", kind="household", days=5, reason="two children", text="Another.", clears="Calm.")
LONG_AGO = "P" * 100
REASON = Hit("streak_3", "absences in a row", WATCH, "Absent.", (1,), None, "School.")


def episode(*turns: tuple[int, int], ended: int | None = None) -> Episode:
    return Episode(tuple(Turn(day, level, (REASON._replace(level=level),)) for day, level in turns), ended)


def levels(found: Episode) -> list[tuple[int, int]]:
    return [(turn.ordinal, turn.level) for turn in found.turns]


def test_levels_rise_at_once_and_fall_after_three_quieter_days() -> None:
    assert levels_of(LONG_AGO + "UUUPPPP")[100:] == "0011100"


def test_a_student_at_the_line_does_not_flap() -> None:
    """A day above, a day below, again and again: one episode."""
    at_the_line = "U" + "P" * 9 + "PUPPPPPPPPPU"
    track = track_of(at_the_line)
    assert [turn.level for turn in track.turns] == [WATCH]


def test_a_fall_is_to_the_highest_level_of_the_calm_days_and_says_why() -> None:
    """Five in a row (elevated); then the year's rate is 10% on the first of the three calm days alone."""
    kinds = "P" * 39 + "UUUUU" + "P" * 30
    track = track_of(kinds)
    risen, fallen, cleared = track.turns[-3:]
    assert [risen.level, fallen.level, cleared.level] == [ELEVATED, WATCH, NONE]
    assert [hit.rule for hit in fallen.hits] == ["rate_10"]


@given(st.text("PPPUUEETDQup>", min_size=1, max_size=80), st.integers(0, 20))
def test_every_turn_but_a_clearing_has_a_reason_of_its_level(kinds: str, history: int) -> None:
    before = NONE
    for turn in track_of(kinds, first=date(2016, 9, 1), history=history).turns:
        assert turn.level != before
        assert max((hit.level for hit in turn.hits), default=NONE) == turn.level
        assert all(hit.dates and max(hit.dates) <= turn.ordinal for hit in turn.hits)
        before = turn.level


def test_a_shock_day_raises_nobody() -> None:
    assert levels_of(LONG_AGO + "UUuP")[100:] == "0000"
    assert levels_of(LONG_AGO + "UUuU")[100:] == "0001"
    assert levels_of(LONG_AGO + "UUUuU")[100:] == "00112"


@given(st.text("PPPPUUEETDQup", min_size=10, max_size=60), st.sampled_from("up"), st.text("PDQ", max_size=12))
def test_a_shock_day_raises_nobody_by_itself_on_the_days_after_either(before: str, shock: str, after: str) -> None:
    snowed = [int(level) for level in levels_of(before + shock + after)[len(before) - 1 :]]
    spared = [int(level) for level in levels_of(before + after)[len(before) - 1 :]]
    assert snowed[1] <= snowed[0]
    for number in range(1, len(after) + 1):
        if snowed[number + 1] > snowed[number]:
            assert spared[number] >= snowed[number + 1]


def test_what_is_first_judged_on_a_shock_day_waits_for_the_next() -> None:
    assert levels_of("UPPPPPPPPpP") == "0" * 11
    assert levels_of("UPUPPPPPPpP") == "0" * 10 + "1"
    assert levels_of("P" * 60 + "UUUuU", history=63)[63:] == "02"


def test_a_history_decides_on_the_days_after_it_alone() -> None:
    assert levels_of("PUUUUUPPPPPPPPPPPP", history=18) == "0" * 18
    assert levels_of("P" * 60 + "UUUP", history=63) == "0" * 64, "the streak was over by the last day"
    assert levels_of("P" * 60 + "UUU", history=62) == "0" * 62 + "1"


def test_turns_are_cut_into_episodes() -> None:
    raised, risen, cleared, again = Turn(1, WATCH, ()), Turn(3, ELEVATED, ()), Turn(9, NONE, ()), Turn(12, WATCH, ())
    assert episodes([raised, risen, cleared, again]) == [Episode((raised, risen), 9), Episode((again,), None)]
    assert episodes([]) == []


def test_the_level_of_a_day_is_that_of_the_last_turn_before_it() -> None:
    found = episode((5, WATCH), (8, ELEVATED), ended=12)
    assert [found.level_on(day) for day in (4, 5, 7, 8, 11, 12)] == [NONE, WATCH, WATCH, ELEVATED, ELEVATED, NONE]


def test_two_children_within_five_days_lift_each_other() -> None:
    ours, theirs = episode((10, WATCH)), episode((15, WATCH))
    assert levels(with_household([ours], [theirs], RULE)[0]) == [(10, WATCH), (15, ELEVATED)]
    assert levels(with_household([theirs], [ours], RULE)[0]) == [(15, ELEVATED)]
    assert with_household([ours], [episode((16, WATCH))], RULE) == [ours]


def test_the_lift_ends_with_the_siblings_alert() -> None:
    lifted = with_household([episode((10, WATCH))], [episode((12, WATCH), ended=20)], RULE)[0]
    assert levels(lifted) == [(10, WATCH), (12, ELEVATED), (20, WATCH)]
    assert [hit.rule for hit in lifted.turns[1].hits] == ["streak_3", "household_2"]
    assert [hit.rule for hit in lifted.turns[2].hits] == ["streak_3"]


def test_a_siblings_alert_that_was_over_lifts_nobody() -> None:
    ours = episode((15, WATCH))
    assert with_household([ours], [episode((10, WATCH), ended=15)], RULE) == [ours]


def test_nothing_is_above_urgent_and_a_sibling_alone_raises_nobody() -> None:
    lifted = with_household([episode((10, URGENT))], [episode((12, WATCH))], RULE)[0]
    assert levels(lifted) == [(10, URGENT)]
    assert with_household([], [episode((12, WATCH))], RULE) == []


def test_the_policys_household_rule_is_the_one_used() -> None:
    assert RULES.household is not None
    assert RULES.household.days == 5
