"""Doing something about a case: the action is judged, and all that follows from it written at once."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4, uuid5

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.casework.actions.store import not_their_records
from services.casework.cases import kept
from services.casework.cases.acting import Actor, HeldByAnotherError, NotNowError, NotYoursError, act
from services.casework.cases.published import ACTIONS, as_event, publish
from services.casework.cases.schemas import NewCaseAction
from services.casework.cases.school_days import SchoolDays, working_days_after
from services.casework.cases.states import Case
from services.contracts.cases import HOUSING_OUTCOMES
from services.platform.http import ProblemError
from services.platform.identity.caller import Caller

AHEAD: Final = timedelta(days=60)
"""So far ahead a school's calendar is read for what is due."""
_KEYS: Final = UUID("9a6c2a54-6a0b-5b0a-8b1e-2b0f3b8f5c11")

_KEEP_ACTION: Final = text("""
    INSERT INTO casework.case_actions (id, case_id, action, subject, role, done_on, given, before)
    VALUES (:id, :case_id, :action, :subject, :role, :on, CAST(:given AS jsonb), CAST(:before AS jsonb))
""")
_EARLIER: Final = text("SELECT case_id, subject, given FROM casework.case_actions WHERE id = :id")
_LAST: Final = text("""
    SELECT id, action, subject, before FROM casework.case_actions WHERE case_id = :case AND NOT undone
    ORDER BY position DESC LIMIT 1
""")
_LAST_CLOSE: Final = text("""
    SELECT id FROM casework.case_actions WHERE case_id = :case AND action = 'close' AND NOT undone
    ORDER BY position DESC LIMIT 1
""")
_UNDONE: Final = text("UPDATE casework.case_actions SET undone = true WHERE id = :id")
_CLOSE_ALERTS: Final = text("""
    UPDATE casework.alerts SET status = 'closed', updated_at = clock_timestamp()
    WHERE case_id = :case AND status = 'open'
""")
_OPEN_ALERTS: Final = text("""
    UPDATE casework.alerts a SET updated_at = clock_timestamp(), status = CASE last.type
        WHEN 'AlertCleared' THEN 'cleared' WHEN 'AlertWithdrawn' THEN 'withdrawn' ELSE 'open' END
    FROM (SELECT DISTINCT ON (alert_id) alert_id, type FROM casework.alert_events
          WHERE alert_id IN (SELECT id FROM casework.alerts WHERE case_id = :case)
          ORDER BY alert_id, seq DESC) AS last
    WHERE a.id = last.alert_id AND a.status = 'closed'
      AND a.id IN (SELECT alert_id FROM casework.actions WHERE of_case ->> 'action' = :action)
""")


@dataclass(frozen=True, slots=True)
class AskedAction:
    """An action, and under which conditions it was sent."""

    given: NewCaseAction
    version: int | None
    """The version that the sender had seen; None: whatever there is."""
    key: UUID | None
    """By which a repeat is known."""


def action_key(caller: Caller, key: str) -> UUID:
    """The id of the action that the caller sends under an Idempotency-Key."""
    return uuid5(_KEYS, f"{caller.role}|{caller.subject}|{key}")


async def do(session: AsyncSession, caller: Caller, case: Case, asked: AskedAction, receiver: str | None) -> bool:
    """Do it; whether something changed. A repeat changes nothing. The transaction has said `one_at_a_time`.

    Raises `ProblemError`: 403 what is not the caller's to do or outside their records, 409 who has the case or why it
    is not possible now, 412 when the sender had seen another version, 422 for a day that cannot be or a key that stands
    for something else.
    """
    if asked.key is not None and await _was_done(session, case, asked):
        return False
    if asked.given.outcome in HOUSING_OUTCOMES and not await kept.is_told(session, caller, case.id):
        raise not_their_records()
    today = await kept.today(session)
    if asked.given.on is not None and not case.opened_on <= asked.given.on <= today:
        raise ProblemError(422, "Impossible day", "`on` lies before the day the case was opened or after today.")
    is_current = asked.version in {None, case.version}
    who = await _actor(session, caller, case, today, receiver)
    if asked.given.action == "undo":
        _require(case, is_current=is_current)
        return await _undo(session, case, who, asked)
    return await _act(session, case, who, asked, is_current=is_current)


