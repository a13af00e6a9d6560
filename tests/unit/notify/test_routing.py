from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from services.contracts.alerts import LEVELS, AlertEvent, Level
from services.notify.case_states import CaseStates
from services.notify.routing import Notify, Retract
from services.platform.teams import Teams
from tests.alert_events import event

TEAMS = Teams.model_validate(
    {
        "default": {"name": "Hope", "recipients": ["a@hope.example"]},
        "teams": [
            {"name": "High", "schools": ["high"], "recipients": ["b@hope.example"], "lowest_level": "elevated"},
            {"name": "Other", "schools": ["other"], "recipients": ["c@hope.example"]},
        ],
    }
)


def notified(*events: AlertEvent) -> list[tuple[str, str, str]]:
    """What is done about the last of these events, the others having been taken before."""
    book = CaseStates([], {})
    for each in events[:-1]:
        book.take(each, TEAMS)
    return [words(action) for action in book.take(events[-1], TEAMS)]


def words(action: Notify | Retract) -> tuple[str, str, str]:
    what = "notify" if isinstance(action, Notify) else "withdraw" if action.notify else "cancel"
    return what, action.alert.student, action.alert.level


def changed(
    student: str,
    level: Level,
    seq: int,
    *,
    school_id: str = "burke",
    household: str | None = None,
    superseded: bool = False,
) -> AlertEvent:
    return event(
        student,
        "AlertLevelChanged",
        level,
        seq=seq,
        school_id=school_id,
        household=household,
        superseded=superseded,
    )


def test_a_raised_alert_is_told() -> None:
    assert notified(event("s")) == [("notify", "s", "watch")]


def test_below_the_teams_lowest_level_nobody_is_told_and_above_it_they_are() -> None:
    raised = event("s", school_id="high")
    assert notified(raised) == []
    assert notified(raised, changed("s", "elevated", 2, school_id="high")) == [("notify", "s", "elevated")]


def test_a_fall_is_told_while_it_stays_at_or_above_the_lowest_level() -> None:
    raised = event("s", level="urgent", school_id="high")
    fallen = changed("s", "elevated", 2, school_id="high")
    assert notified(raised, fallen) == [("notify", "s", "elevated")]
    assert notified(raised, fallen, changed("s", "watch", 3, school_id="high")) == []


def test_a_rise_after_a_fall_below_the_lowest_level_is_told_again() -> None:
    steps = [event("s", level="elevated", school_id="high"), changed("s", "watch", 2, school_id="high")]
    assert notified(*steps, changed("s", "elevated", 3, school_id="high")) == [("notify", "s", "elevated")]


def test_amended_cleared_and_superseded_events_tell_nobody() -> None:
    assert notified(event("s"), event("s", "AlertAmended", seq=2)) == []
    assert notified(event("s"), event("s", "AlertCleared", seq=2)) == []
    assert notified(event("s", superseded=True)) == []
    assert notified(event("s", superseded=True), changed("s", "elevated", 2)) == [("notify", "s", "elevated")]


def test_a_level_that_came_and_went_within_one_evaluation_is_not_told_again() -> None:
    assert notified(event("s"), changed("s", "urgent", 2, superseded=True), changed("s", "watch", 3)) == []


def test_an_event_seen_before_and_an_older_one_tell_nobody() -> None:
    assert notified(event("s"), event("s")) == []
    assert notified(changed("s", "urgent", 5), changed("s", "elevated", 4)) == []


def test_a_second_sibling_at_the_same_level_is_not_told_and_at_a_higher_one_is() -> None:
    first = event("a", household="h")
    assert notified(first, event("b", household="h")) == []
    assert notified(first, event("b", level="elevated", household="h")) == [("notify", "b", "elevated")]


def test_a_sibling_at_a_lower_level_is_not_told() -> None:
    assert notified(event("a", level="urgent", household="h"), event("b", household="h")) == []


def test_when_the_higher_sibling_falls_the_one_that_now_leads_is_told() -> None:
    steps = [event("a", level="urgent", household="h"), event("b", level="elevated", household="h")]
    assert notified(*steps, changed("a", "watch", 2, household="h")) == [("notify", "b", "elevated")]


def test_a_cleared_sibling_leaves_what_stands_known() -> None:
    steps = [event("a", level="urgent", household="h"), event("b", household="h")]
    cleared = event("a", "AlertCleared", "urgent", seq=2, household="h")
    assert notified(*steps, cleared) == []
    assert notified(*steps, cleared, changed("b", "elevated", 2, household="h")) == [("notify", "b", "elevated")]


def test_each_team_hears_of_its_own_school_in_one_household() -> None:
    assert notified(event("a", household="h"), event("b", household="h", school_id="other")) == [
        ("notify", "b", "watch")
    ]


def test_a_new_episode_after_a_cleared_one_is_told() -> None:
    again = event("s", raised_on=event("s").raised_on.replace(month=11))
    assert notified(event("s"), event("s", "AlertCleared", seq=2), again) == [("notify", "s", "watch")]


