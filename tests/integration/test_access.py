"""Who sees what of casework, on a real Kafka and PostgreSQL. The cases come from its OpenAPI document.

Role by operation by agency by school, the caller's own and another's: a new operation is asked as well,
and one whose path holds what is not known here fails.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple, get_args
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio
from aiokafka import AIOKafkaProducer
from fastapi import FastAPI
from pydantic import SecretStr

from services.casework.app import create_app
from services.casework.quota import exceeded
from services.casework.settings import CaseworkSettings
from services.contracts.alerts import AlertEvent
from services.ingest.agreement.folder import AGENCY
from services.platform.background import Background
from services.platform.identity.caller import OF_AN_AGENCY, Role
from tests.access import Operation, operations
from tests.alert_events import event
from tests.identity import Identity
from tests.integration.conftest import Students
from tests.integration.running import producing, running, say_death, send, until

STREAM = "/v1/changes"
ROLES: tuple[Role, ...] = get_args(Role)
OWN, OTHER = f"own-{uuid4().hex[:8]}", f"other-{uuid4().hex[:8]}"


class Known(NamedTuple):
    """A student with an alert at the school `OWN`."""

    student: str
    student_id: str
    alert: AlertEvent

    def url(self, operation: Operation) -> str:
        """Where this alert or student is asked of; raises `KeyError` when the path holds what is not known here."""
        alert = str(self.alert.alert_id)
        return operation.path.format_map({"id": alert, "alert_id": alert, "student": self.student})


class Access(NamedTuple):
    app: FastAPI
    client: httpx.AsyncClient
    producer: AIOKafkaProducer
    known: Known


async def a_worker() -> tuple[asyncio.Server, str]:
    """Answers every window as one of the school `OWN`, to services alone."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        body = json.dumps({"school_id": OWN, "absent_days": 3})
        status = "200 OK" if b"authorization: bearer ey" in request.lower() else "401 Unauthorized"
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}".encode())
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(answer, "127.0.0.1")
    return server, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def access(
    kafka_bootstrap: str, casework_url: str, master_file: Path, students: Students, identity: Identity
) -> AsyncIterator[Access]:
    worker, url = await a_worker()
    settings = CaseworkSettings(
        kafka=kafka_bootstrap,
        database=SecretStr(casework_url),
        master_key_file=master_file,
        warning_urls=url,
        students_per_hour=6,
    )
    app = create_app(identity.of(settings), Background(say_death))
    student, student_id = await students.consented(OWN)
    known = Known(student, student_id, event(student, school_id=OWN))
    async with worker, running(app) as client, producing(kafka_bootstrap) as producer:
        found = Access(app, client, producer, known)
        await knows(found, identity, known.alert)
        yield found


async def knows(access: Access, identity: Identity, *events: AlertEvent) -> None:
    await send(access.producer, *events)
    path, auth = f"/v1/alerts/{events[-1].alert_id}", identity.auth("steward", subject=uuid4().hex)

    async def taken() -> bool:
        return (await access.client.get(path, auth=auth)).is_success

    await until(taken)


@pytest.mark.parametrize("schools", [None, [OWN], [OTHER, OWN], [OTHER], []], ids=["all", "own", "both", "other", "no"])
@pytest.mark.parametrize("agency", [AGENCY, "another", None])
@pytest.mark.parametrize("role", ROLES)
async def test_every_operation_answers_whom_it_may_of_what_is_theirs(
    access: Access, identity: Identity, role: Role, agency: str | None, schools: list[str] | None
) -> None:
    theirs = (schools is None or OWN in schools) and (role not in OF_AN_AGENCY or agency == AGENCY)
    for operation in operations(access.app):
        if operation.path == STREAM and role in (operation.roles or ()):
            continue  # it never ends: `test_changes.py` says who is told of what
        auth = identity.auth(role, subject=f"{role}-{agency}-{schools}", agency=agency, schools=schools)
        of_case = operation.path.startswith("/v1/cases")
        body = {"action": "take" if of_case else "taken"} if operation.method == "post" else None
        url = access.known.url(operation)
        # What other files' tests have left is no part of a list.
        asked = {"json": body, "params": {"school": OWN}, "headers": {"If-Match": "*"}}
        answer = await access.client.request(operation.method, url, auth=auth, **asked)
        if role not in (operation.roles or ()):
            assert answer.status_code == 403, (operation, answer.text)
        elif of_case and operation.method == "post":  # another has it, or a steward may not take it
            assert (answer.status_code == 404) is not theirs, (operation, answer.text)
        elif theirs or url == operation.path:
            assert answer.is_success, (operation, answer.text)
        else:
            assert answer.status_code == 404, (operation, answer.text)
        if role not in (operation.roles or ()) or not theirs:
            for secret in access.known[:2]:
                assert secret not in answer.text, operation


