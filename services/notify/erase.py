"""Removes what notify holds of a student; of mails it remains how far they came, and when."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final
from uuid import uuid5

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notify import known, outbox_writer
from services.notify.outbox import settled
from services.platform.erasure.confirming import Erasure
from services.platform.erasure.entry import Removed
from services.platform.teams import Teams

_MAILS: Final = text("""
    WITH ours AS (SELECT status FROM notify.outbox WHERE student = :student FOR UPDATE SKIP LOCKED)
    SELECT (SELECT count(*) FROM notify.outbox WHERE student = :student) AS there, count(*) AS ours,
           count(*) FILTER (WHERE status = 'pending') AS pending
    FROM ours
""")
_FORGET_MAILS: Final = text("""
    WITH gone AS (DELETE FROM notify.outbox WHERE student = :student RETURNING status, caused_at, sent_at)
    INSERT INTO notify.past_mails (status, caused_at, sent_at)
    SELECT CASE WHEN status = 'pending' THEN 'cancelled' ELSE status END, caused_at, sent_at FROM gone
""")
_FORGET_ALERTS: Final = text("DELETE FROM notify.alerts WHERE student = :student")


async def remove(teams: Teams, connection: AsyncConnection, erasure: Erasure) -> Removed | None:
    """Alerts, mails, and what was heard by them; None while a mail about the student is being handed over.

    A team that knew a household by this student alone is notified of what is still in force.
    """
    student = {"student": erasure.pseudonym}
    mails = (await connection.execute(_MAILS, student)).one()
    if mails.ours < mails.there:
        return None
    book = await known.load_student(connection, erasure.pseudonym)
    before = dict(book.notified)
    heard, notices = book.erase(erasure.pseudonym, teams)
    await known.save(connection, book, before)
    await connection.execute(_FORGET_MAILS, student)
    settled.labels("cancelled").inc(mails.pending)
    alerts = (await connection.execute(_FORGET_ALERTS, student)).rowcount
    now = datetime.now(UTC)
    steps = [outbox_writer.OutboxStep(uuid5(erasure.id, str(notice.alert.alert_id)), now, notice) for notice in notices]
    await outbox_writer.write(connection, steps, teams)
    return {"notify.alerts": alerts, "notify.told": heard, "notify.outbox": mails.ours}
