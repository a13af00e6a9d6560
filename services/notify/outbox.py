"""The outbox: rows in, rows claimed, rows settled. A row's lock is what `sending` would say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, cast
from uuid import UUID, uuid5

from prometheus_client import Counter
from sqlalchemy import case, exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from services.contracts.alerts import AlertEvent, Level
from services.notify.mail import Notification, NotificationKind
from services.notify.mailer import Outcome
from services.notify.routing import AlertState, Retract
from services.notify.tables import OutboxRow
from services.platform.consent import consented_students

settled = Counter("firstbell_notify_mails", "Outcomes of tries to send a mail", ["outcome"])

PENDING: Final = OutboxRow.status == "pending"


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits of base, 2·base, 4·base … up to cap seconds, each times 0.5 to 1.5; given up after `budget`."""

    base: float
    cap: float
    budget: timedelta


def notification_id(event_id: UUID, kind: NotificationKind, recipient: str) -> UUID:
    """The id of what an event tells a recipient; the same event replayed tells nothing new."""
    return uuid5(event_id, f"{kind}|{recipient}")


async def tell(session: AsyncSession, event: AlertEvent, alert: AlertState, recipients: Sequence[str]) -> None:
    """Add a mail to each recipient; earlier ones of the case that wait are due at once, so that order is kept."""
    waiting = PENDING & (OutboxRow.family == alert.case.family) & OutboxRow.recipient.in_(recipients)
    await session.execute(update(OutboxRow).where(waiting).values(next_attempt_at=func.clock_timestamp()))
    await _add(session, event, alert, "level", recipients)


async def retract(session: AsyncSession, event: AlertEvent, action: Retract) -> None:
    """Cancel what is not sent about an alert, and tell those whose last mail about it said that it stands."""
    alert = action.alert
    of_alert = OutboxRow.alert_id == alert.alert_id
    unsent = update(OutboxRow).where(of_alert, PENDING).values(status="cancelled")
    await session.execute(unsent.where(OutboxRow.kind == "level") if action.tell else unsent)
    if not action.tell:
        return
    last = (
        select(OutboxRow.recipient, OutboxRow.kind)
        .ext(distinct_on(OutboxRow.recipient))
        .where(of_alert, or_(OutboxRow.status == "sent", PENDING))
        .order_by(OutboxRow.recipient, OutboxRow.position.desc())
    )
    heard = [recipient for recipient, kind in await session.execute(last) if kind == "level"]
    await _add(session, event, alert, "withdrawn", heard)


@dataclass(frozen=True, slots=True)
class Claimed:
    """A mail that is due, locked until the transaction ends."""

    notification: Notification
    consented: bool
    """The student's consent is in force now."""


async def claim(session: AsyncSession, most: int) -> list[Claimed]:
    """Lock the next mails that are due. A household's next mail to the same recipient waits for the one before it."""
    consented = exists().where(consented_students.c.pseudonym == OutboxRow.student)
    earlier = aliased(OutboxRow)
    behind = exists().where(
        earlier.status == "pending",
        earlier.family == OutboxRow.family,
        earlier.recipient == OutboxRow.recipient,
        earlier.position < OutboxRow.position,
    )
    query = (
        select(OutboxRow, consented)
        .where(PENDING, OutboxRow.next_attempt_at <= func.now(), ~behind)
        .order_by(OutboxRow.next_attempt_at, OutboxRow.position)
        .limit(most)
        .with_for_update(of=OutboxRow, skip_locked=True)
    )
    return [Claimed(_notification(row), may_send) for row, may_send in await session.execute(query)]


async def cancel(session: AsyncSession, notification: UUID) -> None:
    """The student's consent is not in force any more."""
    await session.execute(update(OutboxRow).where(OutboxRow.id == notification).values(status="cancelled"))
    settled.labels("cancelled").inc()


async def settle(session: AsyncSession, notification: UUID, outcome: Outcome, backoff: Backoff) -> None:
    """Write down how a try ended. When the server is away, all mails that are due wait for it."""
    this = OutboxRow.id == notification
    tried = update(OutboxRow).values(attempts=OutboxRow.attempts + 1, last_error=outcome.error)
    match outcome.kind:
        case "sent":
            await session.execute(tried.where(this).values(status="sent", sent_at=outcome.at))
        case "refused":
            await session.execute(tried.where(this).values(status="failed"))
        case "later":
            await session.execute(tried.where(this).values(_postponed(backoff)))
        case "away":
            due = select(OutboxRow.id).where(PENDING, OutboxRow.next_attempt_at <= func.clock_timestamp())
            await session.execute(
                tried.where(OutboxRow.id.in_(due.with_for_update(skip_locked=True))).values(_postponed(backoff))
            )
    settled.labels(outcome.kind).inc()


async def seconds_to_next(session: AsyncSession) -> float | None:
    """Seconds until a mail is due, negative when one is overdue; None when nothing is pending."""
    wait = func.min(OutboxRow.next_attempt_at) - func.clock_timestamp()
    found: timedelta | None = await session.scalar(select(wait).where(PENDING))
    return None if found is None else found.total_seconds()


def _postponed(backoff: Backoff) -> dict[str, object]:
    doubled = func.least(backoff.cap, backoff.base * func.power(2, func.least(OutboxRow.attempts, 30)))
    seconds = doubled * (0.5 + func.random())
    given_up = OutboxRow.created_at <= func.clock_timestamp() - backoff.budget
    return {
        "status": case((given_up, "failed"), else_="pending"),
        "next_attempt_at": func.clock_timestamp() + func.make_interval(0, 0, 0, 0, 0, 0, seconds),
    }


async def _add(
    session: AsyncSession, event: AlertEvent, alert: AlertState, kind: NotificationKind, recipients: Sequence[str]
) -> None:
    rows = [
        {
            "id": notification_id(event.event_id, kind, recipient),
            "event_id": event.event_id,
            "alert_id": alert.alert_id,
            "student": alert.student,
            "family": alert.case.family,
            "recipient": recipient,
            "kind": kind,
            "level": alert.level,
            "kinds": list(alert.kinds),
            "changed_on": alert.changed_on,
            "caused_at": event.caused_at,
        }
        for recipient in recipients
    ]
    if rows:
        await session.execute(insert(OutboxRow).on_conflict_do_nothing(), rows)


def _notification(row: OutboxRow) -> Notification:
    return Notification(
        id=row.id,
        alert_id=row.alert_id,
        kind=cast("NotificationKind", row.kind),
        level=cast("Level", row.level),
        kinds=tuple(row.kinds),
        changed_on=row.changed_on,
        recipient=row.recipient,
        created_at=row.created_at,
    )
