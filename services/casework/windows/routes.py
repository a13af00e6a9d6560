"""`GET /v1/students/{student}/window`."""

from __future__ import annotations

from typing import Annotated, Final

import httpx
from fastapi import APIRouter, Path
from fastapi.responses import JSONResponse
from pydantic import JsonValue
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from services.casework.history.routes import PSEUDONYM
from services.casework.windows.workers import RecoveringError, ask
from services.platform.consent import consented_students
from services.platform.http import ProblemError

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
    "marks": [{"date": "2016-12-09", "status": "absent", "excused": False}],
}


def window_router(
    sessions: async_sessionmaker[AsyncSession], client: httpx.AsyncClient, workers: tuple[str, ...]
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
    async def window(student: Annotated[str, Path(pattern=PSEUDONYM)]) -> JSONResponse:
        async with sessions() as session:
            student_id = await session.scalar(
                select(consented_students.c.student_id).where(consented_students.c.pseudonym == student)
            )
        if student_id is None:
            raise ProblemError(404, "No such student", "There is no student of this pseudonym with a consent in force.")
        try:
            found = await ask(client, workers, student)
        except RecoveringError as error:
            raise ProblemError(
                503, "Not available now", "The worker that owns the window is away or recovering; ask again.",
                {"Retry-After": str(error.retry_after)},
            ) from None  # fmt: skip
        if found is None:
            raise ProblemError(404, "No window", "Nothing has been recorded for this student yet.")
        return JSONResponse({**found, "student_id": student_id}, headers={"Cache-Control": "no-store"})

    return router
