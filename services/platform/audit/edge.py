"""The audit before a service's application: what an answer tells of students is on record before its first byte.

A route that shows students takes a `Look`, says at whom it is, and cannot answer without. Denials are written too, of
whoever has a token; requests without one are counted alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Final

from fastapi import Depends, FastAPI, Request
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.contracts.ids import has_form_of_pseudonym
from services.platform.audit.entry import ALLOWED, AuditEntry
from services.platform.audit.log import AuditAwayError, AuditLog
from services.platform.http import ProblemError
from services.platform.identity.caller import Caller

DENIALS: Final = frozenset({403, 404, 429})
RETRY_AFTER_SECONDS: Final = "5"
_ERRORS: Final = 400
NOWHERE: Final = "no such operation"


class Look:
    """One request's look at students."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._is_written = False
        self.students: Mapping[str, date | None] | None = None
        """Pseudonyms, and since when the consent of each is in force; None until it is said."""
        request.state.look = self

    def at(self, students: Mapping[str, date | None]) -> None:
        """The answer will tell of these."""
        self.students = students

    async def begin(self) -> None:
        """Write it down now, before others are asked; raises `AuditAwayError`."""
        await self._request.app.state.audit.record(_entry(self._request, ALLOWED))
        self._is_written = True

    def must_be_written(self) -> bool:
        """Whether that is still to be done; raises `RuntimeError` when it was never said at whom it is."""
        if self.students is None:
            raise RuntimeError(f"{_action(self._request)} answers without saying of which students")
        return not self._is_written


Looking = Annotated[Look, Depends(Look)]
"""What a route that shows students takes."""


class _Audited:
    """Writes down what an answer is about, and then lets it begin."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or answer 503 in its place."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_withheld = False

        async def audited(message: Message) -> None:
            nonlocal is_withheld
            if message["type"] == "http.response.start":
                try:
                    await _write(HTTPConnection(scope), message["status"])
                except AuditAwayError:
                    is_withheld = True
                    await _audit_away().response()(scope, receive, send)
            if not is_withheld:
                await send(message)

        await self._app(scope, receive, audited)


async def _write(connection: HTTPConnection, status: int) -> None:
    if not hasattr(connection.state, "caller"):
        return
    log: AuditLog = connection.app.state.audit
    look: Look | None = getattr(connection.state, "look", None)
    if status in DENIALS:
        await log.record(_entry(connection, f"denied {status}"))
    elif status < _ERRORS and look is not None and look.must_be_written():
        await log.record(_entry(connection, ALLOWED))


def _entry(connection: HTTPConnection, outcome: str) -> AuditEntry:
    caller: Caller = connection.state.caller
    return AuditEntry(
        subject=caller.subject,
        role=caller.role,
        agency=caller.confined_to,
        action=_action(connection),
        students=_students(connection),
        outcome=outcome,
    )


def _action(connection: HTTPConnection) -> str:
    route = connection.scope.get("route")
    return NOWHERE if route is None else f"{connection.scope['method']} {route.path}"


def _students(connection: HTTPConnection) -> Mapping[str, date | None]:
    look: Look | None = getattr(connection.state, "look", None)
    if look is not None and look.students is not None:
        return look.students
    asked = str(connection.path_params.get("student", ""))
    # What else somebody writes in its place may be a district's id.
    return {asked: None} if has_form_of_pseudonym(asked) else {}


def _audit_away() -> ProblemError:
    detail = "What is shown must be put on record first, and that cannot be done now; ask again."
    return ProblemError(503, "Not available now", detail, {"Retry-After": RETRY_AFTER_SECONDS})


def add_audit(app: FastAPI, log: AuditLog) -> None:
    """Put every answer about students, and every denial, on record."""
    app.state.audit = log
    app.add_middleware(_Audited)

    @app.exception_handler(AuditAwayError)
    async def _away(_: Request, __: AuditAwayError) -> Response:
        return _audit_away().response()
