"""`GET /v1/quality` and `GET /v1/quality/outcomes`."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Response
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from services.casework.people import READERS
from services.casework.quality.queries import outcomes_by_month, quality_of
from services.casework.quality.schemas import OutcomeMonths, Quality
from services.platform.identity.caller import Caller, Role
from services.platform.identity.guard import may

OF_AGGREGATES: Final[tuple[Role, ...]] = (*READERS, "lead")


def quality_router(sessions: async_sessionmaker[AsyncSession]) -> APIRouter:
    """The routes of quality."""
    router = APIRouter(prefix="/v1/quality", tags=["aggregates"])

    @router.get("", summary="What alerts were worth, by how cases ended")
    async def quality(caller: Annotated[Caller, may(*OF_AGGREGATES)], response: Response) -> Quality:
        response.headers["Cache-Control"] = "no-store"
        async with sessions() as session:
            return await quality_of(session, caller)

    @router.get("/outcomes", summary="How cases ended, month by month")
    async def outcomes(caller: Annotated[Caller, may(*OF_AGGREGATES)], response: Response) -> OutcomeMonths:
        response.headers["Cache-Control"] = "no-store"
        async with sessions() as session:
            return OutcomeMonths(items=await outcomes_by_month(session, caller))

    return router
