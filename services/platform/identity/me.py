"""`GET /v1/me`: what the service makes of a token."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel

from services.platform.identity.caller import PEOPLE, Caller, Role
from services.platform.identity.guard import may


class Me(BaseModel):
    """The caller."""

    subject: str
    role: Role
    agency: str | None
    schools: list[str] | None
    """None means all."""
    expires_at: datetime


def me_router() -> APIRouter:
    """The route, for whoever has a token."""
    router = APIRouter(prefix="/v1", tags=["identity"])

    @router.get("/me", summary="Who you are to this service")
    async def me(caller: Annotated[Caller, may(*PEOPLE, "service")], response: Response) -> Me:
        response.headers["Cache-Control"] = "no-store"
        schools = None if caller.schools is None else sorted(caller.schools)
        return Me(
            subject=caller.subject,
            role=caller.role,
            agency=caller.agency,
            schools=schools,
            expires_at=caller.expires_at,
        )

    return router
