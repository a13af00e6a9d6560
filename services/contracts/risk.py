"""How the week's threshold is found: every partition counts, one owner steers, every partition hears of it."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import Field

from services.contracts.base import Event

Students = Annotated[int, Field(ge=0, lt=2**32)]


class WeekCounted(Event):
    """`risk.weeks.v1`, all in partition 0: what the scores of an agency's students in one partition did in a week.

    Nobody is named. A partition without students says so: of no agency, and without bins.
    """

    week: date
    """Its Monday."""
    partition: int
    partitions: int
    """How many there are: the owner waits for all of them."""
    token: UUID
    agency: str | None = None
    """Whose students they are; None in records from before there were several."""
    more: bool = False
    """Counts of other agencies follow, of the same partition and week."""
    entered: Students
    """Students who entered elevated or urgent from below since the school year began."""
    waiting: list[Students]
    """By bin of the score (`models.capacity`): students below elevated who could enter."""
    passed: list[Students]
    """By bin: students whose score rose to it or past it within the week."""


class ThresholdSet(Event):
    """`risk.thresholds.v1`, sent to every partition: the score from which an agency's student enters elevated."""

    week: date
    """The Monday from which it holds."""
    threshold: float | None
    """Log-odds; None when the week has no places."""
    agency: str | None = None
    """Whose students; None in records from before there were several."""
    more: bool = False
    """Other agencies' thresholds of the week follow: the last one is answered."""
    capacity: int = Field(ge=1)
    """The agency's."""
    entered: int
    """New alerts of the school year so far, over all partitions."""
    weeks: int
    """Weeks of the school year that have been closed."""
    token: UUID
    """Answered by a `DaysEvaluated` with this token from each partition."""
