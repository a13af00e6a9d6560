"""What every event has in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Event(BaseModel):
    """An immutable event; unknown fields are tolerated, so that a writer may be newer than its reader."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)
