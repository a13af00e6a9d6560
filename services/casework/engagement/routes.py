"""`GET /v1/students/{student}/engagement`, and the same as a page: `GET /students/{student}/engagement`."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import HTMLResponse
from pydantic import JsonValue
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from models.engagement.judgement import judge
from models.engagement.policy import engagement_policy
from services.casework.engagement.gathering import GatheredFacts, gather
from services.casework.engagement.page import POLICY_HEADER, render
from services.casework.engagement.people import AskedDay, asked_day, feed_terms, kinds_of
from services.casework.engagement.schemas import StudentEngagement
from services.casework.history.routes import PSEUDONYM
from services.casework.history.visible import consented_to
from services.casework.people import READERS
from services.casework.quota import StudentQuota
from services.platform.audit.edge import Look, Looking
from services.platform.consent import consented_students
from services.platform.http import ProblemError
from services.platform.identity.caller import Caller
from services.platform.identity.guard import may

NOT_THERE: Final[dict[int | str, dict[str, JsonValue]]] = {
    404: {"description": "No such student, or no consent in force, or nothing shared on that day."}
}
NO_STORE: Final = {"Cache-Control": "no-store"}
Student = Annotated[str, Path(pattern=PSEUDONYM, description="The student's pseudonym.")]
AsOf = Annotated[
    date | None, Query(description="As it was known at the end of this day; today if none.", examples=["2016-12-01"])
]


def engagement_router(sessions: async_sessionmaker[AsyncSession], quota: StudentQuota) -> APIRouter:
    """The routes of a student's engagement."""
    router = APIRouter(tags=["students"])
    policy = engagement_policy()

    async def answer(caller: Caller, student: str, as_of: date | None, look: Look) -> StudentEngagement:
        async with sessions() as session:
            day = await asked_day(session, as_of)
            if day.as_of > day.today:
                raise ProblemError(422, "A day to come", "as_of is after today: nothing can be known of it.")
            found = await _find(session, caller, student, day)
        if found is None:
            raise ProblemError(404, "No such student", "There is no student of this pseudonym of whom this is shared.")
        student_id, gathered = found
        look.at(gathered.consents)
        quota.take(caller.subject, [student])
        return StudentEngagement.of(student, student_id, day.as_of, judge(gathered.facts, policy, day.as_of), policy)

    @router.get(
        "/v1/students/{student}/engagement",
        summary="Whether a student's attendance, behaviour and courses are on track",
        responses=NOT_THERE,
    )
    async def engagement(
        *,
        caller: Annotated[Caller, may(*READERS)],
        student: Student,
        as_of: AsOf = None,
        look: Looking,
        response: Response,
    ) -> StudentEngagement:
        found = await answer(caller, student, as_of, look)
        response.headers.update(NO_STORE)
        return found

    @router.get(
        "/students/{student}/engagement",
        summary="The same as a page",
        response_class=HTMLResponse,
        responses=NOT_THERE,
    )
    async def page(
        *, caller: Annotated[Caller, may(*READERS)], student: Student, as_of: AsOf = None, look: Looking
    ) -> HTMLResponse:
        return HTMLResponse(render(await answer(caller, student, as_of, look)), headers={**NO_STORE, **POLICY_HEADER})

    return router


async def _find(session: AsyncSession, caller: Caller, student: str, day: AskedDay) -> tuple[str, GatheredFacts] | None:
    """The district's id and the facts of a student whom the caller may see; None when nothing may be."""
    known = select(consented_students.c.student_id, consented_students.c.agency)
    known = known.where(consented_students.c.pseudonym == student, consented_to(caller))
    found = (await session.execute(known)).one_or_none()
    if found is None:
        return None
    kinds = await kinds_of(session, found.agency, found.student_id)
    allowed = {kind: shown for kind, shown in kinds.items() if caller.has(kind)}
    feeds = await feed_terms(session, found.agency)
    gathered = (await gather(session, feeds, {found.student_id: allowed}, day))[found.student_id]
    return (found.student_id, gathered) if gathered.consents and caller.covers(gathered.school_id) else None
