"""What is asked of an ODS/API again, what is not, and what is said of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.ingest.pull import client as client_module
from services.ingest.pull.client import NotOfferedError, OdsClient, OdsError
from services.ingest.pull.credentials import read_credentials
from services.ingest.pull.waiting import retry_after
from services.platform.errors import OperatorError
from tests.unit.ingest.pull.support import ROOT, URL, FakeOds


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "wait_for", lambda _: 0.0)


def answering(fake: FakeOds, answers: Iterator[httpx.Response | Exception]) -> None:
    """The rows' requests get these first, as long as there are any."""

    def before(request: httpx.Request) -> httpx.Response | None:
        if "/ed-fi/" not in request.url.path or (one := next(answers, None)) is None:
            return None
        if isinstance(one, Exception):
            raise one
        return one

    fake.before = before


def ods() -> FakeOds:
    return FakeOds({"grades": [(1, {"id": 1})]})


async def ask(client: OdsClient) -> object:
    return (await client.data("grades", {"offset": 0, "limit": 9})).body


@pytest.mark.usefixtures("no_waiting")
@pytest.mark.parametrize(
    "trouble",
    [
        httpx.Response(429, headers={"Retry-After": "0"}),
        httpx.Response(500),
        httpx.Response(503),
        httpx.Response(200, content=b'[{"id": 1'),
        httpx.ConnectError("gone"),
        httpx.ReadTimeout("late"),
        httpx.RemoteProtocolError("broken off"),
    ],
)
async def test_what_may_pass_is_asked_again(trouble: httpx.Response | Exception) -> None:
    fake, said = ods(), []
    answering(fake, iter([trouble, trouble]))
    assert await ask(fake.client(10, said.append)) == [{"id": 1}]
    assert len(said) == 1  # once is not worth a word


@pytest.mark.usefixtures("no_waiting")
async def test_a_token_that_has_run_out_is_renewed_once() -> None:
    fake = ods()
    answering(fake, iter([httpx.Response(401)]))
    assert await ask(fake.client()) == [{"id": 1}]
    assert fake.tokens == 2
    assert fake.asked[-1].headers["Authorization"] == "Bearer T2"
    answering(fake, iter([httpx.Response(401), httpx.Response(401)]))
    with pytest.raises(OdsError, match="does not accept the token"):
        await ask(fake.client())


async def test_who_does_not_answer_in_time_is_named_and_no_secret() -> None:
    fake = ods()
    answering(fake, iter([httpx.Response(503)]))
    with pytest.raises(OdsError, match=r"does not answer \(503\)\. Run it again later") as error:
        await ask(fake.client())
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(("status", "why"), [(403, "no right"), (404, "does not have it"), (410, "does not have it")])
async def test_what_is_not_offered_is_not_asked_again(status: int, why: str) -> None:
    fake = ods()
    answering(fake, iter([httpx.Response(status)]))
    with pytest.raises(NotOfferedError, match=why):
        await ask(fake.client(10))


async def test_a_client_that_is_refused_is_told_where_to_look() -> None:
    fake = ods()
    fake.before = lambda request: httpx.Response(401) if "oauth" in request.url.path else None
    with pytest.raises(OdsError, match="client_id and client_secret"):
        await ask(fake.client(10))


async def test_another_refusal_is_an_error() -> None:
    fake = ods()
    answering(fake, iter([httpx.Response(400)]))
    with pytest.raises(OdsError, match="grades: the API answers 400"):
        await ask(fake.client(10))


async def test_the_snapshot_is_asked_where_it_is_used() -> None:
    fake = ods()
    client = fake.client()
    await ask(client)
    assert "Use-Snapshot" not in fake.asked[-1].headers
    client.use_snapshot = True
    await ask(client)
    assert fake.asked[-1].headers["Use-Snapshot"] == "true"


@pytest.mark.parametrize(
    ("root", "why"),
    [
        ([], "is not the root"),
        ({}, "is not the root"),
        ({"urls": {**ROOT["urls"], "oauth": 1}}, "is not the root"),
        ({"urls": {**ROOT["urls"], "dataManagementApi": f"{URL}/{{tenant}}/data/v3"}}, "several tenants"),
        ({"urls": {**ROOT["urls"], "oauth": "http://ods.test/token"}}, "without https"),
    ],
)
async def test_an_address_that_is_none_of_an_api_is_told(root: Any, why: str) -> None:
    fake = ods()
    fake.before = lambda request: httpx.Response(200, content=json.dumps(root)) if request.url.path == "/api" else None
    with pytest.raises(OdsError, match=why):
        await ask(fake.client())


async def test_what_the_root_does_not_name_is_where_it_usually_is() -> None:
    fake = ods()
    fake.before = lambda request: httpx.Response(200, json={"urls": {}}) if request.url.path == "/api" else None
    await ask(fake.client())
    await fake.client().changes("availableChangeVersions")
    assert [one.url.path for one in fake.asked[:3]] == ["/api", "/api/oauth/token", "/api/data/v3/ed-fi/grades"]


def test_retry_after_is_seconds_or_a_date() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert retry_after("7") == 7
    assert retry_after("Thu, 01 Jan 2026 00:00:09 GMT", now) == 9
    assert retry_after("Wed, 31 Dec 2025 00:00:00 GMT", now) == 0
    assert retry_after("100000") == 300
    assert retry_after("soon") is None
    assert retry_after(None) is None


def test_credentials_are_read_and_others_readers_told(tmp_path: Path) -> None:
    file, told = tmp_path / "client.toml", list[str]()
    file.write_text('client_id = "I"\nclient_secret = "S"\n')
    file.chmod(0o644)
    found = read_credentials(file, told.append)
    assert (found.client_id, found.client_secret) == ("I", "S")
    assert "S" not in repr(found).removeprefix("ClientCredentials")
    assert "may be read by others" in told[0]
    file.chmod(0o600)
    read_credentials(file, told.append)
    assert len(told) == 1


@pytest.mark.parametrize("text", ["client_id = ", 'client_id = "I"', 'client_id = 1\nclient_secret = "S"'])
def test_credentials_that_cannot_be_used_are_told(tmp_path: Path, text: str) -> None:
    file = tmp_path / "client.toml"
    file.write_text(text)
    file.chmod(0o600)
    with pytest.raises(OperatorError, match="client_secret"):
        read_credentials(file, lambda _: None)
