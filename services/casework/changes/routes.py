"""`GET /v1/changes`: which cases changed, as Server-Sent Events of ids alone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated, Final

from fastapi import APIRouter, Header
from fastapi.responses import StreamingResponse

from services.casework.changes.feed import CaseChange, ChangeFeed
from services.casework.people import READERS
from services.platform.identity.caller import Caller
from services.platform.identity.guard import may

KEEP_ALIVE_SECONDS: Final = 15.0
RETRY_MILLISECONDS: Final = 1_000
STREAM_HEADERS: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}

LastEventId = Annotated[str | None, Header(description="Where an earlier stream ended: what came after comes first.")]


def changes_router(feed: ChangeFeed) -> APIRouter:
    """The route of what changes."""
    router = APIRouter(prefix="/v1/changes", tags=["cases"])

    @router.get("", summary="Which cases changed, from now on", response_class=StreamingResponse)
    async def changes(caller: Annotated[Caller, may(*READERS)], last_event_id: LastEventId = None) -> StreamingResponse:
        return stream(feed, caller, last_event_id)

    return router


def stream(feed: ChangeFeed, caller: Caller, last_event_id: str | None) -> StreamingResponse:
    """The caller's stream, which ends with the token or the service."""
    after = int(last_event_id) if last_event_id and last_event_id.isdecimal() else None
    return StreamingResponse(_events(feed, caller, after), media_type="text/event-stream", headers=STREAM_HEADERS)


async def _events(feed: ChangeFeed, caller: Caller, after: int | None) -> AsyncIterator[str]:
    yield f"retry: {RETRY_MILLISECONDS}\n\n"
    changes = feed.subscribe(caller, after)
    following: asyncio.Task[CaseChange] | None = None
    try:
        while (left := (caller.expires_at - datetime.now(UTC)).total_seconds()) > 0:
            following = following or asyncio.ensure_future(anext(changes))
            await asyncio.wait([following], timeout=min(left, KEEP_ALIVE_SECONDS))
            if not following.done():
                yield ": here\n\n"
                continue
            try:
                yield as_event(following.result())
            except StopAsyncIteration:
                return
            following = None
    finally:
        if following is not None:
            following.cancel()
            await asyncio.wait([following])
        await changes.aclose()


def as_event(change: CaseChange) -> str:
    """A change as a Server-Sent Event."""
    data = json.dumps({"case": None if change.case is None else str(change.case)})
    return f"id: {change.position}\nevent: {change.kind}\ndata: {data}\n\n"
