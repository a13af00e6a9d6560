"""All that happened in a case, oldest first: to its alerts, by people, and of itself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.casework.cases.queries import ShownAlert
from services.casework.cases.schemas import CaseEntry
from services.casework.tables import AlertEventRow, CaseActionRow


async def timeline_of(
    session: AsyncSession, case: UUID, alerts: Sequence[ShownAlert], *, told: bool
) -> list[CaseEntry]:
    """The entries of the alerts that are shown, and what was done; outcomes where they are told."""
    students = {alert.row.id: alert.row.student for alert in alerts}
    steps = await session.scalars(select(AlertEventRow).where(AlertEventRow.alert_id.in_(list(students))))
    done = await session.scalars(select(CaseActionRow).where(CaseActionRow.case_id == case))
    entries = [
        *(((row.caused_at, 0, row.seq), _step(row, students[row.alert_id])) for row in steps if not row.superseded),
        *(((row.at, 1, row.position), _action(row, told=told)) for row in done),
    ]
    return [entry for _, entry in sorted(entries, key=lambda each: each[0])]


async def last_by(session: AsyncSession, case: UUID) -> str | None:
    """Who did what can be undone: the last thing that happened; None when that cannot be."""
    query = select(CaseActionRow.subject, CaseActionRow.before).where(
        CaseActionRow.case_id == case, CaseActionRow.undone.is_(False)
    )
    last = (await session.execute(query.order_by(CaseActionRow.position.desc()).limit(1))).one_or_none()
    return None if last is None or last.before is None else last.subject


def _step(row: AlertEventRow, student: str) -> CaseEntry:
    return CaseEntry.model_validate(
        {
            "at": row.caused_at.astimezone(UTC),
            "on": row.changed_on,
            "what": row.type,
            "subject": None,
            "student": student,
            "alert": row.alert_id,
            "level": row.level,
            "previous_level": row.previous_level,
            "because": row.because,
        }
    )


def _action(row: CaseActionRow, *, told: bool) -> CaseEntry:
    given = dict(row.given) if told else {**row.given, "outcome": None}
    given.pop("action", None)
    given.pop("on", None)
    return CaseEntry.model_validate(
        {
            "at": row.at.astimezone(UTC),
            "on": row.on,
            "what": row.action,
            "subject": row.subject,
            "student": None,
            "alert": None,
            "level": None,
            "previous_level": None,
            "because": None,
            "undone": row.undone,
            **given,
        }
    )
