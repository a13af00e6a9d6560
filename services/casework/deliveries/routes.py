"""`GET /v1/deliveries`."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from services.casework.deliveries.queries import DeliveryFilters, list_deliveries
from services.casework.deliveries.schemas import DeliveryPage, DeliveryState
from services.casework.people import READERS
from services.casework.quota import StudentQuota
from services.platform.audit.edge import Looking
from services.platform.identity.caller import Caller
from services.platform.identity.guard import may

State = Annotated[DeliveryState | None, Query(description="How far they came.")]
Of = Annotated[UUID | None, Query(description="Only of this one.")]
Limit = Annotated[int, Query(ge=1, le=500, description="Deliveries on a page.")]
Cursor = Annotated[str | None, Query(pattern=r"^\d{1,18}$", description="`next` of the page before.")]


def deliveries_router(sessions: async_sessionmaker[AsyncSession], quota: StudentQuota) -> APIRouter:
    """The route of the deliveries."""
    router = APIRouter(prefix="/v1/deliveries", tags=["cases"])

    @router.get("", summary="What was or will be sent, the newest first")
    async def deliveries(
        *,
        caller: Annotated[Caller, may(*READERS)],
        state: State = None,
        case: Of = None,
        alert: Of = None,
        limit: Limit = 50,
        cursor: Cursor = None,
        look: Looking,
        response: Response,
    ) -> DeliveryPage:
        filters = DeliveryFilters(state, case, alert)
        async with sessions() as session:
            before = None if cursor is None else int(cursor)
            found = await list_deliveries(session, caller, filters, before, limit + 1)
        shown = found[:limit]
        look.at({one.student: one.consent for one in shown})
        quota.take(caller.subject, [one.student for one in shown])
        response.headers["Cache-Control"] = "no-store"
        following = str(shown[-1].position) if len(found) > limit else None
        return DeliveryPage(items=[one.item for one in shown], next=following)

    return router
