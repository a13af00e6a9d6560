"""The outbox as the delivery sees it: rows claimed and settled, a lot at once. A row that is being sent is locked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from prometheus_client import Counter
from sqlalchemy import Row, Text, Uuid, and_, bindparam, column, exists, func, or_, select, table, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from services.notify.mail import Notification
from services.notify.mailer import DeliveryOutcome
from services.notify.tables import OutboxRow
from services.platform.audit.entry import MAIL, AuditEntry
from services.platform.consent import consented_students, may_be_shown
from services.platform.rows import as_json

settled = Counter("firstbell_notify_mails", "Outcomes of tries to send a mail", ["outcome"])

NOT_SHARED: Final = "consent has ended, or the school is no longer shared with the agency"
ENDED: Final = frozenset({"closed", "cleared", "withdrawn"})
"""States of a case of which no level is told any more."""

_cases = table("alert_cases", column("alert_id", Uuid), column("state", Text), column("level", Text), schema="casework")
_earlier = aliased(OutboxRow)
_later = aliased(OutboxRow)
_IS_OVERTAKEN: Final = exists().where(
    _later.status == "sent",
    _later.kind == "level",
    _later.family == OutboxRow.family,
    _later.recipient == OutboxRow.recipient,
    _later.position > OutboxRow.position,
)
"""An urgent one has come through the quiet hours that held this one."""
_CLAIM: Final = (
    select(
        OutboxRow.id,
        OutboxRow.alert_id,
        OutboxRow.kind,
        OutboxRow.level,
        OutboxRow.kinds,
        OutboxRow.changed_on,
        OutboxRow.recipient,
        OutboxRow.created_at,
        OutboxRow.student,
        consented_students.c.agency,
        consented_students.c.consent_from,
        and_(
            consented_students.c.pseudonym.is_not(None),
            or_(OutboxRow.school_id.is_(None), may_be_shown(OutboxRow.student, OutboxRow.school_id)),
        ).label("permitted"),
        OutboxRow.after_end,
        _cases.c.state.label("case_state"),
        _cases.c.level.label("case_level"),
        _IS_OVERTAKEN.label("overtaken"),
    )
    .outerjoin(consented_students, consented_students.c.pseudonym == OutboxRow.student)
    .outerjoin(_cases, _cases.c.alert_id == OutboxRow.alert_id)
    .where(
        OutboxRow.status == "pending",
        OutboxRow.next_attempt_at <= func.now(),
        func.coalesce(OutboxRow.not_before, func.now()) <= func.now(),
        ~exists().where(
            _earlier.status == "pending",
            func.coalesce(_earlier.not_before, func.now()) <= func.now(),
            _earlier.family == OutboxRow.family,
            _earlier.recipient == OutboxRow.recipient,
            _earlier.position < OutboxRow.position,
        ),
    )
    .order_by(OutboxRow.next_attempt_at, OutboxRow.position)
    .limit(bindparam("most"))
    .with_for_update(of=OutboxRow, skip_locked=True)
)

_CANCEL: Final = text("""
    UPDATE notify.outbox o SET status = 'cancelled', reason = t.reason
    FROM json_to_recordset(CAST(:cancelled AS json)) AS t (id uuid, reason text) WHERE o.id = t.id
""")

_POSTPONED: Final = """
    make_interval(secs => least(:cap, :base * power(2, least(o.attempts, 30))) * (0.5 + random())) + clock_timestamp()
"""
_GIVEN_UP: Final = "o.created_at <= clock_timestamp() - CAST(:budget AS interval)"

_SETTLE: Final = text(f"""
    UPDATE notify.outbox o
    SET attempts = o.attempts + 1,
        last_error = t.error,
        status = CASE WHEN t.outcome = 'sent' THEN 'sent'
                      WHEN t.outcome = 'refused' OR {_GIVEN_UP} THEN 'failed'
                      ELSE 'pending' END,
        sent_at = CASE WHEN t.outcome = 'sent' THEN t.at END,
        next_attempt_at = CASE WHEN t.outcome = 'later' THEN {_POSTPONED} ELSE o.next_attempt_at END
    FROM json_to_recordset(CAST(:tries AS json)) AS t (id uuid, outcome text, error text, at timestamptz)
    WHERE o.id = t.id
