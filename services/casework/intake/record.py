"""Store a batch of alert events, in one transaction, as often as it comes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from prometheus_client import Counter
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from services.casework.cases.follow import follow
from services.casework.cases.kept import one_at_a_time
from services.casework.intake.statuses import STATUS
from services.contracts.alerts import AlertEvent
from services.platform.consumer import SealedEvents
from services.platform.rows import as_json

_RECORD: Final = text("""
    WITH timeline AS (
        INSERT INTO casework.alert_events
            (event_id, alert_id, seq, type, level, previous_level, changed_on, because, superseded, caused_at)
        SELECT * FROM json_to_recordset(CAST(:events AS json)) AS event (
            event_id uuid, alert_id uuid, seq bigint, type text, level text, previous_level text, changed_on date,
            because text, superseded boolean, caused_at timestamptz)
        ON CONFLICT DO NOTHING)
    INSERT INTO casework.alerts AS standing
        (id, seq, student, household, agency, school_id, level, status, raised_on, updated_at, reasons)
    SELECT * FROM json_to_recordset(CAST(:alerts AS json)) AS alert (
        id uuid, seq bigint, student text, household text, agency text, school_id text, level text, status text,
        raised_on date, updated_at timestamptz, reasons jsonb)
    ORDER BY id
    ON CONFLICT (id) DO UPDATE SET
        seq = excluded.seq, student = excluded.student, household = excluded.household,
        agency = coalesce(excluded.agency, standing.agency), school_id = excluded.school_id, level = excluded.level,
        status = CASE WHEN standing.status = 'closed' THEN 'closed' ELSE excluded.status END,
        raised_on = excluded.raised_on, updated_at = excluded.updated_at, reasons = excluded.reasons
    WHERE standing.seq < excluded.seq
""")

events_taken = Counter("firstbell_casework_alert_events", "Alert events stored", ["type"])
alerts_by_level = Counter("firstbell_casework_alerts", "Alerts raised to, or changed to, a level", ["level"])


def newest(events: Iterable[AlertEvent]) -> list[AlertEvent]:
    """Each alert's event with the highest `seq`, in the order of their ids (so that no two writers deadlock)."""
    last: dict[UUID, AlertEvent] = {}
    for event in events:
        if event.alert_id not in last or event.seq > last[event.alert_id].seq:
            last[event.alert_id] = event
    return [last[key] for key in sorted(last)]


async def record(sessions: async_sessionmaker[AsyncSession], sealed: SealedEvents[AlertEvent]) -> None:
    """Append the events to the timeline and bring their alerts up to date; a repeat changes nothing."""
    async with sessions.begin() as session:
        events = await sealed.open(session)
        await keep(session, events)
    for event in events:
        events_taken.labels(event.type).inc()
        if event.type in {"AlertRaised", "AlertLevelChanged"}:
            alerts_by_level.labels(event.level).inc()


async def keep(session: AsyncSession, events: Sequence[AlertEvent]) -> None:
    """Write the events, what their alerts are after them, and the cases of these."""
    await one_at_a_time(session)
    now = datetime.now(UTC)
    given = {
        "events": as_json(_event_values(event) for event in events),
        "alerts": as_json(_alert_values(event, now) for event in newest(events)),
    }
    await session.execute(_RECORD, given)
    await follow(session, {event.alert_id for event in events}, (event.household or event.student for event in events))


def _alert_values(event: AlertEvent, now: datetime) -> dict[str, object]:
    return {
        "id": event.alert_id,
        "seq": event.seq,
        "student": event.student,
        "household": event.household,
        "agency": event.agency,
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
