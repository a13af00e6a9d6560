"""Writing down and reading what was done. Who is not in the consent view has no alerts, and nothing was done.

How a case ended is of the records `housing_status`. Who does not get them reads no outcome of any closing, for one that
is missing among others would say as much, and closes with none that says something of housing.
"""

from __future__ import annotations

from datetime import UTC, date
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Date, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.casework.actions.schemas import ActionTaken, NewClosing, NewStep
from services.casework.history.queries import shown_alerts
from services.casework.tables import ActionRow, AlertRow
from services.contracts.cases import HOUSING_OUTCOMES
from services.platform.audit.edge import Look
from services.platform.consent import is_disclosed
from services.platform.http import ProblemError
from services.platform.identity.caller import Caller
from services.platform.sharing import HOUSING_STATUS


class Kept(NamedTuple):
    """An action as it is kept, and whether it was new."""

    action: ActionTaken
    is_new: bool


async def find_alert(session: AsyncSession, caller: Caller, look: Look, alert_id: UUID) -> AlertRow:
    """The alert, at whose student the caller looks.

    Raises `ProblemError` 404 when there is no such alert that may be shown.
    """
    query = shown_alerts(caller).where(AlertRow.id == alert_id)
    found = (await session.execute(query)).one_or_none()
    if found is None:
        raise ProblemError(404, "No such alert", "There is no alert with this id, or it may not be shown.")
    alert: AlertRow = found[0]
    look.at({alert.student: found.consent_from})
    return alert


async def keep(session: AsyncSession, caller: Caller, alert: AlertRow, given: NewStep | NewClosing) -> Kept:
    """Keep the action on the alert, or find the one that was kept under its id before.

    Raises `ProblemError`: 403 for an outcome of housing that the caller does not get, 409 when the id stands for
    something else or the case is closed, 422 for a day before the alert or in the future.
    """
    told = await _is_told(session, caller, alert)
    if given.outcome in HOUSING_OUTCOMES and not told:
        raise not_their_records()
    earlier = await session.get(ActionRow, given.action_id)
    if earlier is not None:
        return Kept(_repeated(earlier, alert.id, given, told=told), is_new=False)
    if alert.status == "closed" and given.action != "closed":
        raise ProblemError(409, "The case is closed", "After that only another closing is taken, as a correction.")
    kept = await _insert(session, alert.id, given, await _day(session, alert, given))
    if given.action == "closed":
        alert.status, alert.updated_at = "closed", kept.at
    return Kept(kept, is_new=True)


async def actions_of(session: AsyncSession, caller: Caller, alert: AlertRow) -> list[ActionTaken]:
    """What was done about an alert, oldest first."""
    told = await _is_told(session, caller, alert)
    rows = await session.scalars(select(ActionRow).where(ActionRow.alert_id == alert.id).order_by(ActionRow.position))
    return [_taken(row, told=told) for row in rows]


async def _is_told(session: AsyncSession, caller: Caller, alert: AlertRow) -> bool:
    """Whether the caller gets the outcomes: by the token, and the agency of the alert by the agreement."""
    if not caller.has(HOUSING_STATUS):
        return False
    disclosed = is_disclosed(HOUSING_STATUS, AlertRow.agency, AlertRow.school_id)
    return bool(await session.scalar(select(disclosed).where(AlertRow.id == alert.id)))


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
    return _taken(row, told=True)  # to who has just said it


def _repeated(earlier: ActionRow, alert_id: UUID, given: NewStep | NewClosing, *, told: bool) -> ActionTaken:
    """The earlier one; whether its outcome is another is no answer to who is not told of it."""
    same = (earlier.alert_id, earlier.action) == (alert_id, given.action)
    if not same or (told and earlier.outcome != given.outcome) or given.on not in (None, earlier.on):
        raise _id_is_taken()
    return _taken(earlier, told=told)


def _taken(row: ActionRow, *, told: bool) -> ActionTaken:
    taken = ActionTaken.model_validate(row)
    return taken.model_copy(update={"at": taken.at.astimezone(UTC), "outcome": taken.outcome if told else None})


def not_their_records() -> ProblemError:
    """What is answered to an outcome of housing that the caller does not get."""
    return ProblemError(
        403,
        "Not with these records",
        f"The outcome is of the records {HOUSING_STATUS}. Your token must name them, and the agreement in force must "
        "give them to your agency for this school.",
    )


def _id_is_taken() -> ProblemError:
    return ProblemError(409, "The action's id is taken", "It stands for another action; give a new one its own id.")
