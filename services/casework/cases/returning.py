"""How a case comes back to who should look at it: pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Final

from services.casework.cases.acting import without_referral
from services.casework.cases.states import Case, Returned
from services.contracts.cases import Action

AS_ACTION: Final[dict[Returned, Action]] = {
    "no_contact": "returned",
    "owner_away": "returned",
    "referral_expired": "referral_expired",
}
"""What of these is told of a case's alerts."""


def waiting(case: Case, why: Returned, now: datetime) -> Case:
    """Back in the queue: nobody has it."""
    return replace(
        without_referral(case),
        state="new",
        owner=None,
        waiting_since=now,
        taken_on=None,
        contact_by=None,
        due_on=None,
        snoozed_until=None,
        until_worse=False,
        snoozed_level=None,
        returned=why,
    )


def awake(case: Case, why: Returned, today: date) -> Case:
    """In the hands of who had snoozed it, and due."""
    return replace(
        case, state="taken", snoozed_until=None, until_worse=False, snoozed_level=None, due_on=today, returned=why
    )


def due(case: Case, today: date, now: datetime, *, owner_is_away: bool) -> Case:
    """What the calendar alone makes of the case today; the same case when nothing is due."""
    if case.state == "snoozed" and case.snoozed_until is not None and case.snoozed_until <= today:
        return waiting(case, "owner_away", now) if owner_is_away else awake(case, "snooze_over", today)
    if case.referral_waits and case.referral_expires_on is not None and case.referral_expires_on < today:
        return replace(without_referral(case), returned="referral_expired", due_on=today)
    if case.state == "taken" and case.contact_by is not None and case.contact_by < today:
        return waiting(case, "no_contact", now)
    return case
