"""Reading deliveries, of alerts that the caller may see."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import BigInteger, Column, DateTime, Integer, MetaData, Row, Table, Text, Uuid, literal
from sqlalchemy.ext.asyncio import AsyncSession

from services.casework.deliveries.schemas import DeliveryItem, DeliveryState
from services.casework.history.queries import shown_alerts
from services.casework.tables import AlertRow
from services.platform.consent import consented_students
from services.platform.identity.caller import Caller

_deliveries: Final = Table(
    "deliveries",
    MetaData(schema="notify"),
    Column("id", Uuid),
    Column("position", BigInteger),
    Column("alert_id", Uuid),
    Column("recipient", Text),
    Column("state", Text),
    Column("reason", Text),
    Column("not_before", DateTime(timezone=True)),
    Column("attempts", Integer),
    Column("created_at", DateTime(timezone=True)),
    Column("sent_at", DateTime(timezone=True)),
)


class FoundDelivery(NamedTuple):
    """A delivery, its place in the order, and of whom it is."""

    item: DeliveryItem
    position: int
    student: str
    consent: date


class DeliveryFilters(NamedTuple):
    """What to list; None asks for all."""

    state: DeliveryState | None = None
    case: UUID | None = None
    alert: UUID | None = None


async def list_deliveries(
    session: AsyncSession, caller: Caller, filters: DeliveryFilters, before: int | None, limit: int
) -> Sequence[FoundDelivery]:
    """Up to `limit` deliveries before a position, the newest first."""
    sent = _deliveries.c
    query = shown_alerts(caller).join(_deliveries, sent.alert_id == AlertRow.id)
    conditions = [
        None if filters.state is None else sent.state == filters.state,
        None if filters.case is None else AlertRow.case_id == filters.case,
        None if filters.alert is None else AlertRow.id == filters.alert,
        None if before is None else sent.position < before,
    ]
    query = query.where(*(one for one in conditions if one is not None)).order_by(sent.position.desc()).limit(limit)
    columns = (
        sent.id,
        AlertRow.id.label("alert"),
        AlertRow.case_id.label("case"),
        literal("mail").label("channel"),
        sent.recipient.label("to"),
        sent.state,
        sent.reason,
        sent.not_before,
        sent.attempts,
        sent.created_at,
        sent.sent_at,
        sent.position,
        AlertRow.student,
        consented_students.c.consent_from,
    )
    return [_found(row) for row in await session.execute(query.with_only_columns(*columns))]


def _found(row: Row[Any]) -> FoundDelivery:
    return FoundDelivery(DeliveryItem.model_validate(row), row.position, row.student, row.consent_from)
