"""Who is let through, and how those who are not are answered."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI

from services.platform.http import add_health, add_problem_handlers
from services.platform.identity.edge import add_identity
from services.platform.identity.guard import DOCUMENTS, HEALTH, may
from services.platform.identity.own_issuer import Grant
from services.platform.settings import Settings
from tests.identity import Identity


def application(settings: Settings) -> FastAPI:
    app = FastAPI()
    add_problem_handlers(app)
    add_health(app, {})
    add_identity(app, settings)
    router = APIRouter(dependencies=[may("district", "steward")])

    @router.post("/v1/things")
    async def take(thing: dict[str, Any]) -> dict[str, Any]:
        return thing

    app.include_router(router)
    return app


def asking(app: FastAPI) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://app")


@pytest.fixture
async def client(identity: Identity) -> AsyncIterator[httpx.AsyncClient]:
    async with asking(application(identity.of(Settings()))) as found:
        yield found


@pytest.mark.parametrize("given", [None, "", "Bearer", "Bearer ", "Basic dTpw", "Bearer nonsense", "ey.ey.ey"])
async def test_without_a_token_that_holds_the_answer_is_401(client: httpx.AsyncClient, given: str | None) -> None:
    headers = {} if given is None else {"Authorization": given}
    answer = await client.post("/v1/things", content=b"{not json", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith('Bearer realm="firstbell"')
    assert ("invalid_token" in answer.headers["WWW-Authenticate"]) == (given == "Bearer nonsense")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["status"] == 401


async def test_the_scheme_may_be_written_in_any_case(client: httpx.AsyncClient, identity: Identity) -> None:
    token = identity.issuer.sign(Grant(role="lead", subject="p"), seconds=60)
    assert (await client.get("/v1/me", headers={"Authorization": f"bEARER  {token}"})).status_code == 200


async def test_a_role_that_may_not_is_told_which_may(client: httpx.AsyncClient, identity: Identity) -> None:
    answer = await client.post("/v1/things", json={}, auth=identity.auth("lead"))
    assert answer.status_code == 403
    assert "district, steward" in answer.json()["detail"]
    assert "insufficient_scope" in answer.headers["WWW-Authenticate"]
    assert (await client.post("/v1/things", json={"a": 1}, auth=identity.auth("steward"))).json() == {"a": 1}


async def test_what_is_not_there_is_not_told_to_who_is_not_known(client: httpx.AsyncClient, identity: Identity) -> None:
    assert (await client.get("/v1/nothing")).status_code == 401
    assert (await client.get("/v1/nothing", auth=identity.auth("lead"))).status_code == 404


async def test_health_and_documents_are_open(client: httpx.AsyncClient) -> None:
    for path in HEALTH | DOCUMENTS:
        assert (await client.get(path)).status_code == 200, path
    for path in ("/docs/", "//docs", "/docs/../v1/me", "/metrics/x", "/READYZ"):
        assert (await client.get(path)).status_code in {401, 200 if path.endswith("x") else 401}, path


@pytest.mark.parametrize(("setting", "paths"), [("token_for_health", HEALTH), ("token_for_docs", DOCUMENTS)])
async def test_a_setting_asks_for_a_token_there_too(identity: Identity, setting: str, paths: frozenset[str]) -> None:
    settings = identity.of(Settings()).model_copy(update={setting: True})
    async with asking(application(settings)) as client:
        for path in HEALTH | DOCUMENTS:
            assert (await client.get(path)).status_code == (401 if path in paths else 200), path
            assert (await client.get(path, auth=identity.auth("operator"))).status_code == 200, path
            assert (await client.get(path, auth=identity.auth("service"))).status_code == 200, path


async def test_while_the_keys_are_away_it_is_to_be_asked_again(identity: Identity, tmp_path: Path) -> None:
    settings = identity.of(Settings()).model_copy(update={"oidc_jwks": str(tmp_path / "none.json")})
    async with asking(application(settings)) as client:
        answer = await client.get("/v1/me", auth=identity.auth())
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")


async def test_me_says_what_the_service_makes_of_a_token(client: httpx.AsyncClient, identity: Identity) -> None:
    auth = identity.auth("caseworker", subject="p-1", agency="project-hope", schools=["b", "a"])
    answer = (await client.get("/v1/me", auth=auth)).json()
    assert answer.pop("expires_at").endswith("Z")
    assert answer == {"subject": "p-1", "role": "caseworker", "agency": "project-hope", "schools": ["a", "b"]}
    assert (await client.get("/v1/me", auth=identity.auth("operator"))).json()["schools"] is None


def test_the_rule_stands_in_the_documents(identity: Identity) -> None:
    document = application(identity.of(Settings())).openapi()
    assert document["paths"]["/v1/things"]["post"]["security"] == [{"token": ["district", "steward"]}]
    assert document["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
