"""`POST /v1/cases/{id}/actions`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Body, Header, Response
from prometheus_client import Counter
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from services.casework.cases.answering import answer, no_such_case
from services.casework.cases.follow import follow_again
from services.casework.cases.kept import as_case, one_at_a_time
from services.casework.cases.queries import find_case
from services.casework.cases.routes import NOT_FOUND, CaseId
from services.casework.cases.schemas import CaseDetail, NewCaseAction
from services.casework.cases.store import AskedAction, action_key, do
from services.casework.people import READERS
from services.casework.quota import StudentQuota
from services.contracts.cases import ReferredTo
from services.platform.audit.edge import Looking
from services.platform.database import service_context
from services.platform.http import ProblemError
from services.platform.identity.caller import Caller
from services.platform.identity.guard import may

_ETAG: Final = re.compile(r'(?:W/)?"(\d{1,18})"')
_NO_VERSION: Final = -1

IfMatch = Annotated[str | None, Header(description="The case's ETag, or `*`.")]
IdempotencyKey = Annotated[
    str | None, Header(min_length=1, max_length=200, description="What is sent again with the same key is done once.")
]

case_actions = Counter("firstbell_casework_case_actions", "Actions on cases", ["action"])


def case_actions_router(
    sessions: async_sessionmaker[AsyncSession],
    quota: StudentQuota,
    receivers: Mapping[ReferredTo, str],
    on_new: Callable[[], None],
) -> APIRouter:
    """The route; `receivers` says who receives which referral, `on_new` is called after an action that is new."""
    router = APIRouter(prefix="/v1/cases", tags=["cases"])

    @router.post(
        "/{id}/actions",
        summary="Take, undo, assign, contact, refer, snooze, close, or answer a referral",
        responses={
            403: {"description": "It is not the caller's to do, or an outcome of housing is outside their records."},
            404: NOT_FOUND,
            409: {"description": "Another has the case (`holder`), or it is not possible now."},
            412: {"description": "The case has changed since it was read."},
            428: {"description": "`If-Match` is missing."},
        },
    )
    async def act(
        *,
        caller: Annotated[Caller, may(*READERS)],
        id: CaseId,  # noqa: A002
        given: Annotated[NewCaseAction, Body()],
        look: Looking,
        response: Response,
        if_match: IfMatch = None,
        idempotency_key: IdempotencyKey = None,
    ) -> CaseDetail:
        key = None if idempotency_key is None else action_key(caller, idempotency_key)
        asked = AskedAction(given, _version(if_match), key)
        async with sessions() as session:
            if await find_case(session, caller, id) is None:
                raise no_such_case()
        with service_context():  # a case is of all its children, those at other schools among them
            is_new = await _do(sessions, caller, id, asked, receivers)
        if is_new:
            case_actions.labels(given.action).inc()
            on_new()
        async with sessions() as session:
            return await answer(session, caller, id, look, quota, response)

    return router


async def _do(
    sessions: async_sessionmaker[AsyncSession],
    caller: Caller,
    case: UUID,
    asked: AskedAction,
    receivers: Mapping[ReferredTo, str],
) -> bool:
    """Do it, whether it was new; raises `ProblemError`."""
    async with sessions.begin() as session:
        await one_at_a_time(session)
        row = await find_case(session, caller, case)
        if row is None:  # its consent has ended in this moment
            raise no_such_case()
        standing = as_case(row)
        receiver = None if standing.referred_to is None else receivers.get(standing.referred_to)
        is_new = await do(session, caller, standing, asked, receiver)
        if is_new and asked.given.action == "undo":
            await follow_again(session, row.id)
        return is_new


def _version(if_match: str | None) -> int | None:
    """The version that was seen; None for `*`. Raises `ProblemError` 428; what is no ETag of ours is no version."""
    if if_match is None:
        detail = "Send the case's ETag as If-Match: so nothing is done about a case that has changed meanwhile."
        raise ProblemError(428, "If-Match is missing", detail)
    if if_match.strip() == "*":
        return None
    found = _ETAG.fullmatch(if_match.strip())
    return int(found[1]) if found else _NO_VERSION