async def test_lists_and_csv_hold_what_is_the_callers(access: Access, identity: Identity, students: Students) -> None:
    elsewhere, _ = await students.consented()
    await knows(access, identity, event(elsewhere, school_id=OTHER))
    for accept in ("application/json", "text/csv"):
        for agency, schools, seen in (
            (AGENCY, [OWN], {OWN}),
            (AGENCY, [OTHER], {OTHER}),
            (AGENCY, [], set()),
            ("another", None, set()),
        ):
            auth = identity.auth(subject=uuid4().hex, agency=agency, schools=schools)
            query = {"school": [OWN, OTHER]}
            answer = await access.client.get("/v1/alerts", params=query, headers={"Accept": accept}, auth=auth)
            assert {school for school in (OWN, OTHER) if school in answer.text} == seen


async def test_what_is_anothers_looks_as_if_it_were_not_there(access: Access, identity: Identity) -> None:
    auth = identity.auth(subject=uuid4().hex, schools=[OTHER])
    for path, here, nowhere in (
        ("/v1/alerts/{}", access.known.alert.alert_id, uuid4()),
        ("/v1/alerts/{}/actions", access.known.alert.alert_id, uuid4()),
        ("/v1/students/{}/window", access.known.student, "u" * 22),
        ("/v1/students/{}/engagement", access.known.student, "u" * 22),
    ):
        found = [await access.client.get(path.format(which), auth=auth) for which in (here, nowhere)]
        assert [answer.status_code for answer in found] == [404, 404]
        assert found[0].json() == found[1].json()


async def test_over_a_number_of_students_an_hour_nothing_is_told(
    access: Access, identity: Identity, students: Students
) -> None:
    school = uuid4().hex
    people = [(await students.consented())[0] for _ in range(7)]
    events = [event(person, school_id=school) for person in people]
    await knows(access, identity, *events)
    subject, before = uuid4().hex, exceeded._value.get()

    async def get(path: str, *, who: str = subject, accept: str = "*/*") -> httpx.Response:
        return await access.client.get(path, auth=identity.auth(subject=who), headers={"Accept": accept})

    refused = [await get(f"/v1/alerts?school={school}", accept=accept) for accept in ("application/json", "text/csv")]
    first = await get(f"/v1/alerts?school={school}&limit=6")
    assert len(first.json()["items"]) == 6
    [last] = set(people) - {item["student"] for item in first.json()["items"]}
    [alert] = [each.alert_id for each in events if each.student == last]
    refused += [await get(f"/v1/alerts/{alert}"), await get(f"/v1/students/{last}/window")]
    refused.append(await get(f"/v1/alerts/{alert}/actions"))
    taken = {"json": {"action": "taken"}, "auth": identity.auth(subject=subject)}
    refused.append(await access.client.post(f"/v1/alerts/{alert}/actions", **taken))
    for answer in refused:
        assert answer.status_code == 429
        assert 0 < int(answer.headers["Retry-After"]) <= 3600
        assert not any(person in answer.text for person in people)
    assert (await get(f"/v1/alerts?school={school}&limit=6", accept="text/csv")).status_code == 200
    assert (await get(f"/v1/alerts/{alert}", who=uuid4().hex)).status_code == 200
    assert (await get(f"/v1/alerts/{alert}/actions", who=uuid4().hex)).json() == {"items": []}
    metrics = (await access.client.get("/metrics")).text
    assert f"firstbell_casework_student_limit_total {before + 6}" in metrics
    assert subject not in metrics
