"""What the alert history API answers with."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict, JsonValue

from services.casework.intake.statuses import AlertStatus
from services.contracts.alerts import AlertEventType, Level, Reason

EXAMPLE: Final[dict[str, JsonValue]] = {
    "id": "0b4f3a52-9d1e-5c55-8f0a-6b7c1d2e3f40",
    "case_number": "FB-BNHT-UUU5",
    "student": "q7Yc1m3Jx0a9R2k5T8vWzA",
    "student_id": "D-100017",
    "school_id": "dearborn",
    "level": "elevated",
    "status": "open",
    "raised_on": "2016-12-07",
    "updated_at": "2016-12-09T13:05:11.204Z",
    "reasons": [
        {
            "rule": "streak-5",
            "kind": "absences in a row",
            "level": "elevated",
            "text": "Absent 5 school days in a row.",
            "dates": ["2016-12-05", "2016-12-06", "2016-12-07", "2016-12-08", "2016-12-09"],
            "usual": "1 absence in the 20 school days before.",
            "clears": "Two days attended in a row.",
        }
    ],
}
TIMELINE_EXAMPLE: Final[list[JsonValue]] = [
    {
        "type": "AlertRaised",
        "level": "watch",
        "previous_level": None,
        "changed_on": "2016-12-07",
        "because": "attendance",
        "superseded": False,
        "at": "2016-12-07T13:04:02.118Z",
    },
    {
        "type": "AlertLevelChanged",
        "level": "elevated",
        "previous_level": "watch",
        "changed_on": "2016-12-09",
        "because": "attendance",
        "superseded": False,
        "at": "2016-12-09T13:05:11.087Z",
    },
]


class Alert(BaseModel):
    """An alert as it stands. `student` is the pseudonym that filters and URLs know, `student_id` the district's."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    id: UUID
    case_number: str
    student: str
    student_id: str
    school_id: str
    level: Level
    status: AlertStatus
    raised_on: date
    updated_at: datetime
    """When this state was stored (UTC)."""
    reasons: list[Reason]


class TimelineEntry(BaseModel):
    """One step of an alert's life."""

    type: AlertEventType
    level: Level
    previous_level: Level | None
    changed_on: date
    """The school date on which it took effect."""
    because: str
    superseded: bool
    """The same evaluation already went past this step, and nobody was notified."""
    at: datetime
    """When ingest took the mark or the close that caused it (UTC)."""


class AlertDetail(Alert):
    """An alert with its timeline, oldest step first."""

    model_config = ConfigDict(json_schema_extra={"examples": [{**EXAMPLE, "timeline": TIMELINE_EXAMPLE}]})

    timeline: list[TimelineEntry]


class AlertPage(BaseModel):
    """Alerts, newest first, and the cursor of the next page or null."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"items": [EXAMPLE], "next": "AAs5xAtPOlKdHlxVjwprfB0uP0A"}]}
    )

    items: list[Alert]
    next: str | None