def test_a_correction_withdraws_and_a_school_that_is_not_shared_any_more_only_cancels() -> None:
    gone = event("s", "AlertWithdrawn", seq=2, because="correction")
    assert notified(event("s"), gone) == [("withdraw", "s", "watch")]
    ended = event("s", "AlertWithdrawn", seq=2, because="not_shared")
    assert notified(event("s"), ended) == [("cancel", "s", "watch")]


def test_a_sibling_folded_into_a_withdrawn_alert_is_told_then() -> None:
    steps = [event("a", household="h"), event("b", household="h")]
    gone = event("a", "AlertWithdrawn", seq=2, because="correction", household="h")
    assert notified(*steps, gone) == [("withdraw", "a", "watch"), ("notify", "b", "watch")]
    ended = event("a", "AlertWithdrawn", seq=2, because="not_shared", household="h")
    assert notified(*steps, ended) == [("cancel", "a", "watch"), ("notify", "b", "watch")]


def test_a_withdrawn_sibling_that_nobody_was_told_of_changes_nothing_for_the_other() -> None:
    steps = [event("a", household="h"), event("b", household="h")]
    gone = event("b", "AlertWithdrawn", seq=2, because="correction", household="h")
    assert notified(*steps, gone) == [("withdraw", "b", "watch")]


def test_a_student_who_moves_to_another_teams_school_is_told_there() -> None:
    moved = event("s", "AlertAmended", seq=2, school_id="other")
    assert notified(event("s"), moved) == [("notify", "s", "watch")]
    assert notified(event("s"), event("s", "AlertAmended", seq=2, school_id="another")) == []


def test_a_household_learnt_later_is_no_news_to_the_same_team() -> None:
    known = event("s", "AlertAmended", seq=2, household="h")
    assert notified(event("s"), known) == []
    assert notified(event("s"), known, event("b", household="h")) == []


levels = st.sampled_from(LEVELS)


@given(st.lists(levels, min_size=1, max_size=12), st.data())
def test_replaying_any_part_of_a_life_tells_nothing_new(path: Sequence[Level], data: st.DataObject) -> None:
    life = [event("s", level=path[0]), *(changed("s", level, seq) for seq, level in enumerate(path[1:], start=2))]
    book = CaseStates([], {})
    once = [words(action) for each in life for action in book.take(each, TEAMS)]
    again = data.draw(st.lists(st.sampled_from(life), max_size=20))
    assert not [action for each in again for action in book.take(each, TEAMS)]
    assert [level for _, _, level in once] == [
        level for before, level in zip([None, *path], path, strict=False) if before != level
    ]


def erased(*events: AlertEvent, student: str) -> tuple[CaseStates, list[tuple[str, str, str]]]:
    """What is done when the student of some of these alerts is erased, and what is known then."""
    book = CaseStates([], {})
    for each in events:
        book.take(each, TEAMS)
    _, actions = book.erase(student, TEAMS)
    return book, [words(action) for action in actions]


def test_a_sibling_folded_into_an_erased_alert_is_told_then() -> None:
    book, done = erased(event("a", level="elevated", household="h"), event("b", household="h"), student="a")
    assert done == [("notify", "b", "watch")]
    assert [words(each) for each in book.take(event("b", "AlertWithdrawn", seq=2, household="h"), TEAMS)] == [
        ("withdraw", "b", "watch")
    ]


def test_an_erased_sibling_that_nobody_was_told_of_changes_nothing_for_the_other() -> None:
    _, done = erased(event("a", household="h"), event("b", household="h"), student="b")
    assert done == []


def test_below_the_teams_lowest_level_the_sibling_of_an_erased_one_is_not_told() -> None:
    told = event("a", level="urgent", household="h", school_id="high")
    _, done = erased(told, event("b", household="h", school_id="high"), student="a")
    assert done == []


def test_what_was_heard_by_an_erased_alert_that_was_cleared_is_forgotten() -> None:
    told = event("a", household="h")
    higher = event("b", level="urgent", household="h", superseded=True)
    cleared = event("a", "AlertCleared", seq=2, household="h")
    _, done = erased(told, higher, cleared, student="a")
    assert done == [("notify", "b", "urgent")]


siblings = st.builds(
    event,
    st.sampled_from("abc"),
    st.sampled_from(("AlertRaised", "AlertLevelChanged", "AlertAmended", "AlertCleared", "AlertWithdrawn")),
    levels,
    seq=st.integers(1, 6),
    household=st.sampled_from((None, "h", "k")),
    school_id=st.sampled_from(("burke", "high", "other")),
    superseded=st.booleans(),
)


@given(st.lists(siblings, max_size=15))
def test_after_an_erasure_nothing_is_known_by_the_student_and_what_stands_is_heard_of_no_higher_than_it_is(
    life: list[AlertEvent],
) -> None:
    book, done = erased(*life, student="a")
    assert all(student != "a" for _, student, _ in done)
    assert all(alert.student != "a" for alert in book.alerts.values())
    assert book.erase("a", TEAMS) == (0, [])
    for case, notified in book.notified.items():
        others = [alert for alert in book.alerts.values() if alert.is_open and alert.case == case]
        assert others
        assert notified.alert_id in book.alerts
