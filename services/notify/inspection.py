"""What notify holds of one student, for an inspection: which team knows of which alert, and every mail."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from services.contracts.ids import case_number
from services.notify.tables import AlertRow, OutboxRow, ToldRow
from services.platform.database import make_sessions


class HeldNotice(BaseModel):
    """An alert as notify knows it."""

    case_number: str
    student: str
    team: str
    level: str
    kinds: list[str]
    changed_on: date
    is_open: bool
    last_told: str | None
    """The level that the team last heard of the household, when it was by this alert."""


class HeldMail(BaseModel):
    """A mail about the student: it names a case number and the kinds of reason, nobody and no school."""

    case_number: str
    student: str
    recipient: str
    kind: str
    level: str
    kinds: list[str]
    changed_on: date
    status: str
    reason: str | None
    """Why it was cancelled."""
    created_at: datetime
    sent_at: datetime | None


class HeldByNotify(BaseModel):
    """All that notify holds."""

    notices: list[HeldNotice]
    mails: list[HeldMail]


async def held_mails(engine: AsyncEngine, pseudonyms: Sequence[str]) -> HeldByNotify:
    """What is kept of the student of these pseudonyms, oldest first. The engine's service is notify."""
    async with make_sessions(engine)() as session:
        known = await session.execute(
            select(AlertRow, ToldRow.level)
            .outerjoin(ToldRow, ToldRow.alert_id == AlertRow.alert_id)
            .where(AlertRow.student.in_(pseudonyms))
            .order_by(AlertRow.changed_on, AlertRow.alert_id)
        )
        notices = [
            HeldNotice(
                case_number=case_number(row.alert_id),
                student=row.student,
                team=row.team,
                level=row.level,
                kinds=row.kinds,
                changed_on=row.changed_on,
                is_open=row.is_open,
                last_told=told,
            )
            for row, told in known
        ]
        rows = await session.scalars(
            select(OutboxRow).where(OutboxRow.student.in_(pseudonyms)).order_by(OutboxRow.position)
        )
        mails = [
            HeldMail(
                case_number=case_number(row.alert_id),
                student=row.student,
                recipient=row.recipient,
                kind=row.kind,
                level=row.level,
                kinds=row.kinds,
                changed_on=row.changed_on,
                status=row.status,
                reason=row.reason,
                created_at=row.created_at,
                sent_at=row.sent_at,
            )
            for row in rows
        ]
    return HeldByNotify(notices=notices, mails=mails)
