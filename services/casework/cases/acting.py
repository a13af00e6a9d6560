"""What an action makes of a case: pure. Who may, who has it, what is due next."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final

from services.casework.cases.schemas import NewCaseAction
from services.casework.cases.states import Case
from services.platform.identity.caller import Role

CONTACT_WITHIN: Final = 3
"""School days from taking a case to the first contact; after them it goes back into the queue."""
FOLLOW_UP_AFTER: Final = 5
"""School days from a contact to the next look, unless it says when."""
REFERRAL_OPEN_FOR: Final = 5
"""Working days in which a referral is accepted or declined."""
LIAISON: Final = "mckinney_vento_liaison"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, and when."""

    subject: str
    role: Role
    now: datetime
    today: date
    school_days_on: Callable[[int], date]
    """The day that lies so many of the school's instructional days after today."""
    working_days_on: Callable[[int], date]
    """The day that lies so many working days after today."""
    receiver: str | None
    """Who receives the referral that waits, where the teams file names somebody."""


class HeldByAnotherError(Exception):
    """Somebody else has the case, or nobody."""

    def __init__(self, holder: str | None) -> None:
        super().__init__("held by another")
        self.holder = holder


class NotNowError(Exception):
    """The case is in no state in which this can be done; the message says which."""


class NotYoursError(Exception):
    """It is for somebody else to do; the message says for whom."""


def act(case: Case, given: NewCaseAction, who: Actor) -> Case:
    """The case after the action; the same case when nothing changes.

    Raises `HeldByAnotherError`, `NotNowError` or `NotYoursError`.
    """
    if given.action in {"accept_referral", "decline_referral"}:
        return _answer_referral(case, who, accepted=given.action == "accept_referral")
    if who.role == "steward":
        raise NotYoursError("A data steward accepts or declines referrals to the liaison, and nothing else.")
    if given.action == "take":
        return _take(case, who)
    if given.action == "close" and case.state == "closed":
        return replace(_held(case, who), outcome=given.outcome, ended_on=given.on or who.today)
    if case.has_ended:
        raise NotNowError(f"The case is {case.state}. A new alert of the household opens it again.")
    return _BY_ACTION[given.action](_held(case, who), given, who)


def _take(case: Case, who: Actor) -> Case:
    if case.has_ended:
        raise NotNowError(f"The case is {case.state}. A new alert of the household opens it again.")
    if case.owner == who.subject and case.state == "taken":
        return case
    if case.owner not in {None, who.subject}:
        raise HeldByAnotherError(case.owner)
    return _owned(_awake(case), who.subject, who)


def _held(case: Case, who: Actor) -> Case:
    """The case in the hands of who acts: what nobody has is taken by acting on it."""
    if case.has_ended or who.role == "supervisor" or case.owner == who.subject:
        return case if case.owner is not None or case.has_ended else _owned(case, who.subject, who)
    if case.owner is None:
        return _owned(case, who.subject, who)
    raise HeldByAnotherError(case.owner)


def _owned(case: Case, owner: str, who: Actor) -> Case:
    contact_by = who.school_days_on(CONTACT_WITHIN)
    return replace(
        case,
        state="taken",
        owner=owner,
        taken_on=who.today,
        waiting_since=None,
        returned=None,
        contact_by=contact_by,
        due_on=contact_by,
        last_contact_on=None,
    )


def _awake(case: Case) -> Case:
    return replace(case, snoozed_until=None, until_worse=False, snoozed_level=None)


def _assign(case: Case, given: NewCaseAction, who: Actor) -> Case:
    if given.to is None:
        raise NotNowError("An assignment says to whom: the subject of a colleague.")
    return _owned(_awake(case), given.to, who)


def _contact(case: Case, given: NewCaseAction, who: Actor) -> Case:
    on = given.on or who.today
    return replace(
        case,
        first_contact_at=case.first_contact_at or who.now,
        last_contact_on=max(on, case.last_contact_on or on),
        contact_by=None,
        returned=None,
        due_on=given.until or who.school_days_on(FOLLOW_UP_AFTER),
    )


def _refer(case: Case, given: NewCaseAction, who: Actor) -> Case:
    if case.referral_waits:
        raise NotNowError("It is referred already; wait for the answer, or undo the referral.")
    return replace(
        case,
        referred_to=given.referred_to,
        referred_by=who.subject,
        referral_expires_on=who.working_days_on(REFERRAL_OPEN_FOR),
        referral_accepted=False,
        contact_by=None,
        returned=None,
    )


def _snooze(case: Case, given: NewCaseAction, who: Actor) -> Case:
    if given.until is not None and given.until <= who.today:
        raise NotNowError("`until` must lie after today.")
    return replace(
        case,
        state="snoozed",
        snoozed_until=given.until,
        until_worse=bool(given.until_worse),
        snoozed_level=case.level,
        contact_by=None,
        due_on=given.until,
        returned=None,
    )


def _close(case: Case, given: NewCaseAction, who: Actor) -> Case:
    return replace(
        without_referral(_awake(case)),
        state="closed",
        waiting_since=None,
        ended_on=given.on or who.today,
        outcome=given.outcome,
        due_on=None,
        contact_by=None,
        returned=None,
    )


_BY_ACTION: Final[Mapping[str, Callable[[Case, NewCaseAction, Actor], Case]]] = {
    "assign": _assign,
    "contact": _contact,
    "refer": _refer,
    "snooze": _snooze,
    "close": _close,
}


def _answer_referral(case: Case, who: Actor, *, accepted: bool) -> Case:
    if case.has_ended or not case.referral_waits:
        raise NotNowError("No referral of this case waits for an answer.")
    if not _receives(case, who):
        whom = "the district's data steward" if case.referred_to == LIAISON else "who receives the referral"
        raise NotYoursError(f"This is for {whom} to accept or decline.")
    if not accepted:
        return replace(without_referral(case), returned="referral_declined", due_on=who.today)
    answered = replace(case, referral_accepted=True, referral_expires_on=None)
    return answered if case.referred_to == LIAISON else _owned(answered, who.subject, who)


def _receives(case: Case, who: Actor) -> bool:
    """The one whom the teams file names; where it names nobody, any colleague of who referred it."""
    if case.referred_to == LIAISON:
        return who.role == "steward" or who.subject == who.receiver
    if who.role == "steward":
        return False
    return who.subject == who.receiver if who.receiver is not None else who.subject != case.referred_by


def without_referral(case: Case) -> Case:
    """The case, referred to nobody."""
    return replace(case, referred_to=None, referred_by=None, referral_expires_on=None, referral_accepted=False)
