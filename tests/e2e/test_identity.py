"""The running system asks everybody who they are: by `firstbell token`, and with whatever schemathesis thinks of."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import APIOperation, Case, Response

from services.platform.identity.guard import HEALTH
from tests.e2e.system import System, firstbell

EXAMPLES = 8
"""Requests an operation, for each way of asking."""
TIDY = {"deadline": None, "database": None, "derandomize": True, "suppress_health_check": list(HealthCheck)}


def test_a_token_of_the_command_is_believed_and_says_who_has_it(system: System) -> None:
    assert system.where["issuer"] == "urn:firstbell:embedded"
    known = system.bearer("caseworker", "--agency", "project-hope", "--school", "dearborn", "--subject", "p-1")
    for service in ("ingest", "casework", "warning", "notify"):
        url = f"{system.where[service]}/v1/me"
        if service != "notify":
            assert httpx.get(url).status_code == 401
    me = httpx.get(f"{system.where['casework']}/v1/me", headers=known).json()
    assert me.pop("expires_at")
    assert me == {"subject": "p-1", "role": "caseworker", "agency": "project-hope", "schools": ["dearborn"]}
    refused = httpx.post(f"{system.where['ingest']}/v1/attendance", headers=known, json={})
    assert refused.status_code == 403
    assert (system.data_dir / "secrets" / "issuer.jwk").stat().st_mode & 0o777 == 0o600


def test_the_district_sees_no_alerts_and_the_agency_hands_nothing_in(system: System) -> None:
    district, lead = system.bearer("district"), system.bearer("lead")
    assert httpx.get(f"{system.where['casework']}/v1/alerts", headers=district).status_code == 403
    assert httpx.get(f"{system.where['casework']}/v1/alerts", headers=lead).status_code == 403
    for role in ("caseworker", "operator"):
        answer = httpx.post(f"{system.where['ingest']}/v1/consents", headers=system.bearer(role), json={})
        assert answer.status_code == 403


def test_nobody_issues_tokens_for_an_outside_database(system: System) -> None:
    url = "postgresql+psycopg://someone:planted@127.0.0.1:1/none"
    told = firstbell("token", "--role", "lead", "--data-dir", system.data_dir, expect=1, FIRSTBELL_DATABASE=url)
    assert told.stdout == ""
    assert "FIRSTBELL_OIDC_ISSUER" in told.stderr
    assert "planted" not in told.stderr


@pytest.mark.parametrize(
    ("service", "role", "status"),
    [
        ("ingest", None, 401),
        ("casework", None, 401),
        ("warning", None, 401),
        ("ingest", "caseworker", 403),
        ("casework", "district", 403),
        ("warning", "lead", 403),
        ("ingest", "district", None),
        ("casework", "caseworker", None),
        ("warning", "operator", None),
    ],
)
def test_whatever_is_asked_it_is_answered_and_without_a_right_refused(
    system: System, service: str, role: str | None, status: int | None
) -> None:
    known = {} if role is None else system.bearer(role)
    schema = schemathesis.openapi.from_url(f"{system.where[service]}/openapi.json")
    tried = count()

    def look(answer: Response, case: Case) -> None:
        next(tried)
        assert answer.status_code < 500 or answer.headers.get("retry-after"), (answer.status_code, case)
        if status is not None:
            assert answer.status_code == status, (answer.status_code, case)

    for found in schema.get_all_operations():
        operation = found.ok()
        if operation.path not in HEALTH | {"/v1/me", "/v1/changes"}:  # the last is a stream that never ends
            ask(operation, known, look)
    assert next(tried) > EXAMPLES


def ask(operation: APIOperation, known: dict[str, str], look: Callable[[Response, Case], None]) -> None:
    @given(operation.as_strategy())
    @settings(max_examples=EXAMPLES, **TIDY)
    def each(case: Case) -> None:
        case.headers.pop("Authorization", None)
        look(case.call(headers=known), case)

    each()
