"""A case as it stands, and its words."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Final, Literal
from uuid import UUID

from services.contracts.alerts import Level
from services.contracts.cases import CaseOutcome, ReferredTo

CaseState = Literal["new", "taken", "snoozed", "closed", "cleared", "withdrawn"]
"""`cleared`: attendance recovered before anybody took it; `withdrawn`: a correction undid it."""
ENDED: Final[frozenset[CaseState]] = frozenset({"closed", "cleared", "withdrawn"})

Returned = Literal[
    "no_contact", "snooze_over", "worse", "owner_away", "referral_declined", "referral_expired", "reopened"
]
"""Why a case came back to who should look at it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A row of `casework.cases`."""

    id: UUID
    agency: str | None
    family: str | None
    school_id: str | None
    level: Level | None
    state: CaseState
    version: int
    opened_on: date
    ended_on: date | None
    waiting_since: datetime | None
    owner: str | None
    taken_on: date | None
    contact_by: date | None
    first_contact_at: datetime | None
    last_contact_on: date | None
    due_on: date | None
    snoozed_until: date | None
    until_worse: bool
    snoozed_level: Level | None
    referred_to: ReferredTo | None
    referred_by: str | None
    referral_expires_on: date | None
    referral_accepted: bool
    returned: Returned | None
    outcome: CaseOutcome | None

    @property
    def has_ended(self) -> bool:
        """Whether nothing is to be done about it any more."""
        return self.state in ENDED

    @property
    def referral_waits(self) -> bool:
        """Whether somebody is to accept it or decline."""
        return self.referred_to is not None and not self.referral_accepted


COLUMNS: Final = tuple(field.name for field in fields(Case))
"""As the table has them."""
FOLLOWED: Final = frozenset({"id", "agency", "family", "school_id", "level", "version", "opened_on"})
"""What follows from alerts, or never changes: no undoing touches it."""
