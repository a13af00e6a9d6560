"""What the actions API takes and answers with."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Final, Literal
from uuid import UUID, uuid4

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from services.contracts.cases import Action, Outcome, StepAction

NEW_EXAMPLE: Final[dict[str, JsonValue]] = {
    "action": "closed",
    "outcome": "housing_crisis",
    "on": "2016-12-12",
    "action_id": "5e0a4d1c-7c0f-4b8e-9a55-3f2b8f0a1d77",
}
EXAMPLE: Final[dict[str, JsonValue]] = {
    **NEW_EXAMPLE,
    "alert_id": "0b4f3a52-9d1e-5c55-8f0a-6b7c1d2e3f40",
    "at": "2016-12-12T15:20:41.310Z",
}


class _New(BaseModel):
    on: date | None = Field(
        default=None,
        description="The day on which it was done; of a closing, when its outcome was known. Today when left out.",
    )
    action_id: UUID = Field(default_factory=uuid4, description="Your own id for it, so that a repeat counts once.")


class NewStep(_New):
    """Something was done, and the case goes on."""

    action: StepAction
    outcome: None = None


class NewClosing(_New):
    """The case is closed. Closing it once more corrects the outcome or the day."""

    model_config = ConfigDict(json_schema_extra={"examples": [NEW_EXAMPLE]})

    action: Literal["closed"]
    outcome: Outcome


NewAction = Annotated[NewStep | NewClosing, Field(discriminator="action")]


class ActionTaken(BaseModel):
    """What was done about an alert."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]}, from_attributes=True)

    action_id: UUID
    alert_id: UUID
    action: Action
    outcome: Outcome | None
    """Of a closing; null, too, for who does not get the records `housing_status`."""
    on: date
    at: datetime
    """When it was taken in (UTC)."""


class ActionList(BaseModel):
    """All that was done about an alert, oldest first."""

    items: list[ActionTaken]
