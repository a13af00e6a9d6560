"""`/steward`: what is shared, and proof that it ends: referrals to the liaison, erasures and their proofs."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from services.casework.console.rendering import render
from services.casework.console.request import Desk, api_of, signed_in


def steward_router(desk: Desk) -> APIRouter:
    """The route."""
    router = APIRouter()

    @router.get("/steward")
    async def steward(request: Request) -> Response:
        signed_in(request, "steward")
        api = api_of(request, desk)
        referred = await api.get("/v1/cases", {"state": "referred", "limit": 100})
        proofs = await api.ingest("GET", "/v1/proofs")
        return render(request, "steward.html", {"cases": referred["items"], "proofs": proofs})

    return router