async def _act(session: AsyncSession, case: Case, who: Actor, asked: AskedAction, *, is_current: bool) -> bool:
    try:
        after = act(case, asked.given, who)
    except HeldByAnotherError as error:
        raise _held(error.holder) from None
    except NotYoursError as error:
        raise ProblemError(403, "Not yours to do", str(error)) from None
    except NotNowError as error:
        _require(case, is_current=is_current)
        raise ProblemError(409, "Not possible now", str(error)) from None
    if after is case:
        return False
    _require(case, is_current=is_current)
    action = asked.key or uuid4()
    like = await session.scalar(_LAST_CLOSE, {"case": case.id}) if case.state == "closed" else None
    await publish(session, case.id, action, as_event(asked.given), asked.given.on or who.today, like=like)
    if after.state == "closed" and case.state != "closed":
        await session.execute(_CLOSE_ALERTS, {"case": case.id})
    await _note(session, case, who, asked, action)
    await kept.keep(session, [after])
    return True


async def _undo(session: AsyncSession, case: Case, who: Actor, asked: AskedAction) -> bool:
    """Take back what the caller did last, if nothing came after it."""
    last = (await session.execute(_LAST, {"case": case.id})).one_or_none()
    if last is None or last.before is None:
        raise ProblemError(409, "Nothing to undo", "The last thing that happened to the case cannot be taken back.")
    if last.subject != who.subject:
        raise _held(case.owner)
    before = kept.restored(case, last.before)
    action = asked.key or uuid4()
    event = {"action": "undone", "undoes": ACTIONS[last.action]}
    await publish(session, case.id, action, event, who.today, like=last.id)
    if case.state == "closed" and before.state != "closed":
        await session.execute(_OPEN_ALERTS, {"case": case.id, "action": str(last.id)})
    await session.execute(_UNDONE, {"id": last.id})
    await _note(session, case, who, asked, action, undone=True)
    if before.state == "new":
        before = replace(before, waiting_since=before.waiting_since or who.now)
    await kept.keep(session, [before])
    return True


async def _was_done(session: AsyncSession, case: Case, asked: AskedAction) -> bool:
    earlier = (await session.execute(_EARLIER, {"id": asked.key})).one_or_none()
    if earlier is None:
        return False
    if earlier.case_id != case.id or earlier.given != _given(asked.given):
        raise ProblemError(422, "The key stands for something else", "Give what is new an Idempotency-Key of its own.")
    return True


async def _note(
    session: AsyncSession, case: Case, who: Actor, asked: AskedAction, action: UUID, *, undone: bool = False
) -> None:
    values = {
        "id": action,
        "case_id": case.id,
        "action": asked.given.action,
        "subject": who.subject,
        "role": who.role,
        "on": asked.given.on or who.today,
        "given": json.dumps(_given(asked.given)),
        "before": None if undone else json.dumps(kept.undoable(case), default=str),
    }
    await session.execute(_KEEP_ACTION, values)


def _given(given: NewCaseAction) -> dict[str, Any]:
    return given.model_dump(mode="json", exclude_none=True)


async def _actor(session: AsyncSession, caller: Caller, case: Case, today: date, receiver: str | None) -> Actor:
    schools = {case.school_id} if case.school_id else set()
    days = await SchoolDays.read(session, schools, today, today + AHEAD)
    return Actor(
        subject=caller.subject,
        role=caller.role,
        now=datetime.now(UTC),
        today=today,
        school_days_on=lambda number: days.after(case.school_id, today, number),
        working_days_on=lambda number: working_days_after(today, number),
        receiver=receiver,
    )


def _require(case: Case, *, is_current: bool) -> None:
    if not is_current:
        raise ProblemError(
            412,
            "The case has changed",
            "It is not as you had seen it: read it again, and decide again.",
            {"ETag": etag(case.version)},
        )


def _held(holder: str | None) -> ProblemError:
    who = "Nobody has the case now" if holder is None else f"{holder} has the case"
    return ProblemError(409, "Held by another", f"{who}: read it again.", more={"holder": holder})


def etag(version: int) -> str:
    """The ETag of a version of a case."""
    return f'"{version}"'
