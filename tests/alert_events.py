"""Alert events for tests, as the warning service would send them."""

from __future__ import annotations

from datetime import UTC, date, datetime

from services.contracts.alerts import AlertEvent, AlertEventType, Level, Reason
from services.contracts.ids import Pseudonym, alert_id, event_id
from services.ingest.agreement.folder import AGENCY

DAY = date(2016, 12, 5)
CAUSED_AT = datetime(2016, 12, 5, 14, 3, tzinfo=UTC)


def reason(level: Level = "watch", *, kind: str = "absences in a row", text: str = "Absent 3 days in a row.") -> Reason:
    return Reason(rule="streak", kind=kind, level=level, text=text, dates=[DAY], usual="0 absences", clears="Two days")


def event(
    student: str,
    type: AlertEventType = "AlertRaised",  # noqa: A002
    level: Level = "watch",
    *,
    seq: int = 1,
    raised_on: date = DAY,
    **changes: object,
) -> AlertEvent:
    alert = alert_id(Pseudonym(student), raised_on)
    return AlertEvent.model_validate(
        {
            "type": type,
            "event_id": event_id(alert, seq, type, raised_on),
            "alert_id": alert,
            "seq": seq,
            "student": student,
            "agency": AGENCY,
            "school_id": "burke",
            "level": level,
            "raised_on": raised_on,
            "changed_on": raised_on,
            "reasons": [reason(level)],
            "caused_at": CAUSED_AT,
            **changes,
        }
    )
