"""Writing down and reading what was done. Who is not in the consent view has no alerts, and nothing was done."""

from __future__ import annotations

from datetime import UTC, date
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Date, Select, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.casework.actions.schemas import ActionTaken, NewClosing, NewStep
from services.casework.history.visible import visible_to
from services.casework.tables import ActionRow, AlertRow
from services.platform.audit.edge import Look
from services.platform.consent import consented_students, may_be_shown
from services.platform.http import ProblemError
from services.platform.identity.caller import Caller


class Kept(NamedTuple):
    """An action as it is kept, and whether it was new."""

    action: ActionTaken
    is_new: bool


async def keep(session: AsyncSession, caller: Caller, look: Look, alert_id: UUID, given: NewStep | NewClosing) -> Kept:
    """Keep the action, or find the one that was kept under its id before.

    Raises `ProblemError`: 404 when there is no such alert that may be shown, 409 when the id stands for something else
    or the case is closed, 422 for a day before the alert or in the future.
    """
    # The lock puts the actions of one alert in order.
    alert = await _found(session, look, _shown(caller, alert_id).with_for_update(of=AlertRow))
    earlier = await session.get(ActionRow, given.action_id)
    if earlier is not None:
        return Kept(_repeated(earlier, alert_id, given), is_new=False)
    if alert.status == "closed" and given.action != "closed":
        raise ProblemError(409, "The case is closed", "After that only another closing is taken, as a correction.")
    kept = await _insert(session, alert_id, given, await _day(session, alert, given))
    if given.action == "closed":
        alert.status, alert.updated_at = "closed", kept.at
    return Kept(kept, is_new=True)


async def actions_of(session: AsyncSession, caller: Caller, look: Look, alert_id: UUID) -> list[ActionTaken]:
    """What was done about an alert, oldest first; raises `ProblemError` 404 as `keep` does."""
    await _found(session, look, _shown(caller, alert_id))
    rows = await session.scalars(select(ActionRow).where(ActionRow.alert_id == alert_id).order_by(ActionRow.position))
    return [_taken(row) for row in rows]


def _shown(caller: Caller, alert_id: UUID) -> Select[AlertRow, date]:
    shown = may_be_shown(AlertRow.student, AlertRow.school_id)
    query = select(AlertRow, consented_students.c.consent_from).join(consented_students, shown)
    return query.where(AlertRow.id == alert_id, visible_to(caller))


async def _found(session: AsyncSession, look: Look, query: Select[AlertRow, date]) -> AlertRow:
    found = (await session.execute(query)).one_or_none()
    if found is None:
        raise _no_such_alert()
    alert, consent = found
    look.at({alert.student: consent})
    return alert


async def _day(session: AsyncSession, alert: AlertRow, given: NewStep | NewClosing) -> date:
    today: date = (await session.execute(select(func.ingest.today(type_=Date)))).scalar_one()
    day = given.on or today
    if not alert.raised_on <= day <= today:
        raise ProblemError(422, "Impossible day", "`on` lies before the day of the alert (`raised_on`) or after today.")
    return day


async def _insert(session: AsyncSession, alert_id: UUID, given: NewStep | NewClosing, day: date) -> ActionTaken:
    values = {"alert_id": alert_id, "action": given.action, "outcome": given.outcome, "on": day}
    new = insert(ActionRow).values(action_id=given.action_id, **values).on_conflict_do_nothing().returning(ActionRow)
    row = await session.scalar(new)
    if row is None:  # another alert's action has taken the id in this moment
        raise _id_is_taken()
    return _taken(row)


def _repeated(earlier: ActionRow, alert_id: UUID, given: NewStep | NewClosing) -> ActionTaken:
    same = (earlier.alert_id, earlier.action, earlier.outcome) == (alert_id, given.action, given.outcome)
    if not same or given.on not in (None, earlier.on):
        raise _id_is_taken()
    return _taken(earlier)


def _taken(row: ActionRow) -> ActionTaken:
    taken = ActionTaken.model_validate(row)
    return taken.model_copy(update={"at": taken.at.astimezone(UTC)})


def _no_such_alert() -> ProblemError:
    return ProblemError(404, "No such alert", "There is no alert with this id, or it may not be shown.")


def _id_is_taken() -> ProblemError:
    return ProblemError(409, "The action's id is taken", "It stands for another action; give a new one its own id.")
