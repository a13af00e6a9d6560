"""Who was shown what is on record before it is shown: on a real Kafka and PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import httpx
import pytest_asyncio
from aiokafka import AIOKafkaProducer
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.casework.app import create_app
from services.casework.settings import CaseworkSettings
from services.contracts.alerts import AlertEvent
from services.ingest.agreement.folder import AGENCY, PURPOSE
from services.platform.audit.entry import MAIL, AuditEntry
from services.platform.audit.log import AuditAwayError, AuditLog
from services.platform.background import Background
from services.platform.database import caller_context
from tests.alert_events import event
from tests.identity import Identity
from tests.integration.conftest import Students, audit_broken
from tests.integration.running import producing, running, say_death, send, until

SINCE = date(2016, 9, 1)
"""Since when the consent of `Students` is in force."""


class Casework(NamedTuple):
    client: httpx.AsyncClient
    producer: AIOKafkaProducer
    identity: Identity

    async def knows(self, alert: AlertEvent) -> None:
        await send(self.producer, alert)
        auth = self.identity.auth("steward", subject=uuid4().hex)

        async def taken() -> bool:
            return (await self.client.get(f"/v1/alerts/{alert.alert_id}", auth=auth)).is_success

        await until(taken)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def casework(
    kafka_bootstrap: str, casework_url: str, master_file: Path, identity: Identity
) -> AsyncIterator[Casework]:
    settings = CaseworkSettings(
        kafka=kafka_bootstrap,
        database=SecretStr(casework_url),
        master_key_file=master_file,
        warning_urls="http://127.0.0.1:9",
        students_per_hour=10,
    )
    app = create_app(identity.of(settings), Background(say_death))
    async with running(app) as client, producing(kafka_bootstrap) as producer:
        yield Casework(client, producer, identity)


async def entries_of(engine: AsyncEngine, subject: str) -> list[Any]:
    """What the audit has of a subject, in order."""
    query = text("SELECT * FROM audit.entries WHERE subject = :subject ORDER BY entry")
    async with engine.connect() as connection:
        return list((await connection.execute(query, {"subject": subject})).all())


async def test_each_answer_is_one_entry_with_its_students(
    casework: Casework, students: Students, engine: AsyncEngine
) -> None:
    school, subject = uuid4().hex, uuid4().hex
    people = [(await students.consented())[0] for _ in range(2)]
    alerts = [event(person, school_id=school) for person in people]
    for alert in alerts:
        await casework.knows(alert)
    auth = casework.identity.auth(subject=subject)
    before = datetime.now(UTC)
    list_url, one_url = f"/v1/alerts?school={school}", f"/v1/alerts/{alerts[0].alert_id}"
    for method, url, accept in (
        ("GET", list_url, "application/json"),
        ("GET", list_url, "text/csv"),
        ("GET", one_url, "*/*"),
        ("GET", f"{one_url}/actions", "*/*"),
        ("POST", f"{one_url}/actions", "*/*"),
        ("GET", f"/v1/students/{people[0]}/access", "*/*"),
    ):
        body = {"action": "taken"} if method == "POST" else None
        answer = await casework.client.request(method, url, auth=auth, headers={"Accept": accept}, json=body)
        assert answer.is_success, answer.text
    found = await entries_of(engine, subject)
    assert [(row.action, set(row.students)) for row in found] == [
        ("GET /v1/alerts", set(people)),
        ("GET /v1/alerts", set(people)),
        ("GET /v1/alerts/{id}", {people[0]}),
        ("GET /v1/alerts/{alert_id}/actions", {people[0]}),
        ("POST /v1/alerts/{alert_id}/actions", {people[0]}),
        ("GET /v1/students/{student}/access", {people[0]}),
    ]
    for row in found:
        assert (row.role, row.agency, row.outcome) == ("caseworker", AGENCY, "allowed")
        assert (row.purpose, row.agreement) == (PURPOSE, "*/1")
        assert row.consents == [SINCE] * len(row.students)
        assert before <= row.at <= datetime.now(UTC)


async def test_a_window_is_on_record_before_a_worker_is_asked(
    casework: Casework, students: Students, engine: AsyncEngine
) -> None:
    student, _ = await students.consented()
    subject = uuid4().hex
    answer = await casework.client.get(f"/v1/students/{student}/window", auth=casework.identity.auth(subject=subject))
    assert answer.status_code == 503  # there is no worker
    assert [(row.outcome, row.students) for row in await entries_of(engine, subject)] == [("allowed", [student])]


async def test_denials_are_on_record_with_their_subject_and_requests_without_one_are_not(
    casework: Casework, students: Students, engine: AsyncEngine
) -> None:
    school, subject = uuid4().hex, uuid4().hex
    student, _ = await students.consented()
    alert = event(student, school_id=school)
    await casework.knows(alert)
    theirs = casework.identity.auth(subject=subject, agency="another")
    wrong = casework.identity.auth("district", subject=subject)
    for url, auth, status in (
        (f"/v1/alerts/{alert.alert_id}", theirs, 404),
        (f"/v1/students/{student}/window", theirs, 404),
        ("/v1/students/D-100017/window", theirs, 404),
        ("/v1/alerts", wrong, 403),
        ("/nowhere/at/all", wrong, 404),
    ):
        assert (await casework.client.get(url, auth=auth)).status_code == status
    found = [(row.action, row.outcome, row.students) for row in await entries_of(engine, subject)]
    assert found == [
        ("GET /v1/alerts/{id}", "denied 404", []),
        ("GET /v1/students/{student}/window", "denied 404", [student]),
        ("GET /v1/students/{student}/window", "denied 404", []),
        ("GET /v1/alerts", "denied 403", []),
        ("no such operation", "denied 404", []),
    ]
    async with engine.connect() as connection:
        count = text("SELECT count(*) FROM audit.entries")
        before = await connection.scalar(count)
        assert (await casework.client.get("/v1/alerts")).status_code == 401
        assert await connection.scalar(count) == before


async def test_whoever_asks_for_too_many_is_on_record_with_them(
    casework: Casework, students: Students, engine: AsyncEngine
) -> None:
    school, subject = uuid4().hex, uuid4().hex
    people = [(await students.consented())[0] for _ in range(11)]
    for person in people:
        await casework.knows(event(person, school_id=school))
    auth = casework.identity.auth(subject=subject)
    assert (await casework.client.get(f"/v1/alerts?school={school}", auth=auth)).status_code == 429
    [row] = await entries_of(engine, subject)
    assert (row.outcome, set(row.students)) == ("denied 429", set(people))


async def test_while_it_cannot_be_written_nothing_is_served(
    casework: Casework, students: Students, engine: AsyncEngine
) -> None:
    student, student_id = await students.consented()
    alert = event(student)
    await casework.knows(alert)
    url, subject = f"/v1/alerts/{alert.alert_id}", uuid4().hex
    auth = casework.identity.auth(subject=subject)

    async def get() -> httpx.Response:
        return await casework.client.get(url, auth=auth)

    async with audit_broken(engine):
        answers = await asyncio.gather(*(get() for _ in range(1_000)))
        assert {answer.status_code for answer in answers} == {503}
        assert {answer.headers["Retry-After"] for answer in answers} == {"5"}
        assert not any(secret in answer.text for answer in answers for secret in (student, student_id))
        denied = await casework.client.get(f"/v1/alerts/{uuid4()}", auth=auth)
        assert denied.status_code == 503
        assert (await casework.client.get("/readyz")).status_code == 200
    answers = await asyncio.gather(*(get() for _ in range(1_000)))
    assert {answer.status_code for answer in answers} == {200}
    assert len(await entries_of(engine, subject)) == 1_000


async def test_who_may_see_a_student_and_who_has_looked(casework: Casework, students: Students) -> None:
    student, _ = await students.consented()
    alert = event(student)
    await casework.knows(alert)
    subject, url = uuid4().hex, f"/v1/students/{student}/access"
    caseworker = casework.identity.auth(subject=subject)
    steward = casework.identity.auth("steward", subject=uuid4().hex)
    await casework.client.get(f"/v1/alerts/{alert.alert_id}", auth=caseworker)
    found = (await casework.client.get(url, auth=caseworker)).json()
    disclosed = {"agency": AGENCY, "disclosure": f"*/1 {PURPOSE}", "consent": SINCE.isoformat()}
    assert found["may"] == [
        {"role": "caseworker", **disclosed},
        {"role": "supervisor", **disclosed},
        {"role": "steward", "agency": None, "disclosure": None, "consent": None},
    ]
    latest = found["looked"][0]
    assert (latest["subject"], latest["role"], latest["action"]) == (subject, "caseworker", "GET /v1/alerts/{id}")
    assert latest["at"].endswith("Z")
    elsewhere = casework.identity.auth(subject=uuid4().hex, schools=["elsewhere"])
    other_records = casework.identity.auth(subject=uuid4().hex, records=["contact"])
    for theirs in (elsewhere, other_records):
        assert (await casework.client.get(url, auth=theirs)).status_code == 404
    await students.end_consent(student)
    assert (await casework.client.get(url, auth=caseworker)).status_code == 404
    left = (await casework.client.get(url, auth=steward)).json()
    assert left["may"] == []
    assert subject in {look["subject"] for look in left["looked"]}

    unseen, _ = await students.consented()
    await students.end_consent(unseen)
    url = f"/v1/students/{unseen}/access"
    assert (await casework.client.get(url, auth=caseworker)).status_code == 404
    assert (await casework.client.get(url, auth=steward)).json() == {"may": [], "looked": []}


async def test_entries_are_written_outside_of_the_answers_context_and_a_failure_ends_with_its_cause(
    notify_url: str, engine: AsyncEngine
) -> None:
    log, subject = AuditLog(notify_url, service="notify"), uuid4().hex
    entry = AuditEntry(subject=subject, role="caseworker", agency=AGENCY, action=MAIL, students={"p" * 22: None})
    with caller_context("operator", agency="another", schools=[]):
        await asyncio.gather(*(log.record(entry) for _ in range(300)))
    async with audit_broken(engine):
        failed = await asyncio.gather(*(log.record(entry) for _ in range(3)), return_exceptions=True)
        assert all(isinstance(error, AuditAwayError) for error in failed)
    await log.record(entry, entry)
    found = await entries_of(engine, subject)
    assert len(found) == 302
    assert found[0].consents == [None]
    await log.close()


async def test_an_entry_is_written_when_the_database_has_dropped_the_connection(
    notify_url: str, engine: AsyncEngine
) -> None:
    log, subject = AuditLog(notify_url, service="notify"), uuid4().hex
    entry = AuditEntry(subject=subject, role="caseworker", agency=AGENCY, action=MAIL, students={"p" * 22: None})
    await log.record(entry)
    async with engine.begin() as connection:
        ended = await connection.execute(
            text(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
                "AND query LIKE '%INTO audit.unchained%'"
            )
        )
        assert all(done for (done,) in ended)
    await log.record(entry)
    assert len(await entries_of(engine, subject)) == 2
    await log.close()
