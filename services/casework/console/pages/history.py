"""`/history`: every case, filtered by the address; the same as CSV; and what alerts were worth."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Final, get_args
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import Response

from services.casework.cases.schemas import QueueFilter
from services.casework.console.rendering import render
from services.casework.console.request import Desk, api_of, signed_in
from services.casework.history.as_csv import inert
from services.casework.people import READERS
from services.contracts.alerts import Level
from services.platform.notice import NOTICE

ROWS: Final = 100
MOST_ROWS: Final = 500
COLUMNS: Final = ("number", "state", "level", "school_id", "opened_on", "ended_on", "owner", "outcome")


def history_pages(desk: Desk) -> APIRouter:
    """The routes."""
    router = APIRouter()

    @router.get("/history")
    async def history(request: Request) -> Response:
        signed_in(request, *READERS)
        api, chosen = api_of(request, desk), _chosen(request)
        page = await api.get("/v1/cases", {**chosen, "limit": ROWS, "cursor": request.query_params.get("cursor")})
        context = {
            "cases": page["items"],
            "next": None if page["next"] is None else f"/history?{urlencode({**chosen, 'cursor': page['next']})}",
            "as_csv": f"/history.csv?{urlencode(chosen)}",
            "chosen": chosen,
            "filters": get_args(QueueFilter),
            "quality": await api.get("/v1/quality"),
            "months": (await api.get("/v1/quality/outcomes"))["items"],
        }
        return render(request, "history.html", context)

    @router.get("/history.csv")
    async def as_csv(request: Request) -> Response:
        signed_in(request, *READERS)
        page = await api_of(request, desk).get("/v1/cases", {**_chosen(request), "limit": MOST_ROWS})
        headers = {"Content-Disposition": 'attachment; filename="cases.csv"'}
        return Response(_csv(page["items"]), media_type="text/csv; charset=utf-8", headers=headers)

    return router


def _chosen(request: Request) -> dict[str, str]:
    """The filters of the address; what cannot be one is left out."""
    given = request.query_params
    allowed = {"state": get_args(QueueFilter), "level": get_args(Level)}
    found = {name: given[name] for name in allowed if given.get(name) in allowed[name]}
    texts = {name: given[name] for name in ("school", "owner") if given.get(name)}
    days = {name: given[name] for name in ("since", "until") if _is_day(given.get(name))}
    return {**found, **texts, **days}


def _is_day(given: str | None) -> bool:
    try:
        return bool(given) and date.fromisoformat(str(given)) is not None
    except ValueError:
        return False


def _csv(cases: Iterable[Mapping[str, Any]]) -> str:
    """With the notice in each row, so that it stays with what is copied out."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([*COLUMNS, "students", "notice"])
    for case in cases:
        students = ";".join(student["student_id"] for student in case["students"])
        cells = [*("" if case[name] is None else str(case[name]) for name in COLUMNS), students, NOTICE]
        writer.writerow([inert(cell) for cell in cells])
    return out.getvalue()
