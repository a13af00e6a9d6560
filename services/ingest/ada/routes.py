"""`GET /v1/average-daily-attendance`."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from datetime import date
from typing import Annotated, Final

from fastapi import APIRouter, Query, Response
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest.ada.reading import AdaQuestion, average_daily_attendance
from services.ingest.ada.schemas import AverageDailyAttendance
from services.ingest.agreement.document import Agreement
from services.platform.audit.edge import Looking
from services.platform.identity.caller import Caller, Role
from services.platform.identity.guard import may

READERS: Final[tuple[Role, ...]] = ("steward", "lead", "supervisor")
AsOf = Annotated[date | None, Query(description="The last day that counts; today if none.", examples=["2016-12-31"])]


def ada_router(engine: AsyncEngine) -> APIRouter:
    """The route of the averages; one answer is made at a time, as it looks through everybody."""
    router = APIRouter(prefix="/v1/average-daily-attendance", tags=["aggregates"])
    alone = asyncio.Lock()

    @router.get("", summary="Average daily attendance by school, grade and month of a school year to date")
    async def averages(
        *, caller: Annotated[Caller, may(*READERS)], as_of: AsOf = None, look: Looking, response: Response
    ) -> AverageDailyAttendance:
        async with alone:
            asked = AdaQuestion(as_of, lambda agreement: _agencies(caller, agreement), caller.covers)
            found = await average_daily_attendance(engine, asked)
        look.at({})
        response.headers["Cache-Control"] = "no-store"
        return AverageDailyAttendance.of(found)

    return router


def _agencies(caller: Caller, agreement: Agreement) -> Collection[str] | None:
    """Whose attendance the caller's averages are of; None: what is shared with anybody.

    A lead without an agency in the token is the agreement's.
    """
    if caller.role == "lead":
        return [caller.agency] if caller.agency else [one.id for one in agreement.party if one.role == "lead"]
    return None if caller.confined_to is None else [caller.confined_to]
