"""`GET /v1/students/{student}/year`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Response
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from services.casework.engagement.people import asked_day
from services.casework.engagement.routes import NO_STORE, NOT_THERE, AsOf, Student
from services.casework.people import READERS
from services.casework.quota import StudentQuota
from services.casework.year.days import counts_of, usual_of
from services.casework.year.queries import read_year
from services.casework.year.schemas import ShownDay, StudentYear
from services.platform.audit.edge import Looking
from services.platform.http import ProblemError
from services.platform.identity.caller import Caller
from services.platform.identity.guard import may


def year_router(sessions: async_sessionmaker[AsyncSession], quota: StudentQuota) -> APIRouter:
    """The route of a student's year."""
    router = APIRouter(prefix="/v1/students", tags=["students"])

    @router.get("/{student}/year", summary="A student's school year, day by day", responses=NOT_THERE)
    async def year(
        *,
        caller: Annotated[Caller, may(*READERS)],
        student: Student,
        as_of: AsOf = None,
        look: Looking,
        response: Response,
    ) -> StudentYear:
        async with sessions() as session:
            day = await asked_day(session, as_of)
            if day.as_of > day.today:
                raise ProblemError(422, "A day to come", "as_of is after today: nothing can be known of it.")
            found = await read_year(session, caller, student, day)
        if found is None:
            raise ProblemError(404, "No such student", "There is no student of this pseudonym of whom this is shared.")
        look.at(found.consents)
        quota.take(caller.subject, [student])
        response.headers.update(NO_STORE)
        return StudentYear(
            student=student,
            student_id=found.student_id,
            name=found.name,
            grade=found.grade,
            begins=day.begins,
            as_of=day.as_of,
            days=[
                ShownDay(
                    date=one.day,
                    what=one.what,
                    school_id=one.school,
                    school_rate=None if one.school is None else found.rates.get((one.school, one.day)),
                )
                for one in found.days
            ],
            counts=dict(counts_of(found.days)),
            usual=usual_of(found.days),
        )

    return router
