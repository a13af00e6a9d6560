"""Nobody without a token: every request is checked before its route is looked for, each route says who may.

A route names its roles in one way, `may("district")`, which OpenAPI shows as the operation's security requirement.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import Depends, Request, Security
from fastapi.security import HTTPBearer, SecurityScopes
from prometheus_client import Counter
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from services.platform.database import caller_context
from services.platform.http import ProblemError
from services.platform.identity.caller import Caller, Role
from services.platform.identity.keys import KeysAwayError
from services.platform.identity.verifier import InvalidTokenError, TokenVerifier

HEALTH: Final = frozenset({"/healthz", "/readyz", "/metrics"})
DOCUMENTS: Final = frozenset({"/openapi.json", "/docs", "/docs/oauth2-redirect", "/redoc"})
CHALLENGE: Final = 'Bearer realm="firstbell"'
RETRY_AFTER_SECONDS: Final = "10"

refused = Counter("firstbell_requests_without_identity", "Requests whose token was missing or not valid")


class Authentication:
    """Answers 401 where no valid token is shown, and leaves the caller in the request's state.

    It stands before routing and before any body is read, so that a route that was forgotten is not open.
    """

    def __init__(self, app: ASGIApp, verifier: TokenVerifier, open_paths: frozenset[str]) -> None:
        self._app = app
        self._verifier = verifier
        self._open_paths = open_paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let through whoever is known."""
        if scope["type"] != "http" or scope["path"] in self._open_paths:
            await self._app(scope, receive, send)
            return
        try:
            caller = await self._caller(Headers(scope=scope))
        except ProblemError as problem:
            await problem.response()(scope, receive, send)
            return
        scope.setdefault("state", {})["caller"] = caller
        # The database holds the caller to the same, should a query forget it.
        with caller_context(caller.role, agency=caller.confined_to, schools=caller.schools):
            await self._app(scope, receive, send)

    async def _caller(self, headers: Headers) -> Caller:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise _unknown("Send a token: `Authorization: Bearer …`.", CHALLENGE)
        try:
            return await self._verifier.verify(token.strip())
        except InvalidTokenError as error:
            raise _unknown(str(error), f'{CHALLENGE}, error="invalid_token", error_description="{error}"') from None
        except KeysAwayError:
            detail = "The keys of the issuer cannot be read now, so that nobody can be known; ask again."
            raise ProblemError(503, "Not available now", detail, {"Retry-After": RETRY_AFTER_SECONDS}) from None


def _unknown(detail: str, challenge: str) -> ProblemError:
    refused.inc()
    return ProblemError(401, "Who are you?", detail, {"WWW-Authenticate": challenge})


_bearer: Final = HTTPBearer(scheme_name="token", bearerFormat="JWT", auto_error=False)


def _allowed(request: Request, roles: SecurityScopes, _: Annotated[object, Depends(_bearer)]) -> Caller:
    """The caller, whose role is one of those; raises `ProblemError` 403."""
    caller: Caller = request.state.caller
    if caller.role not in roles.scopes:
        raise ProblemError(
            403,
            "Not with this role",
            f"The role of your token is {caller.role}; this is for: {', '.join(roles.scopes)}.",
            {"WWW-Authenticate": f'{CHALLENGE}, error="insufficient_scope"'},
        )
    return caller


def may(*roles: Role) -> Any:
    """Who may use a route: among its `dependencies`, or in the `Annotated` of a parameter that takes the `Caller`."""
    return Security(_allowed, scopes=roles)
