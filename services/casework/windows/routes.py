"""`GET /v1/students/{student}/window`."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Final, NamedTuple

import httpx
from fastapi import APIRouter, Path
from fastapi.responses import JSONResponse
from pydantic import JsonValue
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from services.casework.history.routes import PSEUDONYM
from services.casework.history.visible import consented_to
from services.casework.people import READERS
from services.casework.quota import StudentQuota
from services.casework.windows.statements import statements_of
from services.casework.windows.workers import RecoveringError, ask
from services.platform.audit.edge import Looking
from services.platform.consent import consented_students, live_schools
from services.platform.http import ProblemError
from services.platform.identity.caller import Caller
from services.platform.identity.guard import may
from services.platform.sharing import ANY

EXAMPLE: Final[dict[str, JsonValue]] = {
    "student_id": "D-100017",
    "school_id": "dearborn",
    "as_of": "2016-12-09",
    "enrolled_days": 62,
    "absent_days": 9,
    "absence_rate": 0.14516129032258066,
    "excused_days": 2,
    "tardy_days": 1,
    "current_streak": 5,
    "longest_streak": 5,
    "absences_5": 5,
    "absences_10": 5,
    "absences_20": 6,
    "absences_45": 8,
    "moves": 2,
    "not_shared_days": 10,
    "marks": [{"date": "2016-12-09", "status": "absent", "excused": False}],
    "statements": [
        {
            "number": 12,
            "about": "2016-12-09",
            "statement": "She was at the doctor's that day.",
            "asked_on": "2016-12-12",
            "decided_on": None,
            "decision": None,
            "note": None,
        }
    ],
}


def window_router(
    sessions: async_sessionmaker[AsyncSession],
    quota: StudentQuota,
    client: httpx.AsyncClient,
    workers: tuple[str, ...],
) -> APIRouter:
    """The route of a student's window."""
    router = APIRouter(prefix="/v1/students", tags=["students"])

    @router.get(
        "/{student}/window",
        summary="A student's window, as the worker that owns it has it",
        responses={
            200: {"content": {"application/json": {"example": EXAMPLE}}},
            404: {"description": "No such student, or no consent in force, or nothing recorded yet."},
            503: {"description": "The worker is away or recovering; see `Retry-After`."},
        },
    )
    async def window(
        caller: Annotated[Caller, may(*READERS)], student: Annotated[str, Path(pattern=PSEUDONYM)], look: Looking
    ) -> JSONResponse:
        async with sessions() as session:
            known = await _known(session, caller, student)
            statements = [] if known is None else await statements_of(session, student)
        if known is None:
            raise _no_such_student()
        look.at({student: known.consent})
        await look.begin()
        try:
            found = await ask(client, workers, student)
        except RecoveringError as error:
            raise ProblemError(
                503, "Not available now", "The worker that owns the window is away or recovering; ask again.",
                {"Retry-After": str(error.retry_after)},
            ) from None  # fmt: skip
        if found is None:
            raise ProblemError(404, "No window", "Nothing has been recorded for this student yet.")
        if not _theirs(caller, known.schools, found.get("school_id")):
            raise _no_such_student()
        quota.take(caller.subject, [student])
        marks = found.get("marks")
        shared = [
            mark
            for mark in (marks if isinstance(marks, list) else [])
            if isinstance(mark, dict) and _theirs(caller, known.schools, mark.get("school_id"))
        ]
        said = [one.model_dump(mode="json") for one in statements]
        answer = {**found, "marks": shared, "student_id": known.student_id, "statements": said}
        return JSONResponse(answer, headers={"Cache-Control": "no-store"})

    return router


class _Known(NamedTuple):
    student_id: str
    consent: date
    """Since when it is in force."""
    schools: frozenset[str]
    """Whose attendance flows to the student's agency now."""


async def _known(session: AsyncSession, caller: Caller, student: str) -> _Known | None:
    """What may be known of the student; None when nothing may."""
    consented = consented_students.c
    query = select(consented.student_id, consented.consent_from, consented.agency)
    query = query.where(consented.pseudonym == student, consented_to(caller))
    found = (await session.execute(query)).one_or_none()
    if found is None:
        return None
    schools = await session.scalars(select(live_schools.c.school_id).where(live_schools.c.agency == found.agency))
    return _Known(found.student_id, found.consent_from, frozenset(schools))


def _theirs(caller: Caller, schools: frozenset[str], school_id: JsonValue) -> bool:
    """Whether what is of this school is shared with the agency, and within what the caller may see."""
    school = school_id if isinstance(school_id, str) else None
    return caller.covers(school) and (school is None or bool(schools & {school, ANY}))


def _no_such_student() -> ProblemError:
    return ProblemError(404, "No such student", "There is no student of this pseudonym with a consent in force.")
