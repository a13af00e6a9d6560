"""`case.actions.v1`, key the alert's id: what people did about an alert. Closings are the model's future labels."""

from __future__ import annotations

from datetime import date
from typing import Final, Literal, Self, get_args
from uuid import UUID

from pydantic import AwareDatetime, model_validator

from services.contracts.base import Event

CaseOutcome = Literal[
    "helped",
    "already_known",
    "not_at_risk",
    "unreachable",
    "moved_away",
    "homelessness_identified",
    "housing_crisis",
]
"""How a case ends."""
CASE_OUTCOMES: Final[tuple[CaseOutcome, ...]] = get_args(CaseOutcome)
Outcome = Literal[CaseOutcome, "not_homeless", "could_not_reach", "other"]
"""How an alert's case ended, as it is said now or was before there were cases."""
HOUSING_OUTCOMES: Final[frozenset[Outcome]] = frozenset({"homelessness_identified", "housing_crisis"})
"""Those that say of a family that it has lost its home or is about to."""
IN_NEED: Final[frozenset[Outcome]] = HOUSING_OUTCOMES | {"helped"}
"""Those that say that the alert was right: there was something to help with."""
NO_NEED: Final[frozenset[Outcome]] = frozenset({"not_at_risk", "not_homeless"})
"""Those that say that it was wrong. All others say neither: a family that was known already, moved away or was not
reached."""

StepAction = Literal["taken", "snoozed", "contacted"]
ReferralStep = Literal["referred", "referral_accepted", "referral_declined", "referral_expired"]
Action = Literal[StepAction, "closed", "assigned", "returned", "undone", ReferralStep]
"""`returned`: nobody has it any more; `undone`: the action named in `undoes` never was."""
ReferredTo = Literal["crisis_intervention", "resources", "organizing_support", "mckinney_vento_liaison"]
ContactResult = Literal["reached", "not_reached", "left_message"]
ContactKind = Literal["call", "text", "email", "letter", "visit", "other"]
REFERRED_TO: Final[tuple[ReferredTo, ...]] = get_args(ReferredTo)


class CaseAction(Event):
    """One thing that was done about an alert. It does not say by whom: no name of a person is in Kafka.

    It may come more than once, with the same `action_id`. Of several closings of an alert the one with the latest `at`
    counts, if it was not undone later: the others were corrected by it.
    """

    action_id: UUID
    alert_id: UUID
    student: str
    action: Action
    outcome: Outcome | None = None
    """Of a closing, and of nothing else."""
    on: date
    """The day on which it was done; of a closing, when its outcome was known."""
    at: AwareDatetime
    """When casework took it (wall clock, UTC)."""
    case_id: UUID | None = None
    """The case it was done about; None for what was done about this alert alone. An action on a case is an event for
    each of its alerts."""
    result: ContactResult | None = None
    kind: ContactKind | None = None
    to: ReferredTo | None = None
    until: date | None = None
    until_worse: bool = False
    """A snooze ends when the level rises."""
    undoes: Action | None = None

    @model_validator(mode="after")
    def _only_closings_have_an_outcome(self) -> Self:
        if (self.action == "closed") != (self.outcome is not None):
            raise ValueError("a closing needs an outcome, and nothing else has one")
        return self
