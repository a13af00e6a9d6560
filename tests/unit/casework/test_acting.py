from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from services.casework.cases.acting import Actor, HeldByAnotherError, NotNowError, NotYoursError, act
from services.casework.cases.returning import due
from services.casework.cases.schemas import NewCaseAction
from services.casework.cases.states import Case
from services.platform.identity.caller import Role
from tests.cases import TODAY, a_case

NOW = datetime(2016, 12, 7, 14, tzinfo=UTC)


def by(subject: str = "ann", role: Role = "caseworker", *, receiver: str | None = None) -> Actor:
    def later(days: int) -> date:
        return TODAY + timedelta(days=days)

    return Actor(subject, role, NOW, TODAY, later, later, receiver)


def do(case: Case, action: str, who: Actor | None = None, **more: Any) -> Case:
    return act(case, NewCaseAction.model_validate({"action": action, **more}), who or by())


def test_who_takes_a_case_has_it_and_is_to_make_contact_in_three_school_days() -> None:
    taken = do(a_case(), "take")
    assert (taken.state, taken.owner, taken.waiting_since) == ("taken", "ann", None)
    assert taken.contact_by == taken.due_on == TODAY + timedelta(days=3)


def test_of_two_who_take_it_the_second_is_told_who_has_it() -> None:
    with pytest.raises(HeldByAnotherError) as held:
        do(do(a_case(), "take"), "take", by("bob"))
    assert held.value.holder == "ann"


def test_taking_what_one_has_changes_nothing() -> None:
    taken = do(a_case(), "take")
    assert do(taken, "take") is taken


@pytest.mark.parametrize("action", ["contact", "snooze", "refer", "close"])
def test_what_another_has_is_theirs_and_a_supervisor_may(action: str) -> None:
    more: dict[str, dict[str, Any]] = {
        "contact": {"result": "reached"},
        "snooze": {"until_worse": True, "reason": "away"},
        "refer": {"to": "resources"},
        "close": {"outcome": "helped"},
    }
    taken = do(a_case(), "take")
    with pytest.raises(HeldByAnotherError):
        do(taken, action, by("bob"), **more[action])
    assert do(taken, action, by("sue", "supervisor"), **more[action]) != taken


def test_acting_on_a_case_that_nobody_has_takes_it() -> None:
    reached = do(a_case(), "contact", result="reached")
    assert (reached.state, reached.owner, reached.contact_by) == ("taken", "ann", None)
    assert reached.first_contact_at == NOW


def test_any_contact_counts_and_the_first_one_stays_the_first() -> None:
    left = do(a_case(), "contact", result="left_message", kind="call")
    again = do(replace(left, first_contact_at=NOW - timedelta(days=1)), "contact", result="reached", kind="visit")
    assert again.first_contact_at == NOW - timedelta(days=1)


def test_a_snooze_needs_a_reason_and_an_end() -> None:
    for given in ({"until_worse": True}, {"reason": "on holiday"}):
        with pytest.raises(ValidationError):
            do(a_case(), "snooze", **given)
    with pytest.raises(NotNowError):
        do(a_case(), "snooze", until=TODAY, reason="on holiday")


def test_a_snoozed_case_wakes_to_its_owner_and_to_the_team_when_they_are_away() -> None:
    snoozed = do(a_case(), "snooze", until=TODAY + timedelta(days=2), reason="on holiday")
    assert snoozed.state == "snoozed"
    then = TODAY + timedelta(days=2)
    assert due(snoozed, TODAY, NOW, owner_is_away=False) is snoozed
    woken = due(snoozed, then, NOW, owner_is_away=False)
    assert (woken.state, woken.owner, woken.due_on, woken.returned) == ("taken", "ann", then, "snooze_over")
    free = due(snoozed, then, NOW, owner_is_away=True)
    assert (free.state, free.owner, free.returned, free.waiting_since) == ("new", None, "owner_away", NOW)


def test_a_case_without_a_contact_goes_back_into_the_queue_and_says_so() -> None:
    taken = do(a_case(), "take")
    assert taken.contact_by is not None
    assert due(taken, taken.contact_by, NOW, owner_is_away=False) is taken
    back = due(taken, taken.contact_by + timedelta(days=1), NOW, owner_is_away=False)
    assert (back.state, back.owner, back.returned) == ("new", None, "no_contact")
    reached = do(taken, "contact", result="not_reached")
    assert due(reached, TODAY + timedelta(days=30), NOW, owner_is_away=False) is reached


def test_a_referral_is_accepted_by_a_colleague_who_then_has_the_case() -> None:
    referred = do(a_case(), "refer", to="crisis_intervention")
    with pytest.raises(NotYoursError):
        do(referred, "accept_referral")
    accepted = do(referred, "accept_referral", by("bob"))
    assert (accepted.owner, accepted.referral_accepted) == ("bob", True)


def test_only_who_is_named_receives_a_referral() -> None:
    referred = do(a_case(), "refer", to="resources")
    with pytest.raises(NotYoursError):
        do(referred, "accept_referral", by("bob", receiver="eve"))
    assert do(referred, "accept_referral", by("eve", receiver="eve")).owner == "eve"


def test_the_steward_answers_for_the_liaison_and_does_nothing_else() -> None:
    referred = do(a_case(), "refer", to="mckinney_vento_liaison")
    with pytest.raises(NotYoursError):
        do(referred, "accept_referral", by("bob"))
    steward = by("pat", "steward")
    assert do(referred, "accept_referral", steward).owner == "ann"
    with pytest.raises(NotYoursError):
        do(referred, "take", steward)


def test_a_referral_that_is_declined_or_expires_comes_back_and_is_due() -> None:
    referred = do(a_case(), "refer", to="resources")
    declined = do(referred, "decline_referral", by("bob"))
    assert (declined.referred_to, declined.returned, declined.due_on) == (None, "referral_declined", TODAY)
    assert referred.referral_expires_on is not None
    expired = due(referred, referred.referral_expires_on + timedelta(days=1), NOW, owner_is_away=False)
    assert (expired.referred_to, expired.returned, expired.owner) == (None, "referral_expired", "ann")


def test_a_closed_case_takes_nothing_but_a_correction_of_its_outcome() -> None:
    closed = do(a_case(), "close", outcome="unreachable")
    assert (closed.state, closed.outcome, closed.ended_on) == ("closed", "unreachable", TODAY)
    for action in ("take", "contact"):
        with pytest.raises(NotNowError):
            do(closed, action, **({"result": "reached"} if action == "contact" else {}))
    assert do(closed, "close", outcome="helped").outcome == "helped"


@pytest.mark.parametrize(
    "given",
    [
        {"action": "contact"},
        {"action": "close"},
        {"action": "refer", "to": "somewhere"},
        {"action": "take", "outcome": "helped"},
        {"action": "assign"},
        {"action": "close", "outcome": "not_homeless"},
    ],
)
def test_what_does_not_fit_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        NewCaseAction.model_validate(given)
