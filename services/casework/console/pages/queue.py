"""`/`: the queue. Whom to call, why, and what to do first; rows stay where they are until the reader asks for more."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Final, get_args
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response

from services.casework.cases.cursor import CaseOrder
from services.casework.cases.schemas import QueueFilter
from services.casework.console.api import Api, ApiError
from services.casework.console.forms import form_of, local_path, new_key, text
from services.casework.console.pages.acting import body_of, headers_of, with_word
from services.casework.console.refusals import RefusedPageError
from services.casework.console.rendering import render
from services.casework.console.request import Desk, api_of, signed_in
from services.casework.people import WORKERS
from services.platform.identity.caller import Role

SEE_OTHER: Final = 303
ROWS: Final = 50
FILTERS: Final[tuple[QueueFilter, ...]] = get_args(QueueFilter)
HOME: Final[dict[Role, str]] = {"steward": "/steward", "operator": "/operator"}
AT_ONCE: Final[dict[str, tuple[str, ...]]] = {"take": (), "assign": ("to",), "snooze": ("until", "reason")}
"""What can be done about several cases at once, and what must be said with it."""

State = Annotated[QueueFilter, Query()]
Order = Annotated[CaseOrder, Query()]


def queue_router(desk: Desk) -> APIRouter:
    """The routes."""
    router = APIRouter()

    @router.get("/")
    async def queue(
        request: Request,
        state: State = "new",
        order: Order = "level",
        level: str | None = None,
        school: str | None = None,
        cursor: str | None = None,
    ) -> Response:
        who = signed_in(request)
        if who.role not in WORKERS:
            return RedirectResponse(HOME.get(who.role, "/account"), SEE_OTHER)
        api = api_of(request, desk)
        asked = {"state": state, "order": order, "level": level, "school": school, "cursor": cursor, "limit": ROWS}
        page, counts = await asyncio.gather(api.get("/v1/cases", asked), api.get("/v1/cases/counts"))
        chosen = {"state": state, "order": order, "level": level, "school": school}
        context = {
            "cases": page["items"],
            "next": page["next"],
            "counts": counts,
            "filters": FILTERS,
            "orders": get_args(CaseOrder),
            "chosen": chosen,
            "link": lambda **changes: _link(chosen, changes),
            "new_key": new_key,
        }
        return render(request, "queue.html", context)

    @router.post("/queue")
    async def act_on_several(request: Request) -> Response:
        signed_in(request, *WORKERS)
        form = await form_of(request)
        action = text(form, "action") or ""
        if action not in AT_ONCE:
            raise RefusedPageError(404, "nothing_here")
        onward = local_path(text(form, "next"))
        chosen = [str(one) for one in form.getlist("case")]
        if not chosen or any(text(form, name) is None for name in AT_ONCE[action]):
            return RedirectResponse(with_word(onward, "none"), SEE_OTHER)
        api, body = api_of(request, desk), body_of(form, action)
        done = [await _try(api, one, body) for one in chosen]
        return RedirectResponse(with_word(onward, "all" if all(done) else "some"), SEE_OTHER)

    return router


async def _try(api: Api, chosen: str, body: dict[str, Any]) -> bool:
    """Do it about one of the chosen cases (`id:version`); whether it could be done."""
    case, _, version = chosen.partition(":")
    try:
        await api.post(f"/v1/cases/{case}/actions", body, headers_of(version, new_key()))
    except ApiError:
        return False
    return True


def _link(chosen: dict[str, str | None], changes: dict[str, str | None]) -> str:
    query = {name: value for name, value in {**chosen, **changes}.items() if value}
    return f"/?{urlencode(query)}"
