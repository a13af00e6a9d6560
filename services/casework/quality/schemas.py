"""What the routes of quality answer with."""

from __future__ import annotations

from pydantic import BaseModel


class Precision(BaseModel):
    """Of cases closed with an outcome that says so, the share in which there was something to help with (0 to 1)."""

    value: float | None
    """Null where there are too few, or the caller gets no outcomes."""
    low: float | None
    """Of Wilson's 90% interval."""
    high: float | None
    n: int | None
    """Cases; null where there are too few."""


class GroupGap(BaseModel):
    """How much more often alerts are false in a group than in all others."""

    value: float
    low: float
    high: float


class FirstContact(BaseModel):
    """Hours from a case's opening to the first contact."""

    p50: float | None
    p90: float | None


class Quality(BaseModel):
    """What alerts were worth."""

    precision: Precision
    false_alert_gap: dict[str, GroupGap] | None
    """Null: casework has no demographics. `firstbell equity --live` has false alerts by group, for the steward."""
    time_to_first_contact_hours: FirstContact


class MonthOutcomes(BaseModel):
    """Cases that were closed in a month, by outcome; an outcome of too few is left out."""

    month: str
    outcomes: dict[str, int]


class OutcomeMonths(BaseModel):
    """The months in which cases were closed, the latest first."""

    items: list[MonthOutcomes]
