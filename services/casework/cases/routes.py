"""`GET /v1/cases`, `/v1/cases/counts` and `/v1/cases/{id}`."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from services.casework.cases.answering import answer
from services.casework.cases.cursor import CaseOrder, Place, decode, encode
from services.casework.cases.queries import (
    CaseFilters,
    count_cases,
    list_cases,
)
from services.casework.cases.schemas import CaseCounts, CaseDetail, CasePage, QueueFilter
from services.casework.history.cursor import InvalidCursorError
from services.casework.history.routes import Levels, Schools
from services.casework.people import READERS
from services.casework.quota import StudentQuota
from services.platform.audit.edge import Looking
from services.platform.http import ProblemError
from services.platform.identity.caller import Caller
from services.platform.identity.guard import may

NO_STORE: Final = {"Cache-Control": "no-store"}
NOT_FOUND: Final = {"description": "No such case, or no consent in force."}

CaseId = Annotated[UUID, Path(description="The case's id, or that of an alert in it.")]
State = Annotated[QueueFilter | None, Query(description="Which part of the queue.")]
Owner = Annotated[str | None, Query(max_length=200, description="Who has it: the subject of a token.")]
Since = Annotated[date | None, Query(description="First day of `opened_on`, inclusive.")]
Until = Annotated[date | None, Query(description="Last day of `opened_on`, inclusive.")]
Order = Annotated[CaseOrder, Query(description="In which order.")]
Limit = Annotated[int, Query(ge=1, le=500, description="Cases on a page.")]
Cursor = Annotated[str | None, Query(max_length=200, description="`next` of the page before, of the same order.")]


def cases_router(sessions: async_sessionmaker[AsyncSession], quota: StudentQuota) -> APIRouter:
    """The routes that read cases."""
    router = APIRouter(prefix="/v1/cases", tags=["cases"])

    @router.get("", summary="Cases: the queue", responses={400: {"description": "The cursor is not one of ours."}})
    async def cases(
        *,
        caller: Annotated[Caller, may(*READERS)],
        state: State = None,
        school: Schools = [],  # noqa: B006 - FastAPI copies it
        level: Levels = [],  # noqa: B006
        owner: Owner = None,
        since: Since = None,
        until: Until = None,
        order: Order = "newest",
        limit: Limit = 50,
        cursor: Cursor = None,
        look: Looking,
        response: Response,
    ) -> CasePage:
        filters = CaseFilters(state, school, level, owner, since, until)
        place = None if cursor is None else _place(order, cursor)
        async with sessions() as session:
            found = await list_cases(session, caller, filters, order, place, limit + 1)
        items = found.items[:limit]
        shown = {student.student for item in items for student in item.students}
        look.at({student: found.students[student] for student in shown})
        quota.take(caller.subject, shown)
        response.headers.update(NO_STORE)
        following = encode(order, found.places[limit - 1]) if len(found.places) > limit else None
        return CasePage(items=items, next=following)

    @router.get("/counts", summary="How many cases each part of the queue has, up to 500")
    async def counts(caller: Annotated[Caller, may(*READERS)], response: Response) -> CaseCounts:
        async with sessions() as session:
            found = await count_cases(session, caller)
        response.headers.update(NO_STORE)
        return found

    @router.get("/{id}", summary="One case with all that happened", responses={404: NOT_FOUND})
    async def case(
        caller: Annotated[Caller, may(*READERS)],
        id: CaseId,  # noqa: A002
        look: Looking,
        response: Response,
    ) -> CaseDetail:
        async with sessions() as session:
            return await answer(session, caller, id, look, quota, response)

    return router


def _place(order: CaseOrder, cursor: str) -> Place:
    try:
        return decode(order, cursor)
    except InvalidCursorError:
        detail = "Use `next` of an earlier answer of the same order as it is, or start without."
        raise ProblemError(400, "Invalid cursor", detail) from None
