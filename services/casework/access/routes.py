"""`GET /v1/students/{student}/access`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from services.casework.access.queries import find_consented, was_erased, who_looked, who_may
from services.casework.access.schemas import StudentAccess
from services.casework.history.routes import PSEUDONYM
from services.casework.people import READERS
from services.casework.quota import StudentQuota
from services.platform.audit.edge import Looking
from services.platform.http import ProblemError
from services.platform.identity.caller import Caller
from services.platform.identity.guard import may

Limit = Annotated[int, Query(ge=1, le=1_000, description="Of the looks, so many of the latest.")]


def access_router(sessions: async_sessionmaker[AsyncSession], quota: StudentQuota) -> APIRouter:
    """The route of who may see a student and who has looked."""
    router = APIRouter(prefix="/v1/students", tags=["students"])

    @router.get(
        "/{student}/access",
        summary="Who may see a student, and who has looked",
        responses={404: {"description": "No such student, or no consent in force. A steward is told of past looks."}},
    )
    async def access(
        *,
        caller: Annotated[Caller, may(*READERS)],
        student: Annotated[str, Path(pattern=PSEUDONYM)],
        limit: Limit = 200,
        look: Looking,
        response: Response,
    ) -> StudentAccess:
        async with sessions() as session:
            known = await find_consented(session, caller, student)
            by_steward = caller.role == "steward" and caller.schools is None
            looked = await who_looked(session, student, limit) if known or by_steward else []
            if known is None and not looked and not (by_steward and await was_erased(session, student)):
                raise ProblemError(404, "No such student", "There is no student of this pseudonym with a consent.")
            allowed = [] if known is None else await who_may(session, known)
        look.at({student: None if known is None else known.consent})
        quota.take(caller.subject, [student])
        response.headers["Cache-Control"] = "no-store"
        return StudentAccess(may=allowed, looked=looked)

    return router
