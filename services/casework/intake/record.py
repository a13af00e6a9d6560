"""Store a batch of alert events, in one transaction, as often as it comes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final, Literal
from uuid import UUID

from prometheus_client import Counter
from sqlalchemy import case
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from services.casework.tables import AlertEventRow, AlertRow
from services.contracts.alerts import AlertEvent, AlertEventType

AlertStatus = Literal["open", "cleared", "withdrawn", "closed"]

STATUS: Final[dict[AlertEventType, AlertStatus]] = {
    "AlertRaised": "open",
    "AlertLevelChanged": "open",
    "AlertAmended": "open",
    "AlertCleared": "cleared",
    "AlertWithdrawn": "withdrawn",
}
"""What each event leaves an alert as, unless people have closed the case: it stays `closed` then."""

events_taken = Counter("firstbell_casework_alert_events", "Alert events stored", ["type"])
alerts_by_level = Counter("firstbell_casework_alerts", "Alerts raised to, or changed to, a level", ["level"])


def newest(events: Iterable[AlertEvent]) -> list[AlertEvent]:
    """Each alert's event with the highest `seq`, in the order of their ids (so that no two writers deadlock)."""
    last: dict[UUID, AlertEvent] = {}
    for event in events:
        if event.alert_id not in last or event.seq > last[event.alert_id].seq:
            last[event.alert_id] = event
    return [last[key] for key in sorted(last)]


async def record(sessions: async_sessionmaker[AsyncSession], events: Sequence[AlertEvent]) -> None:
    """Append the events to the timeline and bring their alerts up to date; a repeat changes nothing."""
    async with sessions.begin() as session:
        timeline = insert(AlertEventRow).on_conflict_do_nothing()
        await session.execute(timeline, [_event_values(event) for event in events])
        now = datetime.now(UTC)
        alerts = insert(AlertRow)
        changed = {name: alerts.excluded[name] for name in _alert_values(events[0], now) if name != "id"}
        status = case((AlertRow.status == "closed", "closed"), else_=alerts.excluded.status)
        upsert = alerts.on_conflict_do_update(
            index_elements=[AlertRow.id], set_=changed | {"status": status}, where=AlertRow.seq < alerts.excluded.seq
        )
        await session.execute(upsert, [_alert_values(event, now) for event in newest(events)])
    for event in events:
        events_taken.labels(event.type).inc()
        if event.type in {"AlertRaised", "AlertLevelChanged"}:
            alerts_by_level.labels(event.level).inc()


def _alert_values(event: AlertEvent, now: datetime) -> dict[str, object]:
    return {
        "id": event.alert_id,
        "seq": event.seq,
        "student": event.student,
        "household": event.household,
        "school_id": event.school_id,
        "level": event.level,
        "status": STATUS[event.type],
        "raised_on": event.raised_on,
        "updated_at": now,
        "reasons": [reason.model_dump(mode="json") for reason in event.reasons],
    }


def _event_values(event: AlertEvent) -> dict[str, object]:
    return {
        "event_id": event.event_id,
        "alert_id": event.alert_id,
        "seq": event.seq,
        "type": event.type,
        "level": event.level,
        "previous_level": event.previous_level,
        "changed_on": event.changed_on,
        "because": event.because,
        "superseded": event.superseded,
        "caused_at": event.caused_at,
    }
