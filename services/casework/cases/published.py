"""What of an action on a case goes to `case.actions.v1`: an event for each of its alerts, of which labels are."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final
from uuid import UUID, uuid5

from pydantic import JsonValue
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.casework.cases.schemas import CaseActionName, NewCaseAction
from services.contracts.cases import Action
from services.platform.rows import as_json

ACTIONS: Final[Mapping[CaseActionName, Action]] = {
    "take": "taken",
    "undo": "undone",
    "assign": "assigned",
    "contact": "contacted",
    "refer": "referred",
    "snooze": "snoozed",
    "close": "closed",
    "accept_referral": "referral_accepted",
    "decline_referral": "referral_declined",
}
"""The word of the contract for each action of the API."""
TOLD: Final = frozenset({"result", "kind", "until", "until_worse"})

_OPEN: Final = text("""
    SELECT id FROM casework.alerts a
    WHERE case_id = :case AND level IS NOT NULL AND status = CASE
        WHEN EXISTS (SELECT FROM casework.alerts b WHERE b.case_id = :case AND b.status = 'open') THEN 'open'
        ELSE 'cleared' END
    ORDER BY id
""")
_AS_BEFORE: Final = text("SELECT alert_id FROM casework.actions WHERE of_case ->> 'action' = :like ORDER BY alert_id")
_KEEP: Final = text("""
    INSERT INTO casework.actions (action_id, alert_id, action, outcome, done_on, of_case)
    SELECT action_id, alert_id, action, outcome, done_on, of_case
    FROM json_to_recordset(CAST(:rows AS json)) AS action (
        action_id uuid, alert_id uuid, action text, outcome text, done_on date, of_case jsonb)
""")


def as_event(given: NewCaseAction) -> dict[str, JsonValue]:
    """What the events say of an action; notes, reasons and colleagues stay here."""
    said = given.model_dump(mode="json", exclude_none=True, include=set(TOLD))
    to = {"to": given.to} if given.action == "refer" else {}
    return {**said, **to, "action": ACTIONS[given.action], "outcome": given.outcome}


async def publish(
    session: AsyncSession,
    case: UUID,
    action: UUID,
    event: Mapping[str, JsonValue],
    on: date,
    *,
    like: UUID | None = None,
) -> None:
    """Put the events into the outbox: of the alerts of an earlier action, or those in force, else the cleared ones."""
    found = await session.scalars(_OPEN, {"case": case}) if like is None else await _of(session, like)
    more = {name: value for name, value in event.items() if name not in {"action", "outcome"}}
    of_case = {**more, "case_id": str(case), "action": str(action)}
    rows = [
        {
            "action_id": uuid5(action, str(alert)),
            "alert_id": alert,
            "action": event["action"],
            "outcome": event.get("outcome"),
            "done_on": on,
            "of_case": of_case,
        }
        for alert in found
    ]
    if rows:
        await session.execute(_KEEP, {"rows": as_json(rows)})


async def _of(session: AsyncSession, like: UUID) -> list[UUID]:
    return list(await session.scalars(_AS_BEFORE, {"like": str(like)}))
