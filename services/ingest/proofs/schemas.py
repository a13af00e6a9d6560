"""A proof as it is shown."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

ProofState = Literal["pending", "complete", "held"]


class Proof(BaseModel):
    """That what was held of a student in a feed is gone, from every service that has confirmed it."""

    id: UUID
    pseudonym: str
    """Under which the student was kept; it never comes back to life."""
    by: str
    """Who withdrew or destroyed: a role or a command."""
    at: datetime
    """Since when nobody is shown anything of it."""
    removed: dict[str, int]
    """How many of what was removed, by place."""
    confirmed: dict[str, datetime]
    """Services that hold nothing of it any more, and since when."""
    state: ProofState = Field(
        description="`pending` until every service has confirmed; `held` while an inspection is open: access has "
        "ended, the deletion waits"
    )
