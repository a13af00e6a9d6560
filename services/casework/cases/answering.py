"""One case as it is answered with: the case, what happened, and its alerts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from uuid import UUID

from fastapi import Response
from sqlalchemy.ext.asyncio import AsyncSession

from services.casework.cases.kept import is_told
from services.casework.cases.queries import as_items, find_case, shown_alerts_of
from services.casework.cases.schemas import CaseDetail
from services.casework.cases.store import etag
from services.casework.cases.timeline import last_by, timeline_of
from services.casework.history.queries import alert_of
from services.casework.quota import StudentQuota
from services.casework.tables import CaseRow
from services.platform.audit.edge import Look
from services.platform.http import ProblemError
from services.platform.identity.caller import Caller


async def answer(
    session: AsyncSession, caller: Caller, asked: UUID, look: Look, quota: StudentQuota, response: Response
) -> CaseDetail:
    """The case of this id, or of an alert of this id, at whose students the caller looks; raises `ProblemError`."""
    row = await find_case(session, caller, asked)
    if row is None:
        raise no_such_case()
    detail, students = await _detail(session, caller, row)
    look.at(students)
    quota.take(caller.subject, list(students))
    response.headers.update({"Cache-Control": "no-store", "ETag": etag(row.version)})
    return detail


def no_such_case() -> ProblemError:
    """What is answered for a case that is not there, or may not be shown."""
    return ProblemError(404, "No such case", "There is no case with this id, or it may not be shown.")


async def _detail(session: AsyncSession, caller: Caller, row: CaseRow) -> tuple[CaseDetail, Mapping[str, date]]:
    items, students = await as_items(session, caller, [row])
    if not items:  # the consent has ended since the case was found
        raise no_such_case()
    alerts = (await shown_alerts_of(session, caller, [row.id])).get(row.id, [])
    told = await is_told(session, caller, row.id)
    detail = CaseDetail(
        **dict(items[0]),
        timeline=await timeline_of(session, row.id, alerts, told=told),
        alerts=[alert_of(alert.row, alert.student_id) for alert in alerts],
        may_undo=await last_by(session, row.id) == caller.subject,
    )
    return detail, students
