"""`/login`, `/logout`, `/session` and `/language`: coming, going, staying, and in which language."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final, get_args
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from services.casework.console import language as speaking
from services.casework.console.forms import form_of, local_path, text
from services.casework.console.refusals import RefusedPageError
from services.casework.console.rendering import render
from services.casework.console.request import FORM_COOKIE, MONTH_SECONDS, Desk, end_cookie, set_cookie, signed_in
from services.casework.console.sessions import COOKIE, SignedIn
from services.casework.console.sign_in.ways import SignInWay
from services.platform.identity.caller import OF_AN_AGENCY, Caller, Role
from services.platform.identity.keys import KeysAwayError
from services.platform.identity.own_issuer import Grant
from services.platform.identity.verifier import InvalidTokenError

MINUTES: Final = 60
OFFERED: Final[tuple[Role, ...]] = ("caseworker", "supervisor", "steward", "operator", "lead")
SEE_OTHER: Final = 303


def sign_in_router(desk: Desk, way: SignInWay) -> APIRouter:
    """The routes of who comes."""
    router = APIRouter()

    @router.get("/login")
    async def login(request: Request, token: str | None = None, next: str | None = None) -> Response:  # noqa: A002
        onward = local_path(next)
        if token is not None and way.embedded is not None:
            return await enter(request, desk, SignedIn(token, datetime.now(UTC)), onward)
        if request.state.who is not None:
            return RedirectResponse(onward, SEE_OTHER)
        page = render(request, "login.html", await _offered(way, onward))
        set_cookie(page, FORM_COOKIE, request.state.form_cookie)
        return page

    @router.post("/login")
    async def login_as(request: Request) -> Response:
        form = await form_of(request)
        role = next((one for one in get_args(Role) if one in OFFERED and one == text(form, "role")), None)
        if way.embedded is None or role is None:
            raise RefusedPageError(404, "nothing_here")
        agencies = await way.agencies()
        agency = text(form, "agency") or next(iter(agencies), None)
        if role in OF_AN_AGENCY and agency not in agencies:
            raise RefusedPageError(409, "no_agency")
        grant = Grant(role=role, subject=role, agency=agency if role in OF_AN_AGENCY else None)
        signed = SignedIn(way.embedded.sign(grant, seconds=60 * MINUTES), datetime.now(UTC))
        return await enter(request, desk, signed, local_path(text(form, "next")))

    return router


async def _offered(way: SignInWay, onward: str) -> dict[str, object]:
    """By which ways one can sign in here.

    A link leads to the provider: a form that was sent may not be led on there, by the policy of our pages.
    """
    if way.embedded is not None:
        return {"roles": OFFERED, "agencies": await way.agencies(), "next": onward, "provider": None}
    there = None if way.provider is None else f"/login/provider?{urlencode({'next': onward})}"
    return {"roles": (), "agencies": (), "next": onward, "provider": there}


def session_router(desk: Desk, way: SignInWay) -> APIRouter:
    """The routes of who is signed in: to stay, to go, and in which language."""
    router = APIRouter()

    @router.post("/logout")
    async def logout(request: Request) -> Response:
        await form_of(request)
        if request.state.session is not None:
            await desk.sessions.close(request.state.session.cookie)
        answer = RedirectResponse("/login", SEE_OTHER, {"Clear-Site-Data": '"cache"'})
        end_cookie(answer, COOKIE)
        return answer

    @router.get("/account")
    async def account(request: Request) -> Response:
        signed_in(request)
        return render(request, "account.html", {"can_extend": way.can_extend(request.state.session)})

    @router.post("/session")
    async def extend(request: Request) -> Response:
        form = await form_of(request)
        who = signed_in(request)
        renewed = await way.renewed(request.state.session, who)
        if renewed is None:
            raise RefusedPageError(409, "session_ends")
        until = (await desk.verifier.verify(renewed.token)).expires_at
        until = min(until, request.state.session.ends_for_good_at)
        await desk.sessions.extend(request.state.session.cookie, SignedIn(renewed.token, until, renewed.refresh_token))
        return RedirectResponse(local_path(text(form, "next")), SEE_OTHER)

    @router.post("/language")
    async def language(request: Request) -> Response:
        form = await form_of(request)
        chosen = text(form, "language")
        answer = RedirectResponse(local_path(text(form, "next")), SEE_OTHER)
        if chosen in speaking.LANGUAGES:
            set_cookie(answer, speaking.COOKIE, str(chosen), max_age=12 * MONTH_SECONDS)
        return answer

    return router


async def enter(request: Request, desk: Desk, signed: SignedIn, onward: str) -> Response:
    """Open a session for who has this token; raises `RefusedPageError` when it is not valid."""
    try:
        who: Caller = await desk.verifier.verify(signed.token)
    except InvalidTokenError:
        raise RefusedPageError(401, "token_not_valid") from None
    except KeysAwayError:
        raise RefusedPageError(503, "keys_away") from None
    if who.role == "service":
        raise RefusedPageError(403, "token_not_valid")
    if request.state.session is not None:
        await desk.sessions.close(request.state.session.cookie)
    cookie = await desk.sessions.open(SignedIn(signed.token, who.expires_at, signed.refresh_token))
    answer = RedirectResponse(onward, SEE_OTHER)
    set_cookie(answer, COOKIE, cookie)
    end_cookie(answer, FORM_COOKIE)
    return answer
