"""The console's application, and how it stands before the API. All of its wiring is here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlsplit

import httpx
from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse, RedirectResponse, Response
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from starlette.exceptions import HTTPException
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from services.casework.changes.feed import ChangeFeed
from services.casework.console.api import ApiClients, ApiError
from services.casework.console.edge import WithConsole
from services.casework.console.live import live_router
from services.casework.console.pages.case import case_router
from services.casework.console.pages.history import history_pages
from services.casework.console.pages.operator import operator_router
from services.casework.console.pages.queue import queue_router
from services.casework.console.pages.steward import steward_router
from services.casework.console.refusals import RefusedPageError, SignInFirstError
from services.casework.console.rendering import render
from services.casework.console.request import Desk, ForAnotherRoleError, begin
from services.casework.console.sessions import ConsoleSessions
from services.casework.console.sign_in.callback import provider_router
from services.casework.console.sign_in.pages import SEE_OTHER, session_router, sign_in_router
from services.casework.console.sign_in.provider import OpenIdProvider
from services.casework.console.sign_in.ways import SignInWay
from services.casework.console.static_files import static_router
from services.casework.settings import CaseworkSettings
from services.platform.consent import DATABASE_AWAY, live_schools
from services.platform.identity.trust import make_verifier, sign_in_issuer
from services.platform.listening import is_loopback
from services.platform.settings import SettingsError

PROVIDER_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class BehindConsole:
    """What stands behind the console: the API, and what it is made of."""

    api: ASGIApp
    sessions: async_sessionmaker[AsyncSession]
    feed: ChangeFeed


def with_console(behind: BehindConsole, settings: CaseworkSettings) -> WithConsole:
    """The API with the console before it; raises `SettingsError` when a setting cannot be used."""
    ingest = settings.url_here(settings.ingest_port) if settings.ingest_port else settings.ingest_url
    clients = ApiClients(behind.api, ingest)
    desk = Desk(ConsoleSessions(behind.sessions), make_verifier(settings, for_people=True), clients, settings.tz)
    way = _way(settings, behind.sessions)
    console = _console(desk, way, behind.feed)
    if way.embedded is not None:  # it asks for no password: a name that leads here by a trick is not answered
        console.add_middleware(TrustedHostMiddleware, allowed_hosts=_own_names(settings))
    return WithConsole(behind.api, console)


def _own_names(settings: CaseworkSettings) -> list[str]:
    public = urlsplit(settings.public_url or "").hostname
    return ["127.0.0.1", "localhost", "[", settings.host, *([] if public is None else [public])]  # "[": of [::1]


class Begun:
    """Finds out who asks before a page is made."""

    def __init__(self, app: ASGIApp, desk: Desk) -> None:
        self._app = app
        self._desk = desk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or say that it is not possible now."""
        if scope["type"] == "http" and not scope["path"].startswith("/static/"):
            try:
                await begin(Request(scope), self._desk)
            except DATABASE_AWAY:
                away = PlainTextResponse("Not available now; try again in a moment.", 503, {"Retry-After": "5"})
                await away(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _console(desk: Desk, way: SignInWay, feed: ChangeFeed) -> FastAPI:
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.add_middleware(Begun, desk=desk)
    _add_refusals(app)
    app.include_router(static_router())
    app.include_router(sign_in_router(desk, way))
    app.include_router(session_router(desk, way))
    if way.provider is not None:
        app.include_router(provider_router(desk, way.provider))
    app.include_router(live_router(feed))
    app.include_router(queue_router(desk))
    app.include_router(case_router(desk))
    app.include_router(history_pages(desk))
    app.include_router(steward_router(desk))
    app.include_router(operator_router(desk))
    return app


def _add_refusals(app: FastAPI) -> None:
    @app.exception_handler(SignInFirstError)
    async def _sign_in(request: Request, _: SignInFirstError) -> Response:
        here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        onward = "" if request.method != "GET" or here == "/" else f"?next={quote(here, safe='')}"
        return RedirectResponse(f"/login{onward}", SEE_OTHER)

    @app.exception_handler(ForAnotherRoleError)
    async def _role(request: Request, _: ForAnotherRoleError) -> Response:
        return render(request, "refused.html", {"why": "another_role", "problem": {}, "status": 403}, status=403)

    @app.exception_handler(RefusedPageError)
    async def _refused(request: Request, refused: RefusedPageError) -> Response:
        context = {"why": refused.why, "problem": refused.problem, "status": refused.status}
        return render(request, "refused.html", context, status=refused.status)

    @app.exception_handler(ApiError)
    async def _api(request: Request, error: ApiError) -> Response:
        if error.status == httpx.codes.UNAUTHORIZED:
            return RedirectResponse("/login", SEE_OTHER)
        context = {"why": f"api_{error.status}", "problem": error.problem, "status": error.status}
        return render(request, "refused.html", context, status=error.status)

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> Response:
        context = {"why": "nothing_here", "problem": {}, "status": error.status_code}
        return render(request, "refused.html", context, status=error.status_code)


def _way(settings: CaseworkSettings, sessions: async_sessionmaker[AsyncSession]) -> SignInWay:
    async def agencies() -> Sequence[str]:
        async with sessions() as session:
            found = await session.scalars(select(live_schools.c.agency).distinct().order_by(live_schools.c.agency))
            return list(found)

    embedded = sign_in_issuer(settings) if is_loopback(settings.host) else None
    return SignInWay(embedded, None if embedded is not None else _provider(settings), agencies)


def _provider(settings: CaseworkSettings) -> OpenIdProvider | None:
    if settings.oidc_client_id is None or settings.oidc_issuer is None:
        return None
    if settings.public_url is None:
        raise SettingsError("FIRSTBELL_PUBLIC_URL is not set: people come back to it when they have signed in.")
    secret = None if settings.oidc_client_secret is None else settings.oidc_client_secret.get_secret_value()
    return OpenIdProvider(
        settings.oidc_issuer,
        settings.oidc_client_id,
        secret,
        f"{settings.public_url.rstrip('/')}/login/callback",
        httpx.AsyncClient(timeout=PROVIDER_SECONDS),
    )
