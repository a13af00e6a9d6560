"""Casework on a real Kafka and PostgreSQL."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio
from aiokafka import AIOKafkaProducer
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.casework.app import create_app
from services.casework.settings import CaseworkSettings
from services.contracts.alerts import AlertEvent
from services.contracts.rejected import Rejected
from services.contracts.sealed import seal
from services.contracts.topics import ALERTS, CASE_ACTIONS, REJECTED
from services.platform.background import Background
from services.platform.kafka import make_consumer
from services.platform.notice import NOTICE
from tests.alert_events import event, reason
from tests.identity import Identity
from tests.integration.conftest import Students
from tests.integration.running import answers, producing, running, say_death, sealed, send, until
from tests.sealing import cipher_of


class Casework(NamedTuple):
    client: httpx.AsyncClient
    producer: AIOKafkaProducer

    async def knows(self, *events: AlertEvent) -> None:
        """Send them and wait until the last is in the history."""
        await send(self.producer, *events)
        last = events[-1]

        async def taken() -> bool:
            answer = await self.client.get(f"/v1/alerts/{last.alert_id}")
            return answer.is_success and len(answer.json()["timeline"]) >= last.seq

        await until(taken)

    async def ids(self, **query: str | int | list[str]) -> list[str]:
        answer = await self.client.get("/v1/alerts", params=query)
        assert answer.status_code == 200, answer.text
        return [item["id"] for item in answer.json()["items"]]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def casework(
    kafka_bootstrap: str, casework_url: str, master_file: Path, identity: Identity
) -> AsyncIterator[Casework]:
    app = create_app(identity.of(settings(kafka_bootstrap, casework_url, master_file)), Background(say_death))
    async with running(app, identity.auth()) as client, producing(kafka_bootstrap) as producer:
        yield Casework(client, producer)


def settings(kafka: str, database: str, master: Path) -> CaseworkSettings:
    return CaseworkSettings(
        kafka=kafka, database=SecretStr(database), master_key_file=master, warning_urls="http://127.0.0.1:9"
    )


async def test_an_alert_is_shown_with_reasons_and_timeline(casework: Casework, students: Students) -> None:
    student, student_id = await students.consented()
    raised = event(student)
    changed = event(student, "AlertLevelChanged", "elevated", seq=2, previous_level="watch")
    await casework.knows(raised, changed)
    found = (await casework.client.get(f"/v1/alerts/{raised.alert_id}")).json()
    assert (found["student"], found["student_id"], found["level"], found["status"]) == (
        student,
        student_id,
        "elevated",
        "open",
    )
    assert found["raised_on"] == "2016-12-05"
    assert found["updated_at"].endswith("Z")
    assert found["reasons"] == [reason("elevated").model_dump(mode="json")]
    assert [(step["type"], step["previous_level"], step["at"]) for step in found["timeline"]] == [
        ("AlertRaised", None, "2016-12-05T14:03:00Z"),
        ("AlertLevelChanged", "watch", "2016-12-05T14:03:00Z"),
    ]


async def test_repeats_and_older_events_change_nothing(
    casework: Casework, students: Students, engine: AsyncEngine
) -> None:
    student, _ = await students.consented()
    raised, cleared = event(student), event(student, "AlertCleared", seq=2)
    await casework.knows(raised, cleared, raised, raised)
    other, _ = await students.consented()
    await casework.knows(event(other))
    found = (await casework.client.get(f"/v1/alerts/{raised.alert_id}")).json()
    assert found["status"] == "cleared"
    assert len(found["timeline"]) == 2
    async with engine.connect() as connection:
        latency = await connection.scalar(
            text(
                "SELECT min(extract(epoch FROM pg_xact_commit_timestamp(xmin) - caused_at)) "
                "FROM casework.alert_events WHERE alert_id = :id"
            ),
            {"id": raised.alert_id},
        )
    assert latency is not None


async def test_who_has_no_consent_in_force_is_not_there(casework: Casework, students: Students) -> None:
    student, _ = await students.consented()
    raised = event(student)
    await casework.knows(raised)
    assert await casework.ids(student=student) == [str(raised.alert_id)]
    await students.end_consent(student)
    assert await casework.ids(student=student) == []
    assert (await casework.client.get(f"/v1/alerts/{raised.alert_id}")).status_code == 404
    assert (await casework.client.get(f"/v1/students/{student}/window")).status_code == 404


async def test_filters_narrow_the_list(casework: Casework, students: Students) -> None:
    school = uuid4().hex
    one, two = [(await students.consented())[0] for _ in range(2)]
    early = event(one, level="urgent", school_id=school, raised_on=date(2016, 10, 3))
    late = event(two, school_id=school, raised_on=date(2016, 11, 1))
    await casework.knows(early, late, event(two, "AlertCleared", seq=2, school_id=school, raised_on=date(2016, 11, 1)))
    a, b = str(early.alert_id), str(late.alert_id)
    assert await casework.ids(school=school) == [b, a]
    assert await casework.ids(school=school, level="urgent") == [a]
    assert await casework.ids(school=school, level=["urgent", "watch"]) == [b, a]
    assert await casework.ids(school=school, status="cleared") == [b]
    assert await casework.ids(school=school, since="2016-10-03", until="2016-10-03") == [a]
    assert await casework.ids(school=school, since="2016-10-04") == [b]
    assert await casework.ids(school=school, student=one) == [a]


async def test_pages_hold_every_alert_once_while_others_come(casework: Casework, students: Students) -> None:
    school = uuid4().hex
    people = [(await students.consented())[0] for _ in range(7)]
    events = [
        event(p, school_id=school, raised_on=date(2016, 9, 1) + timedelta(days=i // 3)) for i, p in enumerate(people)
    ]
    await casework.knows(*events)
    seen: list[str] = []
    query: dict[str, str | int] = {"school": school, "limit": 2}
    while True:
        answer = await casework.client.get("/v1/alerts", params=query)
        body = answer.json()
        seen += [item["id"] for item in body["items"]]
        if not body["next"]:
            assert "Link" not in answer.headers
            break
        assert f"cursor={body['next']}" in answer.headers["Link"]
        query["cursor"] = body["next"]
        newcomer, _ = await students.consented()
        await casework.knows(event(newcomer, school_id=school, raised_on=date(2016, 12, 1)))
    expected = sorted(events, key=lambda e: (e.raised_on, e.alert_id), reverse=True)
    assert seen == [str(each.alert_id) for each in expected]


async def test_csv_has_the_same_page_and_leads_to_the_next(casework: Casework, students: Students) -> None:
    school = f"={uuid4().hex}"
    people = [(await students.consented())[0] for _ in range(2)]
    await casework.knows(*(event(person, school_id=school) for person in people))
    first = await casework.client.get(
        "/v1/alerts", params={"school": school, "limit": 1}, headers={"Accept": "text/csv"}
    )
    assert first.headers["Content-Type"] == "text/csv; charset=utf-8"
    link, rel = first.headers["Link"].split("; ")
    assert rel == 'rel="next"'
    second = await casework.client.get(link.strip("<>"), headers={"Accept": "text/csv"})
    rows = [row for page in (first, second) for row in csv.DictReader(io.StringIO(page.text))]
    assert {row["student"] for row in rows} == set(people)
    assert {row["school_id"] for row in rows} == {f"'{school}"}
    assert {row["notice"] for row in rows} == {NOTICE}
    assert "Link" not in second.headers


@pytest.mark.parametrize(
    ("query", "status", "name"),
    [
        ("level=high", 422, "level"),
        ("status=gone", 422, "status"),
        ("limit=0", 422, "limit"),
        ("limit=501", 422, "limit"),
        ("since=yesterday", 422, "since"),
        ("until=2016-13-01", 422, "until"),
        ("student=D%20100017", 422, "student"),
        ("school=%00", 422, "school"),
        ("cursor=nonsense", 400, "cursor"),
    ],
)
async def test_a_wrong_parameter_is_named_and_not_echoed(
    casework: Casework, query: str, status: int, name: str
) -> None:
    answer = await casework.client.get(f"/v1/alerts?{query}")
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert name in answer.text.lower()
    assert query.split("=")[1] not in answer.text


async def test_an_unknown_alert_is_not_found(casework: Casework) -> None:
    assert (await casework.client.get(f"/v1/alerts/{uuid4()}")).status_code == 404
    assert (await casework.client.get("/v1/alerts/x")).status_code == 422


async def test_a_window_is_the_workers_with_the_districts_id(
    kafka_bootstrap: str, casework_url: str, master_file: Path, students: Students, identity: Identity
) -> None:
    student, student_id = await students.consented()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = (await reader.readuntil(b"\r\n\r\n")).decode()
        known = request.startswith(f"GET /v1/students/{student}/window ")
        body = json.dumps({"absent_days": 3, "marks": []} if known else {})
        status = "200 OK" if known else "404 Not Found"
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}".encode())
        writer.close()
        await writer.wait_closed()

    worker = await asyncio.start_server(answer, "127.0.0.1")
    port = worker.sockets[0].getsockname()[1]
    configured = settings(kafka_bootstrap, casework_url, master_file)
    configured = configured.model_copy(update={"warning_urls": f"http://127.0.0.1:{port}"})
    app = create_app(identity.of(configured), Background(say_death))
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://app", auth=identity.auth())
    async with worker, app.router.lifespan_context(app), client:
        await until(lambda: answers(client, "/readyz"))
        found = await client.get(f"/v1/students/{student}/window")
        assert found.json() == {"student_id": student_id, "absent_days": 3, "marks": [], "statements": []}
        other, _ = await students.consented()
        assert (await client.get(f"/v1/students/{other}/window")).status_code == 404
        assert (await client.get("/healthz")).json() == {"status": "ok"}


async def test_a_window_whose_worker_is_away_is_to_be_asked_for_again(casework: Casework, students: Students) -> None:
    student, _ = await students.consented()
    answer = await casework.client.get(f"/v1/students/{student}/window")
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0


async def test_poison_goes_to_the_dead_letters_and_the_rest_goes_on(
    casework: Casework, students: Students, kafka_bootstrap: str
) -> None:
    student, _ = await students.consented()
    secret = "Jane Roe"
    unreadable = event(student).model_dump_json().replace('"watch"', f'"{secret}"').encode()
    of_another = event(uuid4().hex[:22]).model_dump_json().encode()
    # PostgreSQL cannot store it, and only this record of the batch may be lost by that.
    unstorable = event(student, school_id="a\x00b", raised_on=date(2016, 9, 1))
    good = event(student)
    await send(
        casework.producer,
        unreadable,
        *(seal(cipher_of(student), ALERTS.name, student, each) for each in (b"{not json", unreadable, of_another)),
        seal(cipher_of(student), CASE_ACTIONS.name, student, good.model_dump_json().encode()),
        sealed(event(uuid4().hex[:22])),
        unstorable,
    )
    await casework.knows(good)
    letters: list[Rejected] = []
    reader = make_consumer(kafka_bootstrap, REJECTED.name, group=None)
    await reader.start()
    try:

        async def read() -> bool:
            for batch in (await reader.getmany(timeout_ms=500)).values():
                for record in batch:
                    assert secret.encode() not in record.value
                    letters.append(Rejected.model_validate_json(record.value))
            return len([letter for letter in letters if "firstbell-casework" in letter.reason]) >= 7

        await until(read)
    finally:
        await reader.stop()
    ours = [letter for letter in letters if "firstbell-casework" in letter.reason]
    assert {letter.source for letter in ours} == {"alerts.v1/0"}
    assert [letter.reason.partition(": ")[2] for letter in ours] == [
        "not a sealed value",
        "not a valid event (json_invalid)",
        "not a valid event (literal_error)",
        "it is of another student than it was sealed for",
        "the value does not open with its feed's key",
        "its feed never had a key",
        "the database refuses a value of it",
    ]


async def test_metrics_and_openapi_are_served_and_name_nobody(casework: Casework, students: Students) -> None:
    student, student_id = await students.consented()
    await casework.knows(event(student))
    metrics = (await casework.client.get("/metrics")).text
    assert 'firstbell_casework_alerts_total{level="watch"}' in metrics
    assert 'firstbell_consumed_records_total{group="firstbell-casework"}' in metrics
    assert student not in metrics
    assert student_id not in metrics
    schema = (await casework.client.get("/openapi.json")).json()
    assert schema["info"]["description"] == NOTICE
    assert schema["components"]["schemas"]["AlertPage"]["examples"]
