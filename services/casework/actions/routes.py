"""`POST` and `GET /v1/alerts/{alert_id}/actions`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, Response
from prometheus_client import Counter
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from services.casework.actions.schemas import ActionList, ActionTaken, NewAction
from services.casework.actions.store import Kept, actions_of, find_alert, keep
from services.casework.cases.from_alert import follow_action
from services.casework.cases.kept import one_at_a_time
from services.casework.people import READERS, WORKERS
from services.casework.quota import StudentQuota
from services.platform.audit.edge import Look, Looking
from services.platform.database import service_context
from services.platform.identity.caller import Caller
from services.platform.identity.guard import may

actions_taken = Counter("firstbell_casework_actions", "Actions taken in", ["action"])
NOT_FOUND = {"description": "No such alert, or no consent in force."}


def actions_router(
    sessions: async_sessionmaker[AsyncSession], quota: StudentQuota, on_new: Callable[[], None]
) -> APIRouter:
    """The routes of the actions; `on_new` is called when a new one is committed."""
    router = APIRouter(prefix="/v1/alerts/{alert_id}/actions", tags=["actions"])

    @router.post(
        "",
        summary="Take, snooze, contact or close",
        status_code=201,
        responses={
            200: {"description": "It was taken before, with the same `action_id`.", "model": ActionTaken},
            403: {"description": "The role may not, or an outcome of housing is outside the caller's records."},
            404: NOT_FOUND,
            409: {"description": "The id stands for another action, or the case is closed."},
        },
    )
    async def take(
        caller: Annotated[Caller, may(*WORKERS)],
        alert_id: UUID,
        given: Annotated[NewAction, Body()],
        look: Looking,
        response: Response,
    ) -> ActionTaken:
        async with sessions() as session:
            alert = await find_alert(session, caller, look, alert_id)
            quota.take(caller.subject, [alert.student])
        with service_context():  # its case is of all children of the household, those at other schools among them
            kept = await _keep(caller, alert_id, look, given)
        if kept.is_new:
            actions_taken.labels(given.action).inc()
            on_new()
        else:
            response.status_code = 200
        response.headers["Cache-Control"] = "no-store"
        return kept.action

    async def _keep(caller: Caller, alert_id: UUID, look: Look, given: NewAction) -> Kept:
        async with sessions.begin() as session:
            await one_at_a_time(session)
            kept = await keep(session, caller, await find_alert(session, caller, look, alert_id), given)
            if kept.is_new:
                await session.flush()
                await follow_action(session, caller, kept.action)
            return kept

    @router.get("", summary="What was done about an alert, oldest first", responses={404: NOT_FOUND})
    async def actions(
        caller: Annotated[Caller, may(*READERS)], alert_id: UUID, look: Looking, response: Response
    ) -> ActionList:
        async with sessions() as session:
            alert = await find_alert(session, caller, look, alert_id)
            quota.take(caller.subject, [alert.student])
            items = await actions_of(session, caller, alert)
        response.headers["Cache-Control"] = "no-store"
        return ActionList(items=items)

    return router
