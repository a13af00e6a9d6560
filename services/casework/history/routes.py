"""`GET /v1/alerts` and `GET /v1/alerts/{id}`."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Path, Query, Request
from fastapi.responses import Response
from pydantic import StringConstraints
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from services.casework.history.as_csv import to_csv, wants_csv
from services.casework.history.cursor import InvalidCursorError, Position, decode, encode
from services.casework.history.queries import Filters, find_alert, list_alerts
from services.casework.history.schemas import AlertDetail, AlertPage
from services.casework.intake.statuses import AlertStatus
from services.casework.people import READERS
from services.casework.quota import StudentQuota
from services.contracts.alerts import Level
from services.platform.audit.edge import Looking
from services.platform.http import ProblemError
from services.platform.identity.caller import Caller
from services.platform.identity.guard import may

PSEUDONYM = r"^[A-Za-z0-9_-]{1,64}$"
TEXT = r"^[^\x00]{1,200}$"

School = Annotated[str, StringConstraints(pattern=TEXT)]
Schools = Annotated[list[School], Query(description="School ids; repeat it for several.", examples=["dearborn"])]
Levels = Annotated[list[Level], Query(description="Levels; repeat it for several.", examples=["urgent"])]
Statuses = Annotated[list[AlertStatus], Query(description="States; repeat it for several.", examples=["open"])]
Student = Annotated[str | None, Query(pattern=PSEUDONYM, description="A student's pseudonym.")]
Since = Annotated[date | None, Query(description="First day of `raised_on`, inclusive.", examples=["2016-12-01"])]
Until = Annotated[date | None, Query(description="Last day of `raised_on`, inclusive.", examples=["2016-12-31"])]
Limit = Annotated[int, Query(ge=1, le=500, description="Alerts on a page.")]
Cursor = Annotated[str | None, Query(max_length=100, description="`next` of the page before.")]


def history_router(sessions: async_sessionmaker[AsyncSession], quota: StudentQuota) -> APIRouter:
    """The routes of the alert history."""
    router = APIRouter(prefix="/v1/alerts", tags=["alerts"])

    @router.get(
        "",
        summary="Alerts, newest first",
        response_model=AlertPage,
        responses={
            200: {
                "description": "A page; `Link` with `rel=next` leads to the next; `Accept: text/csv` gives CSV.",
                "content": {"text/csv": {"example": "id,case_number,student,…"}},
            },
            400: {"description": "The cursor is not one of ours."},
        },
    )
    async def alerts(
        *,
        caller: Annotated[Caller, may(*READERS)],
        request: Request,
        response: Response,
        school: Schools = [],  # noqa: B006 - FastAPI copies it
        level: Levels = [],  # noqa: B006
        status: Statuses = [],  # noqa: B006
        student: Student = None,
        since: Since = None,
        until: Until = None,
        limit: Limit = 50,
        cursor: Cursor = None,
        look: Looking,
        accept: Annotated[str, Header()] = "*/*",
    ) -> AlertPage | Response:
        filters = Filters(school, level, status, student, since, until)
        async with sessions() as session:
            found = await list_alerts(session, caller, filters, _position(cursor), limit + 1)
        items = [each.alert for each in found[:limit]]
        look.at({each.alert.student: each.consent for each in found[:limit]})
        quota.take(caller.subject, [item.student for item in items])
        following = encode(Position(items[-1].raised_on, items[-1].id)) if len(found) > limit else None
        headers = {"Vary": "Accept", "Cache-Control": "no-store"} | _link(request, following)
        if wants_csv(accept):
            return Response(to_csv(items), media_type="text/csv; charset=utf-8", headers=headers)
        response.headers.update(headers)
        return AlertPage(items=items, next=following)

    @router.get("/{id}", summary="One alert with its timeline", responses={404: {"description": "No such alert."}})
    async def alert(
        caller: Annotated[Caller, may(*READERS)],
        id: Annotated[UUID, Path()],  # noqa: A002
        look: Looking,
        response: Response,
    ) -> AlertDetail:
        async with sessions() as session:
            found = await find_alert(session, caller, id)
        if found is None:
            raise ProblemError(404, "No such alert", "There is no alert with this id, or it may not be shown.")
        look.at({found.alert.student: found.consent})
        quota.take(caller.subject, [found.alert.student])
        response.headers["Cache-Control"] = "no-store"
        return found.alert

    return router


def _position(cursor: str | None) -> Position | None:
    try:
        return None if cursor is None else decode(cursor)
    except InvalidCursorError:
        detail = "Use `next` of an earlier answer as it is, or start without."
        raise ProblemError(400, "Invalid cursor", detail) from None


def _link(request: Request, following: str | None) -> dict[str, str]:
    if following is None:
        return {}
    url = request.url.include_query_params(cursor=following)
    return {"Link": f'<{url.path}?{url.query}>; rel="next"'}
