"""`alerts.v1`: an alert's life. Each event carries the alert's whole state after it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final, Literal
from uuid import UUID

from pydantic import Field

from services.contracts.base import Event

Level = Literal["watch", "elevated", "urgent"]
LEVELS: Final[tuple[Level, ...]] = ("watch", "elevated", "urgent")
"""From lowest to highest."""

AlertEventType = Literal["AlertRaised", "AlertLevelChanged", "AlertAmended", "AlertCleared", "AlertWithdrawn"]


class Reason(Event):
    """Why an alert has its level: the rule, in plain words, and the dates that made it."""

    rule: str
    kind: str
    """The kind of reason that a mail may name, for example `absences in a row`."""
    level: Level
    text: str
    dates: list[date]
    usual: str | None = None
    """The student's own usual, in plain words."""
    clears: str
    """What would clear it, in plain words."""


class AlertEvent(Event):
    """One step of an alert. `seq` rises per alert; readers skip what they have seen."""

    type: AlertEventType
    event_id: UUID
    alert_id: UUID
    seq: int = Field(ge=1)
    student: str
    household: str | None = None
    agency: str | None = None
    """Who gets it; None in events from before there were several."""
    school_id: str
    level: Level
    previous_level: Level | None = None
    raised_on: date
    changed_on: date
    """The school date on which this took effect."""
    reasons: list[Reason]
    because: Literal["attendance", "correction", "not_shared"] = "attendance"
    superseded: bool = False
    """The same evaluation already went past this step: it is kept, and nobody is notified."""
    caused_at: datetime
    """When ingest took the mark or close that caused it (wall clock, UTC)."""
