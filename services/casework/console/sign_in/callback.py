"""`/login/provider` and `/login/callback`: to the OpenID provider and back."""

from __future__ import annotations

import base64
import json
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import TypeAdapter, ValidationError

from services.casework.console.forms import local_path
from services.casework.console.refusals import RefusedPageError
from services.casework.console.request import Desk, end_cookie, set_cookie
from services.casework.console.sessions import same
from services.casework.console.sign_in.pages import SEE_OTHER, enter
from services.casework.console.sign_in.provider import Attempt, OpenIdProvider, SignInFailedError

COOKIE: Final = "firstbell_sign_in"
SECONDS: Final = 600
_ATTEMPT: Final = TypeAdapter(Attempt)


def provider_router(desk: Desk, provider: OpenIdProvider) -> APIRouter:
    """The routes."""
    router = APIRouter()

    @router.get("/login/provider")
    async def leave(request: Request, next: str | None = None) -> Response:  # noqa: A002, ARG001
        attempt = Attempt.new(local_path(next))
        answer = RedirectResponse(await _or_refused(provider, attempt), SEE_OTHER)
        set_cookie(answer, COOKIE, attempt.kept(), max_age=SECONDS)
        return answer

    @router.get("/login/callback")
    async def come_back(
        request: Request, code: str | None = None, state: str | None = None, error: str | None = None
    ) -> Response:
        attempt = _kept(request.cookies.get(COOKIE))
        if attempt is None or state is None or not same(state, attempt.state):
            raise RefusedPageError(400, "sign_in_again")
        if error is not None or code is None:
            raise RefusedPageError(403, "provider_refused")
        try:
            signed = await provider.redeem(code, attempt)
        except SignInFailedError as failed:
            raise RefusedPageError(502, "provider_failed", {"detail": str(failed)}) from None
        answer = await enter(request, desk, signed, attempt.onward)
        end_cookie(answer, COOKIE)
        return answer

    return router


async def _or_refused(provider: OpenIdProvider, attempt: Attempt) -> str:
    try:
        return await provider.address(attempt)
    except SignInFailedError as failed:
        raise RefusedPageError(502, "provider_failed", {"detail": str(failed)}) from None


def _kept(cookie: str | None) -> Attempt | None:
    if cookie is None:
        return None
    try:
        return _ATTEMPT.validate_python(json.loads(base64.urlsafe_b64decode(cookie + "=" * (-len(cookie) % 4))))
    except (ValueError, ValidationError):
        return None