""")  # noqa: S608 - of constants

_POSTPONE_ALL: Final = text(f"""
    UPDATE notify.outbox o
    SET attempts = o.attempts + 1,
        last_error = :error,
        status = CASE WHEN {_GIVEN_UP} THEN 'failed' ELSE 'pending' END,
        next_attempt_at = {_POSTPONED}
    WHERE o.id IN (
        SELECT id FROM notify.outbox WHERE status = 'pending' AND next_attempt_at <= clock_timestamp()
        FOR UPDATE SKIP LOCKED)
""")  # noqa: S608 - of constants

_HOLD: Final = text("""
    UPDATE notify.outbox o SET not_before = t.until
    FROM json_to_recordset(CAST(:held AS json)) AS t (id uuid, until timestamptz) WHERE o.id = t.id
""")

_NEXT: Final = text("""
    SELECT min(greatest(next_attempt_at, not_before)) - clock_timestamp() FROM notify.outbox WHERE status = 'pending'
""")


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits of base, 2·base, 4·base … up to cap seconds, each times 0.5 to 1.5; given up after `budget`."""

    base: float
    cap: float
    budget: timedelta


@dataclass(frozen=True, slots=True)
class Claimed:
    """A mail that is due, locked until the transaction ends."""

    notification: Notification
    unwanted: str | None
    """Why it is not to be sent as things stand now: by consent, by what is shared, by the state of its case."""
    entry: AuditEntry
    """What the audit keeps of it."""


async def claim(session: AsyncSession, most: int) -> list[Claimed]:
    """Lock the next mails that are due. A household's next mail to the same recipient waits for the one before it."""
    rows = await session.execute(_CLAIM, {"most": most})
    return [Claimed(_notification(row), _unwanted(row), _entry(row)) for row in rows]


async def cancel(session: AsyncSession, reasons: Mapping[UUID, str]) -> None:
    """These are not sent, each for its reason."""
    if reasons:
        cancelled = [{"id": notification, "reason": reason} for notification, reason in reasons.items()]
        await session.execute(_CANCEL, {"cancelled": as_json(cancelled)})
        settled.labels("cancelled").inc(len(reasons))


async def hold(session: AsyncSession, until: Mapping[UUID, datetime]) -> None:
    """These wait, each until its moment."""
    if until:
        held = [{"id": notification, "until": moment} for notification, moment in until.items()]
        await session.execute(_HOLD, {"held": as_json(held)})


async def settle(session: AsyncSession, outcomes: Sequence[tuple[UUID, DeliveryOutcome]], backoff: Backoff) -> None:
    """Write down how tries ended. When the server was away, all mails that are due wait for it."""
    waits = {"base": backoff.base, "cap": backoff.cap, "budget": backoff.budget}
    tries = [
        {"id": notification, "outcome": outcome.kind, "error": outcome.error, "at": outcome.at}
        for notification, outcome in outcomes
        if outcome.kind != "away"
    ]
    if tries:
        await session.execute(_SETTLE, {"tries": as_json(tries), **waits})
    away = next((outcome for _, outcome in outcomes if outcome.kind == "away"), None)
    if away is not None:
        await session.execute(_POSTPONE_ALL, {"error": away.error, **waits})
    for _, outcome in outcomes:
        settled.labels(outcome.kind).inc()


async def seconds_to_next(session: AsyncSession) -> float | None:
    """Seconds until a mail is due, negative when one is overdue; None when nothing is pending."""
    found: timedelta | None = await session.scalar(_NEXT)
    return None if found is None else found.total_seconds()


def _unwanted(row: Row[*tuple[Any, ...]]) -> str | None:
    if not row.permitted:
        return NOT_SHARED
    if row.kind == "escalation":
        return None if row.case_state == "new" else f"the case is {row.case_state or 'gone'}"
    if row.kind == "withdrawn":  # who was told hears of it in any case
        return None
    if row.case_state in ENDED and not row.after_end:
        return f"the case is {row.case_state}"
    return "a later mail has told the level since" if row.overtaken else None


def _entry(row: Row[*tuple[Any, ...]]) -> AuditEntry:
    students = {row.student: row.consent_from}
    return AuditEntry(subject=row.recipient, role="caseworker", agency=row.agency, action=MAIL, students=students)


def _notification(row: Row[Any]) -> Notification:
    return Notification(
        id=row.id,
        alert_id=row.alert_id,
        kind=row.kind,
        level=row.case_level or row.level if row.kind == "escalation" else row.level,
        kinds=tuple(row.kinds),
        changed_on=row.changed_on,
        recipient=row.recipient,
        created_at=row.created_at,
    )
