"""Every route of every service says who may, and holds to it. The cases come from the OpenAPI documents."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, cast, get_args

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from pydantic import SecretStr

from services.casework.app import create_app as create_casework
from services.casework.settings import CaseworkSettings
from services.ingest.app import create_app as create_ingest
from services.ingest.settings import IngestSettings
from services.notify.app import create_app as create_notify
from services.notify.settings import NotifySettings
from services.platform.erasure.erasing import Erasures
from services.platform.identity.caller import Role
from services.platform.identity.guard import DOCUMENTS, HEALTH
from services.registry import SERVICES
from services.warning.http import make_edge
from services.warning.settings import WarningSettings
from tests.access import operations
from tests.identity import Identity
from tests.kept_audit import KeptAudit

ROLES: tuple[Role, ...] = get_args(Role)
EXPECTED = {
    "ingest": {
        "POST /v1/attendance": {"district"},
        "POST /v1/consents": {"district"},
        "POST /v1/enrollments": {"district"},
        "POST /v1/school-days": {"district"},
        "GET /v1/proofs": {"district", "steward"},
        "GET /v1/proofs/{id}": {"district", "steward"},
        "GET /v1/average-daily-attendance": {"steward", "lead", "supervisor"},
    },
    "warning": {
        "GET /v1/students/{student}/window": {"service"},
        "GET /v1/scores": {"service"},
        "GET /v1/model": {"operator", "service"},
    },
    "casework": {
        "GET /v1/alerts": {"caseworker", "supervisor", "steward"},
        "GET /v1/alerts/{id}": {"caseworker", "supervisor", "steward"},
        "GET /v1/alerts/{alert_id}/actions": {"caseworker", "supervisor", "steward"},
        "POST /v1/alerts/{alert_id}/actions": {"caseworker", "supervisor"},
        "GET /v1/cases": {"caseworker", "supervisor", "steward"},
        "GET /v1/cases/counts": {"caseworker", "supervisor", "steward"},
        "GET /v1/cases/{id}": {"caseworker", "supervisor", "steward"},
        "POST /v1/cases/{id}/actions": {"caseworker", "supervisor", "steward"},
        "GET /v1/deliveries": {"caseworker", "supervisor", "steward"},
        "GET /v1/quality": {"caseworker", "supervisor", "steward", "lead"},
        "GET /v1/quality/outcomes": {"caseworker", "supervisor", "steward", "lead"},
        "GET /v1/lag": {"operator", "service"},
        "GET /v1/changes": {"caseworker", "supervisor", "steward"},
        "GET /v1/students/{student}/window": {"caseworker", "supervisor", "steward"},
        "GET /v1/students/{student}/access": {"caseworker", "supervisor", "steward"},
        "GET /v1/students/{student}/year": {"caseworker", "supervisor", "steward"},
        "GET /v1/students/{student}/engagement": {"caseworker", "supervisor", "steward"},
        "GET /students/{student}/engagement": {"caseworker", "supervisor", "steward"},
    },
    "notify": {},
}
"""Who may do what, once more: a rule is not loosened by the way. `/v1/me` is everybody's, everywhere."""


@pytest.fixture(scope="module")
def apps(identity: Identity, tmp_path_factory: pytest.TempPathFactory) -> dict[str, FastAPI]:
    common: dict[str, Any] = {
        "data_dir": tmp_path_factory.mktemp("apps"),
        "kafka": "nowhere:1",
        "database": SecretStr("postgresql+psycopg://nowhere/none"),
    }
    notify = NotifySettings(**common, smtp="nowhere:1", public_url="http://casework.example")
    warning = identity.of(WarningSettings(**common))
    return {
        "ingest": create_ingest(identity.of(IngestSettings(**common))),
        "warning": make_edge(cast("Any", None), cast("Any", None), cast("Any", None), cast("Any", None), warning),
        "casework": create_casework(identity.of(CaseworkSettings(**common))),
        "notify": create_notify(identity.of(notify)),
    }


def test_every_service_is_looked_at(apps: dict[str, FastAPI]) -> None:
    assert list(apps) == [service.name for service in SERVICES] == list(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_every_operation_has_the_rule_that_is_expected_of_it(apps: dict[str, FastAPI], name: str) -> None:
    found = {each.name: each.roles for each in operations(apps[name])}
    assert found == {**EXPECTED[name], "GET /v1/me": set(ROLES)}


@pytest.mark.parametrize("name", EXPECTED)
def test_no_route_is_left_out_of_the_documents(apps: dict[str, FastAPI], name: str) -> None:
    told = set(apps[name].openapi()["paths"])
    routed = {cast("str", route.path) for route in iter_route_contexts(apps[name].routes)}
    assert routed - told == DOCUMENTS
    assert told >= HEALTH


@pytest.mark.parametrize("name", EXPECTED)
async def test_without_a_token_and_with_the_wrong_role_nothing_is_answered(
    apps: dict[str, FastAPI], identity: Identity, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(Erasures, "is_whole", property(lambda _: True))  # there is no database to compare
    transport = httpx.ASGITransport(apps[name])
    audit = apps[name].state.audit = KeptAudit()
    denied = []
    async with httpx.AsyncClient(transport=transport, base_url="http://app") as client:
        for each in operations(apps[name]):
            url = re.sub(r"\{\w+\}", "x", each.path)
            answer = await client.request(each.method, url)
            assert (answer.status_code, answer.headers["WWW-Authenticate"][:6]) == (401, "Bearer"), each
            for role in set(ROLES) - (each.roles or frozenset()):
                answer = await client.request(each.method, url, auth=identity.auth(role), json={"action": "taken"})
                assert answer.status_code == 403, (each, role)
                denied.append((role, each.name, "denied 403"))
    written = [(entry.role, entry.action, entry.outcome) for entry in audit.entries]
    assert written == (denied if name != "warning" else [])  # which has no database, and knows services alone


def test_a_rule_is_named_in_one_way_alone() -> None:
    services = Path(__file__).parents[2] / "services"
    sources = {path: path.read_text(encoding="utf-8") for path in services.rglob("*.py")}
    guard = services / "platform" / "identity" / "guard.py"
    for word in ("Security(", "HTTPBearer(", "SecurityScopes"):
        assert [path for path, text in sources.items() if word in text] == [guard]
