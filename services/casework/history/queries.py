"""Reading the history. Every query joins the consent view: who is not in it has never been here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date
from typing import Generic, NamedTuple, TypeVar
from uuid import UUID

from sqlalchemy import Select, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from services.casework.history.cursor import Position
from services.casework.history.schemas import Alert, AlertDetail, TimelineEntry
from services.casework.history.visible import visible_to
from services.casework.intake.statuses import AlertStatus
from services.casework.tables import AlertEventRow, AlertRow
from services.contracts.alerts import Level
from services.contracts.ids import case_number
from services.platform.consent import consented_students, may_be_shown
from services.platform.identity.caller import Caller

AnyAlert = TypeVar("AnyAlert", bound=Alert)


class Found(NamedTuple, Generic[AnyAlert]):
    """An alert that may be shown, and since when its student's consent is in force."""

    alert: AnyAlert
    consent: date


@dataclass(frozen=True, slots=True)
class Filters:
    """What to list; an empty list or None asks for all. `since` and `until` are days of `raised_on`, inclusive."""

    schools: Sequence[str] = ()
    levels: Sequence[Level] = ()
    statuses: Sequence[AlertStatus] = ()
    student: str | None = None
    since: date | None = None
    until: date | None = None


async def list_alerts(
    session: AsyncSession, caller: Caller, filters: Filters, after: Position | None, limit: int
) -> list[Found[Alert]]:
    """Up to `limit` alerts that come after a position, newest first."""
    query = _narrowed(shown_alerts(caller), filters)
    if after is not None:
        query = query.where(tuple_(AlertRow.raised_on, AlertRow.id) < (after.raised_on, after.id))
    query = query.order_by(AlertRow.raised_on.desc(), AlertRow.id.desc()).limit(limit)
    return [Found(alert_of(row, student_id), since) for row, student_id, since in await session.execute(query)]


async def find_alert(session: AsyncSession, caller: Caller, alert: UUID) -> Found[AlertDetail] | None:
    """The alert with its timeline, or None when there is none that may be shown."""
    found = (await session.execute(shown_alerts(caller).where(AlertRow.id == alert))).one_or_none()
    if found is None:
        return None
    steps = await session.scalars(
        select(AlertEventRow).where(AlertEventRow.alert_id == alert).order_by(AlertEventRow.seq)
    )
    row, student_id, since = found
    detail = AlertDetail(**dict(alert_of(row, student_id)), timeline=[_entry(step) for step in steps])
    return Found(detail, since)


def shown_alerts(caller: Caller) -> Select[AlertRow, str, date]:
    """Alerts that the caller may see, the district's id of their student, and since when its consent is in force."""
    shown = may_be_shown(AlertRow.student, AlertRow.school_id)
    consent = consented_students.c
    query = select(AlertRow, consent.student_id, consent.consent_from).join(consented_students, shown)
    return query.where(visible_to(caller))


def _narrowed(query: Select[AlertRow, str, date], filters: Filters) -> Select[AlertRow, str, date]:
    conditions = [
        AlertRow.school_id.in_(filters.schools) if filters.schools else None,
        AlertRow.level.in_(filters.levels) if filters.levels else None,
        AlertRow.status.in_(filters.statuses) if filters.statuses else None,
        AlertRow.student == filters.student if filters.student else None,
        AlertRow.raised_on >= filters.since if filters.since else None,
        AlertRow.raised_on <= filters.until if filters.until else None,
    ]
    return query.where(*(condition for condition in conditions if condition is not None))


def alert_of(row: AlertRow, student_id: str) -> Alert:
    """The alert as it is shown."""
    return Alert.model_validate(
        {
            "id": row.id,
            "case_number": case_number(row.id),
            "student": row.student,
            "student_id": student_id,
            "school_id": row.school_id,
            "level": row.level,
            "status": row.status,
            "raised_on": row.raised_on,
            "updated_at": row.updated_at.astimezone(UTC),
            "reasons": row.reasons,
        }
    )


def _entry(row: AlertEventRow) -> TimelineEntry:
    return TimelineEntry.model_validate(
        {
            "type": row.type,
            "level": row.level,
            "previous_level": row.previous_level,
            "changed_on": row.changed_on,
            "because": row.because,
            "superseded": row.superseded,
            "at": row.caused_at.astimezone(UTC),
        }
    )
