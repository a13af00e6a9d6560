"""How the week's threshold is found: every partition counts, one owner steers, every partition hears of it."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import Field

from services.contracts.base import Event

Students = Annotated[int, Field(ge=0, lt=2**32)]


class WeekCounted(Event):
    """`risk.weeks.v1`, all in partition 0: what the scores of one partition did in a week; nobody is named."""

    week: date
    """Its Monday."""
    partition: int
    partitions: int
    """How many there are: the owner waits for all of them."""
    token: UUID
    entered: Students
    """Students who entered elevated or urgent from below since the school year began."""
    waiting: list[Students]
    """By bin of the score (`models.capacity`): students below elevated who could enter."""
    passed: list[Students]
    """By bin: students whose score rose to it or past it within the week."""


class ThresholdSet(Event):
    """`risk.thresholds.v1`, sent to every partition: the score from which a student enters elevated."""

    week: date
    """The Monday from which it holds."""
    threshold: float | None
    """Log-odds; None when the week has no places."""
    capacity: int = Field(ge=1)
    entered: int
    """New alerts of the school year so far, over all partitions."""
    weeks: int
    """Weeks of the school year that have been closed."""
    token: UUID
    """Answered by a `DaysEvaluated` with this token from each partition."""
