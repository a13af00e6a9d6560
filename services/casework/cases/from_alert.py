"""What is done about one alert, by the route that there was before cases, is done about its case."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.casework.actions.schemas import ActionTaken
from services.casework.cases import kept
from services.casework.cases.acting import without_referral
from services.casework.cases.states import COLUMNS, Case
from services.contracts.cases import CASE_OUTCOMES
from services.platform.identity.caller import Caller

_CASE: Final = text(f"""
    SELECT {", ".join(COLUMNS)} FROM casework.cases
    WHERE id = (SELECT case_id FROM casework.alerts WHERE id = :alert)
""")  # noqa: S608 -- our own names
_IS_OPEN: Final = text("SELECT EXISTS (SELECT FROM casework.alerts WHERE case_id = :case AND status = 'open')")
_NOTE: Final = text("""
    INSERT INTO casework.case_actions (id, case_id, action, subject, role, done_on, given)
    VALUES (:id, :case, :action, :subject, :role, :on,
            jsonb_strip_nulls(jsonb_build_object('outcome', CAST(:outcome AS text))))
""")
_WORDS: Final = {"taken": "take", "contacted": "contact", "snoozed": "snooze", "closed": "close"}


async def follow_action(session: AsyncSession, caller: Caller, action: ActionTaken) -> None:
    """Bring the alert's case to where an action on the alert leaves it, and put it on its timeline."""
    row = (await session.execute(_CASE, {"alert": action.alert_id})).one_or_none()
    if row is None:
        return
    case = kept.as_case(row)
    after = await _after(session, case, caller, action)
    given = {"id": action.action_id, "case": case.id, "action": _WORDS[action.action], "on": action.on}
    await session.execute(_NOTE, {**given, "subject": caller.subject, "role": caller.role, "outcome": action.outcome})
    await kept.keep(session, [after])


async def _after(session: AsyncSession, case: Case, caller: Caller, action: ActionTaken) -> Case:
    if action.action == "closed":
        if case.state == "withdrawn" or await session.scalar(_IS_OPEN, {"case": case.id}):
            return case
        outcome = next((one for one in CASE_OUTCOMES if one == action.outcome), None)
        over = replace(without_referral(case), state="closed", ended_on=action.on, outcome=outcome)
        return replace(over, waiting_since=None, due_on=None, contact_by=None, returned=None)
    if case.has_ended:
        return case
    if case.state == "new":
        case = replace(case, state="taken", owner=caller.subject, taken_on=action.on, waiting_since=None, returned=None)
    if action.action == "contacted":
        first = case.first_contact_at or datetime.now(UTC)
        return replace(case, first_contact_at=first, last_contact_on=action.on, contact_by=None)
    return case
