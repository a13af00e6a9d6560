"""Removes what casework holds of a student: that there was an alert remains, and nothing of what was in it."""

from __future__ import annotations

from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework.cases.erase import remove_from_cases
from services.casework.cases.kept import one_at_a_time
from services.platform.erasure.confirming import Erasure
from services.platform.erasure.entry import Removed

_END: Final = text("""
    UPDATE casework.alerts
    SET status = 'withdrawn', household = NULL, school_id = NULL, level = NULL, reasons = NULL,
        updated_at = clock_timestamp()
    WHERE student = :student RETURNING id, case_id
""")
_OF_ALERTS: Final = {
    "casework.alert_events": text("DELETE FROM casework.alert_events WHERE alert_id = ANY (CAST(:alerts AS uuid[]))"),
    "casework.actions": text("DELETE FROM casework.actions WHERE alert_id = ANY (CAST(:alerts AS uuid[]))"),
}


async def remove(connection: AsyncConnection, erasure: Erasure) -> Removed:
    """What was in alerts, their timelines, what was done about them, and what was written about their cases."""
    await one_at_a_time(connection)
    ended = (await connection.execute(_END, {"student": erasure.pseudonym})).all()
    removed = {"casework.alerts": len(ended)}
    alerts = [row.id for row in ended]
    for place, delete in _OF_ALERTS.items():  # after the alerts are locked: what was being done is there now
        removed[place] = (await connection.execute(delete, {"alerts": alerts})).rowcount
    removed |= await remove_from_cases(connection, {row.case_id for row in ended if row.case_id is not None})
    return removed
