"""What the plain definition says of what no record can say yet: told by example."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest

from models.artifact import Artifact
from models.features import INPUTS, NO_MOVE
from models.policy import Streak, default_policy
from tests.plain.facts import Child, Facts, Row, SchoolFacts, Stay
from tests.plain.truth import Truth
from tests.unit.models.hand_made import artifact
from tests.unit.warning.worlds import FIRST, school_days

DAYS = school_days(40)
MODEL = artifact(5)
STATUS = {"P": "present", "U": "absent", "E": "absent", "T": "tardy", "R": "retracted"}


def moment(hour: int) -> datetime:
    return datetime.combine(DAYS[0], time(hour), UTC)


def row(kind: str, day: int = 0, *, section: str | None = None, recorded: int | None = None,
        as_of: int | None = None, live: bool = True, school: str = "A") -> Row:  # fmt: skip
    at, of = (None if hour is None else moment(hour) for hour in (recorded, as_of))
    return Row(school, DAYS[day], STATUS[kind], kind == "E" or None, section, at, of, live)


def attended(kinds: str) -> Child:
    """A letter a day."""
    rows = [row(kind, day) for day, kind in enumerate(kinds)]
    return Child(rows=rows, stays=[Stay("A", FIRST)], consent=(FIRST, None), year=2016)


def truth(child: Child, school: SchoolFacts | None = None, *, made: Artifact | None = None,
          thresholds: dict[date, float | None] | None = None, **others: SchoolFacts) -> Truth:  # fmt: skip
    schools = {"A": school or SchoolFacts(), **others}
    return Truth(Facts(default_policy(), schools, {"ann": child}, made, thresholds))


def codes(of: Truth) -> str:
    return "".join(day.code for day in of.days("ann"))


RETRACTIONS = {
    "the only row": ([row("U"), row("R", recorded=9)], ""),
    "at a later moment": ([row("U", recorded=9), row("R", recorded=10)], ""),
    "at an earlier moment": ([row("U", recorded=10), row("R", recorded=9)], "U"),
    "at the same moment any other row beats it": ([row("R", recorded=9), row("P", recorded=9)], "P"),
    "without a time any other row beats it": ([row("P"), row("R")], "P"),
    "said anew afterwards": ([row("U", recorded=9), row("R", recorded=10), row("T", recorded=11)], "T"),
    "of one section": ([row("U", section="1"), row("P", section="2"), row("R", section="1", recorded=9)], "P"),
    "of a section that said nothing": ([row("U", section="1"), row("R", section="2", recorded=9)], "U"),
    "of the whole day leaves the sections": ([row("U", section="1"), row("P"), row("R", recorded=9)], "U"),
    "of every section": ([row("U", section=s) for s in "12"] + [row("R", section=s, recorded=9) for s in "12"], ""),
    "of another school's row": ([row("U"), row("R", recorded=9, school="B")], "U"),
}


@pytest.mark.parametrize("name", RETRACTIONS)
def test_a_retraction_takes_back_what_was_said(name: str) -> None:
    rows, left = RETRACTIONS[name]
    child = attended("")
    for order in (rows, rows[::-1]):
        child.rows = order
        assert codes(truth(child)) == left
        closed = truth(child, SchoolFacts(closed={DAYS[0]}))
        assert codes(closed) == (left or "P")


def test_a_retraction_takes_an_alert_with_it() -> None:
    child = attended("PPUUUPPPP")
    assert [episode.raised for episode in truth(child).episodes["ann"]] == [DAYS[4]]
    child.rows.append(row("R", 3, recorded=9))
    without = truth(child)
    assert (codes(without), without.episodes["ann"]) == ("PPUUPPPP", [])
    marks = without.window("ann")["marks"]
    assert isinstance(marks, list)
    assert [mark["date"] for mark in marks] == [DAYS[day].isoformat() for day in (0, 1, 2, 4, 5, 6, 7, 8)]


MOMENTS = {
    "a later import corrects an earlier one": ([row("U", as_of=9), row("P", as_of=10)], "P"),
    "inside one import the graver": ([row("U", as_of=9), row("P", as_of=9)], "U"),
    "its own time goes before the import's": ([row("U", recorded=8, as_of=12), row("P", as_of=10)], "P"),
    "a time later than the import's": ([row("U", recorded=11), row("P", as_of=10)], "U"),
    "an import beats a row without any moment": ([row("U"), row("P", as_of=9)], "P"),
    "a retraction by a later export": ([row("U", as_of=9), row("R", as_of=10)], ""),
}


@pytest.mark.parametrize("name", MOMENTS)
def test_a_row_without_a_time_is_as_of_its_import(name: str) -> None:
    rows, left = MOMENTS[name]
    child = attended("")
    for order in (rows, rows[::-1]):
        child.rows = order
        assert codes(truth(child)) == left


def test_a_track_has_a_calendar_of_its_own() -> None:
    week = dict.fromkeys(DAYS[:5], True)
    school = SchoolFacts(calendar=dict(week), tracks={"half": {**week, DAYS[1]: False}})
    child = attended("UUUUU")
    assert codes(truth(child, school)) == "UUUUU"
    for track, left in (("half", "UUUU"), ("unheard of", "UUUUU")):
        child.stays = [Stay("A", FIRST, track=track)]
        assert codes(truth(child, school)) == left


def test_two_stays_at_one_school_may_have_two_tracks() -> None:
    even = {day: number % 2 == 0 for number, day in enumerate(DAYS)}
    school = SchoolFacts(calendar=dict.fromkeys(DAYS, True), tracks={"even": even})
    child = attended("U" * 8)
    child.stays = [Stay("A", FIRST, DAYS[3]), Stay("A", DAYS[4], track="even")]
    found = truth(child, school)
    assert [day.day for day in found.days("ann")] == [*DAYS[:4], DAYS[4], DAYS[6]]
    assert found.window("ann")["moves"] == 0


def test_a_track_of_another_year_leaves_the_schools_calendar() -> None:
    school = SchoolFacts(calendar={DAYS[0]: True, DAYS[1]: False}, tracks={"old": {date(2015, 9, 8): True}})
    child = attended("UU")
    child.stays = [Stay("A", FIRST, track="old")]
    assert codes(truth(child, school)) == "U"


def test_rules_of_rates_are_silent_where_the_calendar_is_assumed() -> None:
    child = attended("UPPPPPPPPPUUU")
    known, assumed = truth(child), truth(child, SchoolFacts(assumed=True))
    assert known.rules("ann")[DAYS[12]] == ["rate_20", "streak_3", "rate_10", "september_4"]
    assert assumed.rules("ann")[DAYS[12]] == ["streak_3", "september_4"]
    assert [turn.level for turn in assumed.turns["ann"]] == [1]
    assert assumed.window("ann")["absence_rate"] == 4 / 13


def test_a_sudden_change_is_a_rate_too() -> None:
    child = attended("P" * 30 + "UUUUU")
    assert "change_30" in truth(child).rules("ann")[DAYS[34]]
    assert "change_30" not in truth(child, SchoolFacts(assumed=True)).rules("ann")[DAYS[34]]


def test_the_model_is_silent_where_the_calendar_is_assumed() -> None:
    every_week: dict[date, float | None] = {DAYS[0] - timedelta(days=1): -99.0}
    child = attended("P" * 9 + "U" * 10)
    known = truth(child, made=MODEL, thresholds=every_week)
    assert known.turns["ann"][0].level == 2
    assumed = truth(child, SchoolFacts(assumed=True), made=MODEL, thresholds=every_week)
    assert set(assumed.scores["ann"].values()) == {None}
    assert assumed.window("ann")["risk"] is None
    assert [(turn.level, turn.hits[0].rule) for turn in assumed.turns["ann"]] == [(1, "streak_3"), (3, "streak_10")]


def test_a_place_is_not_kept_by_a_score_where_the_calendar_is_assumed() -> None:
    every_week: dict[date, float | None] = {DAYS[0] - timedelta(days=1): -99.0}
    child = attended("P" * 5)
    child.rows += [row("P", day, school="B") for day in range(5, 9)]
    child.stays = [Stay("A", FIRST, DAYS[4]), Stay("B", DAYS[5])]
    found = truth(child, made=MODEL, thresholds=every_week, B=SchoolFacts(assumed=True))
    assert [(turn.day, turn.level) for turn in found.turns["ann"]] == [(DAYS[0], 2), (DAYS[7], 0)]


def away(letters: str, *days: int) -> Child:
    """Attended, but for these days, on which nothing is shared."""
    child = attended(letters)
    child.rows = [told for told in child.rows if told.day not in {DAYS[n] for n in days}]
    child.stays = [Stay("A", FIRST), *(Stay("", DAYS[n], DAYS[n], shared=False) for n in days)]
    return child


def closed(*days: date) -> SchoolFacts:
    return SchoolFacts(closed=set(days))


def test_days_that_are_not_shared_count_nowhere_and_end_a_streak() -> None:
    found = truth(away("UUPUU", 2), closed(*DAYS[:5]))
    assert codes(found) == "UUUU"
    window = found.window("ann")
    assert (window["enrolled_days"], window["current_streak"], window["longest_streak"]) == (4, 2, 2)
    assert window["not_shared_days"] == 1
    assert [seen[INPUTS.index("streak")] for seen in found.inputs("ann").values()] == [1, 2, 1, 2]


def test_leaving_and_coming_back_are_two_moves() -> None:
    found = truth(away("PPPPUU", 2), closed(*DAYS[:6]))
    assert found.window("ann")["moves"] == 2
    assert [seen[INPUTS.index("since_move")] for seen in found.inputs("ann").values()] == [NO_MOVE, NO_MOVE, 0, 1, 2]
    assert "move_2" in found.rules("ann")[DAYS[5]]


def test_who_comes_from_where_nothing_is_shared_has_moved_once() -> None:
    child = attended("")
    child.stays = [Stay("", FIRST, DAYS[1], shared=False), Stay("A", DAYS[2])]
    found = truth(child, closed(*DAYS[:3]))
    assert (found.window("ann")["moves"], found.window("ann")["not_shared_days"]) == (1, 2)
    assert [seen[INPUTS.index("since_move")] for seen in found.inputs("ann").values()] == [0]


def test_of_who_leaves_where_days_are_shared_the_alert_is_cleared() -> None:
    found = truth(away("PUUUPP", 4), closed(*DAYS[:6]))
    assert [(turn.day, turn.level) for turn in found.turns["ann"]] == [(DAYS[3], 1), (DAYS[4], 0), (DAYS[5], 2)]
    assert [hit.rule for hit in found.turns["ann"][-1].hits] == ["move_2"]


def test_a_day_that_is_not_shared_ends_a_streak_at_its_end_too() -> None:
    window = truth(away("PUUU", 3), closed(*DAYS[:4])).window("ann")
    assert (window["current_streak"], window["longest_streak"], window["as_of"]) == (0, 2, DAYS[3].isoformat())


def test_a_day_on_which_the_shared_school_reported_nothing_ends_no_streak() -> None:
    child = away("UUPU", 2)
    assert truth(child).window("ann")["current_streak"] == 3
    open_days = {day: day != DAYS[2] for day in DAYS}
    no_school = SchoolFacts(calendar=open_days, closed=set(DAYS[:4]))
    assert truth(child, no_school).window("ann")["current_streak"] == 3
    assert truth(child, closed(*DAYS[:4])).window("ann")["current_streak"] == 1


def test_the_policy_is_the_only_source_of_numbers() -> None:
    policy = default_policy().model_copy(update={"calm_days": 1})
    facts = Facts(policy, {"A": SchoolFacts()}, {"ann": attended("PPUUUP")})
    assert [turn.day for turn in Truth(facts).turns["ann"]] == [DAYS[4], DAYS[5]]
    four = tuple(rule.model_copy(update={"days": 4}) for rule in policy.rules if isinstance(rule, Streak))
    longer = replace(facts, policy=policy.model_copy(update={"rules": four}))
    assert Truth(longer).turns["ann"] == []
