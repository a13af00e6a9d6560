"""`GET /v1/proofs` and `GET /v1/proofs/{id}`."""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest.proofs.queries import find_proof, find_proofs
from services.ingest.proofs.schemas import Proof
from services.platform.audit.edge import Looking
from services.platform.http import ProblemError
from services.platform.identity.caller import Caller, Role
from services.platform.identity.guard import may

READERS: Final[tuple[Role, ...]] = ("district", "steward")
Limit = Annotated[int, Query(ge=1, le=10_000, description="So many of the latest.")]


def proofs_router(engine: AsyncEngine) -> APIRouter:
    """The routes of the proofs of erasure.

    Who is held to schools sees none: of whom was erased no school is known any more.
    """
    router = APIRouter(prefix="/v1/proofs", tags=["proofs"])

    @router.get("", summary="The proofs of erasure, the latest first")
    async def proofs(
        *, caller: Annotated[Caller, may(*READERS)], limit: Limit = 1_000, look: Looking, response: Response
    ) -> list[Proof]:
        async with engine.connect() as connection:
            found = await find_proofs(connection, limit) if caller.schools is None else []
        look.at({one.pseudonym: None for one in found})
        response.headers["Cache-Control"] = "no-store"
        return found

    @router.get(
        "/{id}",
        summary="A proof of erasure: what was removed, and who has confirmed that nothing is left",
        responses={404: {"description": "No such proof."}},
    )
    async def proof(
        caller: Annotated[Caller, may(*READERS)],
        id: Annotated[UUID, Path()],  # noqa: A002
        look: Looking,
        response: Response,
    ) -> Proof:
        async with engine.connect() as connection:
            found = await find_proof(connection, id) if caller.schools is None else None
        if found is None:
            raise ProblemError(404, "No such proof", "There is no proof of this id.")
        look.at({found.pseudonym: None})
        response.headers["Cache-Control"] = "no-store"
        return found

    return router
