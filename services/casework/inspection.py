"""What casework holds of one student, for an inspection: every alert, its life, and what people did about it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from services.casework.tables import ActionRow, AlertEventRow, AlertRow, CaseActionRow
from services.contracts.alerts import Reason
from services.contracts.ids import case_number
from services.platform.database import make_sessions


class HeldStep(BaseModel):
    """One step of an alert's life."""

    model_config = ConfigDict(from_attributes=True)

    type: str
    level: str
    changed_on: date
    because: str
    caused_at: datetime


class HeldAction(BaseModel):
    """What was done about an alert; `outcome` says how the case ended."""

    model_config = ConfigDict(from_attributes=True)

    action: str
    outcome: str | None
    on: date
    at: datetime


class HeldNote(BaseModel):
    """What somebody wrote about the household's case."""

    on: date
    at: datetime
    text: str


class HeldAlert(BaseModel):
    """An alert as it stands; of an erased student no more is kept than that there was one."""

    id: UUID
    case_number: str
    student: str
    agency: str | None
    school: str | None
    level: str | None
    status: str
    raised_on: date
    updated_at: datetime
    reasons: list[Reason]
    steps: list[HeldStep]
    actions: list[HeldAction]
    notes: list[HeldNote]
    """Of the whole case: a note may be about any child of the household."""


async def held_alerts(engine: AsyncEngine, pseudonyms: Sequence[str]) -> list[HeldAlert]:
    """Every alert of the student of these pseudonyms, oldest first. The engine's service is casework."""
    async with make_sessions(engine)() as session:
        alerts = (
            await session.scalars(
                select(AlertRow).where(AlertRow.student.in_(pseudonyms)).order_by(AlertRow.raised_on, AlertRow.id)
            )
        ).all()
        ids = [alert.id for alert in alerts]
        steps = await session.scalars(
            select(AlertEventRow).where(AlertEventRow.alert_id.in_(ids)).order_by(AlertEventRow.seq)
        )
        by_alert: dict[UUID, list[HeldStep]] = {each: [] for each in ids}
        for step in steps:
            by_alert[step.alert_id].append(HeldStep.model_validate(step))
        actions = await session.scalars(
            select(ActionRow).where(ActionRow.alert_id.in_(ids)).order_by(ActionRow.position)
        )
        done: dict[UUID, list[HeldAction]] = {each: [] for each in ids}
        for action in actions:
            done[action.alert_id].append(HeldAction.model_validate(action))
        notes = await _notes(session, {alert.case_id for alert in alerts if alert.case_id is not None})
    return [
        HeldAlert(
            id=alert.id,
            case_number=case_number(alert.id),
            student=alert.student,
            agency=alert.agency,
            school=alert.school_id,
            level=alert.level,
            status=alert.status,
            raised_on=alert.raised_on,
            updated_at=alert.updated_at,
            reasons=[Reason.model_validate(reason) for reason in alert.reasons or ()],
            steps=by_alert[alert.id],
            actions=done[alert.id],
            notes=[] if alert.case_id is None else notes[alert.case_id],
        )
        for alert in alerts
    ]


async def _notes(session: AsyncSession, cases: Collection[UUID]) -> Mapping[UUID, list[HeldNote]]:
    rows = await session.scalars(
        select(CaseActionRow).where(CaseActionRow.case_id.in_(cases)).order_by(CaseActionRow.position)
    )
    found: defaultdict[UUID, list[HeldNote]] = defaultdict(list)
    for row in rows:
        words = (row.given.get(name) for name in ("reason", "note"))
        found[row.case_id] += [HeldNote(on=row.on, at=row.at, text=str(text)) for text in words if text]
    return found
