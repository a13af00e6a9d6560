"""`/operator`: is the stream behind, and is every part well; no student anywhere."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from services.casework.console.api import Api, ApiError
from services.casework.console.rendering import render
from services.casework.console.request import Desk, api_of, signed_in

AWAY: Final = 503


def operator_router(desk: Desk) -> APIRouter:
    """The route."""
    router = APIRouter()

    @router.get("/operator")
    async def operator(request: Request) -> Response:
        signed_in(request, "operator")
        api = api_of(request, desk)
        partitions = await _partitions(api)
        context = {
            "groups": _by_group(partitions or []),
            "partitions": partitions,
            "health": await api.health(),
        }
        return render(request, "operator.html", context)

    return router


async def _partitions(api: Api) -> list[dict[str, Any]] | None:
    """None while Kafka does not answer."""
    try:
        found: list[dict[str, Any]] = (await api.get("/v1/lag"))["partitions"]
    except ApiError as error:
        if error.status != AWAY:
            raise
        return None
    return found


def _by_group(partitions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each group on each topic: messages and the seconds of the partition that is furthest behind; None is unknown."""
    found: defaultdict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for one in partitions:
        found[one["group"], one["topic"]].append(one)
    return [
        {
            "group": group,
            "topic": topic,
            "lag": _all([one["lag"] for one in rows], sum),
            "seconds": _all([one["seconds_behind"] for one in rows], max),
        }
        for (group, topic), rows in sorted(found.items())
    ]


def _all(values: list[Any], come_to: Any) -> Any:
    return None if None in values else come_to(values)
