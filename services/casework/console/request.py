"""Who asks for a page: what each request of the console begins with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

from fastapi import Request
from starlette.responses import Response

from services.casework.console import language as speaking
from services.casework.console.api import Api, ApiClients
from services.casework.console.refusals import SignInFirstError
from services.casework.console.sessions import COOKIE, ConsoleSession, ConsoleSessions, csrf_of, new_cookie
from services.platform.identity.caller import Caller, Role
from services.platform.identity.keys import KeysAwayError
from services.platform.identity.verifier import InvalidTokenError, TokenVerifier

FORM_COOKIE: Final = "firstbell_form"
"""Of who is not signed in: by it the form to sign in is known again."""
MONTH_SECONDS: Final = 30 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Desk:
    """What the console's requests are answered with."""

    sessions: ConsoleSessions
    verifier: TokenVerifier
    clients: ApiClients
    timezone: ZoneInfo


async def begin(request: Request, desk: Desk) -> None:
    """Find out who asks, and in which language."""
    chosen = request.cookies.get(speaking.COOKIE)
    accepted = request.headers.get("accept-language", "")
    request.state.language = speaking.language_of(chosen, accepted, desk.timezone)
    request.state.session = session = await desk.sessions.find(request.cookies.get(COOKIE))
    request.state.who = None if session is None else await _caller(session, desk.verifier)
    if request.state.who is None:
        request.state.session = None
        request.state.form_cookie = request.cookies.get(FORM_COOKIE) or new_cookie()
        request.state.csrf = csrf_of(request.state.form_cookie)
    else:
        request.state.csrf = request.state.session.csrf


async def _caller(session: ConsoleSession, verifier: TokenVerifier) -> Caller | None:
    try:
        return await verifier.verify(session.token)
    except (InvalidTokenError, KeysAwayError):
        return None


def signed_in(request: Request, *roles: Role) -> Caller:
    """Who is signed in; raises `SignInFirstError`, and `ForAnotherRoleError` where it is for other roles."""
    who: Caller | None = request.state.who
    if who is None:
        raise SignInFirstError
    if roles and who.role not in roles:
        raise ForAnotherRoleError
    return who


class ForAnotherRoleError(Exception):
    """The page is for other roles than that of who is signed in."""


def api_of(request: Request, desk: Desk) -> Api:
    """The API as who is signed in sees it."""
    session: ConsoleSession = request.state.session
    return desk.clients.of(session)


def set_cookie(response: Response, name: str, value: str, **more: Any) -> None:
    """A cookie that no script reads and no other site sends along."""
    response.set_cookie(name, value, path="/", secure=True, httponly=True, samesite="lax", **more)


def end_cookie(response: Response, name: str) -> None:
    """The browser forgets it."""
    response.delete_cookie(name, path="/", secure=True, httponly=True, samesite="lax")
