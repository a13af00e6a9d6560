"""`/static/…`: style and script, under addresses that change with them. Nothing of a student is in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fastapi import APIRouter
from fastapi.responses import Response

from services.casework.console.rendering import asset

TYPES: Final[Mapping[str, str]] = {
    "console.css": "text/css; charset=utf-8",
    "console.js": "text/javascript; charset=utf-8",
    "htmx.min.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}


def static_router() -> APIRouter:
    """The route."""
    router = APIRouter()

    @router.get("/static/{hashed}/{name}")
    async def static(hashed: str, name: str) -> Response:
        if name not in TYPES or asset(name)[0] != hashed:
            return Response(status_code=404)
        headers = {"Cache-Control": "public, max-age=31536000, immutable"}
        return Response(asset(name)[1], media_type=TYPES[name], headers=headers)

    return router
