"""`/stream`: which cases changed, as ids alone, for the page that is open."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Request
from fastapi.responses import StreamingResponse

from services.casework.changes.feed import ChangeFeed
from services.casework.changes.routes import stream
from services.casework.console.request import signed_in
from services.casework.people import READERS


def live_router(feed: ChangeFeed) -> APIRouter:
    """The route."""
    router = APIRouter()

    @router.get("/stream")
    async def live(request: Request, last_event_id: Annotated[str | None, Header()] = None) -> StreamingResponse:
        return stream(feed, signed_in(request, *READERS), last_event_id)

    return router
