"""The audit before an application, with the audit in memory: no answer about students without an entry."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import httpx
import pytest
from fastapi import FastAPI

from services.platform.audit.edge import Looking, add_audit
from services.platform.audit.entry import AuditEntry
from services.platform.audit.log import AuditAwayError
from services.platform.http import ProblemError, add_problem_handlers
from services.platform.identity.caller import Caller
from services.platform.identity.edge import add_identity
from services.platform.identity.guard import may
from services.platform.settings import Settings
from tests.identity import Identity
from tests.kept_audit import KeptAudit

SINCE = date(2016, 9, 1)


class Away(KeptAudit):
    """An audit that cannot be written."""

    async def record(self, *entries: AuditEntry) -> None:
        await super().record(*entries)
        raise AuditAwayError("OperationalError")


def make_app(identity: Identity, audit: KeptAudit) -> FastAPI:
    app = FastAPI()
    add_problem_handlers(app)
    add_audit(app, audit)  # type: ignore[arg-type]
    add_identity(app, identity.of(Settings()))

    @app.get("/v1/told")
    async def told(_: Annotated[Caller, may("caseworker")], look: Looking) -> str:
        look.at({"p" * 22: SINCE})
        return "secret"

    @app.get("/v1/begun")
    async def begun(_: Annotated[Caller, may("caseworker")], look: Looking) -> str:
        look.at({"p" * 22: SINCE})
        await look.begin()
        return "secret"

    @app.get("/v1/unsaid")
    async def unsaid(_: Annotated[Caller, may("caseworker")], look: Looking) -> str:  # noqa: ARG001
        return "secret"

    @app.get("/v1/wrong")
    async def wrong(_: Annotated[Caller, may("caseworker")], look: Looking) -> str:
        look.at({"p" * 22: SINCE})
        raise ProblemError(409, "Not now", "It goes on.")

    return app


async def get(identity: Identity, audit: KeptAudit, path: str) -> httpx.Response:
    transport = httpx.ASGITransport(make_app(identity, audit))
    async with httpx.AsyncClient(transport=transport, base_url="http://app", auth=identity.auth()) as client:
        return await client.get(path)


@pytest.mark.parametrize("path", ["/v1/told", "/v1/begun"])
async def test_an_answer_about_students_is_one_entry(identity: Identity, path: str) -> None:
    audit = KeptAudit()
    assert (await get(identity, audit, path)).json() == "secret"
    [entry] = audit.entries
    assert (entry.action, entry.outcome, entry.students) == (f"GET {path}", "allowed", {"p" * 22: SINCE})


@pytest.mark.parametrize("path", ["/v1/told", "/v1/begun", "/v1/nowhere"])
async def test_what_cannot_be_written_is_not_answered(identity: Identity, path: str) -> None:
    answer = await get(identity, Away(), path)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "secret" not in answer.text


async def test_a_route_that_does_not_say_at_whom_it_looks_answers_nothing(identity: Identity) -> None:
    audit = KeptAudit()
    with pytest.raises(RuntimeError, match="GET /v1/unsaid answers without saying"):
        await get(identity, audit, "/v1/unsaid")
    assert audit.entries == []


async def test_an_error_that_shows_nothing_is_no_entry(identity: Identity) -> None:
    audit = KeptAudit()
    assert (await get(identity, audit, "/v1/wrong")).status_code == 409
    assert audit.entries == []
