"""`/cases/{id}`: one household: why it is here, whom to call, what was done, and what to do next."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Path, Request
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import FormData

from services.casework.console.api import Api, ApiError
from services.casework.console.forms import form_of, local_path, new_key, text
from services.casework.console.pages.acting import FIELDS, body_of, headers_of, with_word
from services.casework.console.refusals import RefusedPageError
from services.casework.console.rendering import render
from services.casework.console.request import Desk, api_of, signed_in
from services.casework.console.strip import strip_of
from services.casework.console.words import HOUSING, Words
from services.casework.people import READERS
from services.platform.sharing import HOUSING_STATUS

SEE_OTHER: Final = 303
NOT_FOUND: Final = 404
KEPT_DRAFT: Final = frozenset({409, 412, 422})
"""What a draft survives: it is shown again beside what has changed."""

CaseId = Annotated[UUID, Path()]


def case_router(desk: Desk) -> APIRouter:
    """The routes."""
    router = APIRouter()

    @router.get("/cases/{id}")
    async def case(request: Request, id: CaseId) -> Response:  # noqa: A002
        signed_in(request, *READERS)
        api = api_of(request, desk)
        found = await api.get(f"/v1/cases/{id}")
        if found["id"] != str(id):
            return RedirectResponse(f"/cases/{found['id']}", SEE_OTHER)
        return await _page(request, api, found)

    @router.post("/cases/{id}")
    async def act(request: Request, id: CaseId) -> Response:  # noqa: A002
        signed_in(request, *READERS)
        form = await form_of(request)
        action = text(form, "action") or ""
        if action not in FIELDS:
            raise RefusedPageError(404, "nothing_here")
        api = api_of(request, desk)
        headers = headers_of(text(form, "version") or "0", text(form, "key") or new_key())
        try:
            await api.post(f"/v1/cases/{id}/actions", body_of(form, action), headers)
        except ApiError as error:
            if error.status not in KEPT_DRAFT:
                raise
            return await _again(request, api, id, form, error)
        return RedirectResponse(with_word(local_path(text(form, "next") or f"/cases/{id}"), action), SEE_OTHER)

    return router


async def _or_none(api: Api, path: str) -> Any:
    """What the API answers; None where nothing of it may be shown."""
    try:
        return await api.get(path)
    except ApiError as error:
        if error.status != NOT_FOUND:
            raise
        return None


async def _again(request: Request, api: Api, case: UUID, form: FormData, error: ApiError) -> Response:
    """The case as it is now, what was written, and why it was not done."""
    draft = {name: str(value) for name, value in form.items() if isinstance(value, str)}
    found = await api.get(f"/v1/cases/{case}")
    return await _page(request, api, found, draft=draft, error=error)


async def _page(
    request: Request,
    api: Api,
    case: dict[str, Any],
    *,
    draft: dict[str, str] | None = None,
    error: ApiError | None = None,
) -> Response:
    students = [student["student"] for student in case["students"]]
    access = await asyncio.gather(*(api.get(f"/v1/students/{one}/access", {"limit": 20}) for one in students))
    years = await asyncio.gather(*(_or_none(api, f"/v1/students/{one}/year") for one in students))
    told = await api.get("/v1/deliveries", {"case": case["id"], "limit": 100})
    words = Words(request.state.language)
    who = request.state.who
    context = {
        "case": case,
        "draft": defaultdict(str, draft or {}),
        "error": error,
        "access": dict(zip(students, access, strict=True)),
        "years": {one: year for one, year in zip(students, years, strict=True) if year is not None},
        "strips": {one: strip_of(year, words) for one, year in zip(students, years, strict=True) if year is not None},
        "may_act": who.role == "supervisor" or case["owner"] in {None, who.subject},
        "deliveries": told["items"],
        "ended": case["state"] in {"closed", "cleared", "withdrawn"},
        "may_say_housing": who.has(HOUSING_STATUS),
        "housing": HOUSING,
        "new_key": new_key,
    }
    return render(request, "case.html", context, status=200 if error is None else error.status)
