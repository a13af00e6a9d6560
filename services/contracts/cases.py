"""`case.actions.v1`, key the alert's id: what people did about an alert. Closings are the model's future labels."""

from __future__ import annotations

from datetime import date
from typing import Final, Literal, Self
from uuid import UUID

from pydantic import AwareDatetime, model_validator

from services.contracts.base import Event

Outcome = Literal["homelessness_identified", "housing_crisis", "not_homeless", "could_not_reach", "other"]
"""How a case ended."""
HOUSING_OUTCOMES: Final[frozenset[Outcome]] = frozenset({"homelessness_identified", "housing_crisis"})
"""Those that say of a family that it has lost its home or is about to."""

StepAction = Literal["taken", "snoozed", "contacted"]
Action = Literal["taken", "snoozed", "contacted", "closed"]


class CaseAction(Event):
    """One thing that was done about an alert. It does not say by whom: no name of a person is in Kafka.

    It may come more than once, with the same `action_id`. Of several closings of an alert the one with the latest `at`
    counts: the others were corrected by it.
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

    @model_validator(mode="after")
    def _only_closings_have_an_outcome(self) -> Self:
        if (self.action == "closed") != (self.outcome is not None):
            raise ValueError("a closing needs an outcome, and nothing else has one")
        return self
