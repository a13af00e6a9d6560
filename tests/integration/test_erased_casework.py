"""What is left in casework of a student who was erased, on a real Kafka and PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import NamedTuple
from uuid import UUID, uuid4

import httpx
import pytest
import pytest_asyncio
from aiokafka import AIOKafkaProducer
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.casework.app import create_app
from services.casework.cases.kept import one_at_a_time
from services.casework.erase import remove
from services.casework.intake.record import keep
from services.casework.settings import CaseworkSettings
from services.contracts.alerts import AlertEvent
from services.contracts.topics import ALERTS, CASE_ACTIONS, ERASURES, REJECTED, Topic
from services.ingest.erasure.erase import apply_entry
from services.lab.labels import closed_cases
from services.platform.background import Background
from services.platform.consumer import SealedEvents
from services.platform.database import make_engine, make_sessions
from services.platform.erasure import copies
from services.platform.erasure.confirming import Erasure
from services.platform.erasure.entry import LedgerEntry
from services.platform.kafka import create_topics
from services.platform.keys.master import MasterKeyLostError, MasterKeys
from services.platform.roles import RolesError
from tests.alert_events import event
from tests.identity import Identity
from tests.integration.conftest import Students
from tests.integration.erasing import holds, removed
from tests.integration.ingest_support import sent
from tests.integration.running import answers, producing, running, say_death, sealed, send, until


class Casework(NamedTuple):
    client: httpx.AsyncClient
    producer: AIOKafkaProducer

    async def knows(self, *events: AlertEvent) -> None:
        await send(self.producer, *events)
        await until(lambda: answers(self.client, f"/v1/alerts/{events[-1].alert_id}"))

    async def does(self, alert: UUID, **body: str) -> None:
        assert (await self.client.post(f"/v1/alerts/{alert}/actions", json=body)).status_code == 201

    async def metric(self, name: str) -> float:
        lines = (await self.client.get("/metrics")).text.splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith(name))


@pytest.fixture(scope="module")
def settings(kafka_bootstrap: str, casework_url: str, master_file: Path, identity: Identity) -> CaseworkSettings:
    return identity.of(
        CaseworkSettings(
            kafka=kafka_bootstrap,
            database=SecretStr(casework_url),
            master_key_file=master_file,
            warning_urls="http://127.0.0.1:9",
        )
    )


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def casework(settings: CaseworkSettings, identity: Identity) -> AsyncIterator[Casework]:
    app = create_app(settings, Background(say_death))
    async with running(app, identity.auth()) as client, producing(settings.require_kafka()) as producer:
        yield Casework(client, producer)


async def test_that_there_was_an_alert_remains_and_nothing_of_what_was_in_it(
    casework: Casework, students: Students, engine: AsyncEngine
) -> None:
    student, student_id = await students.consented()
    other, _ = await students.consented()
    household = uuid4().hex[:22]
    now = event(student, household=household, level="urgent")
    before = event(student, household=household, raised_on=date(2016, 10, 3))
    spared = event(other, household=household)
    cleared = event(student, "AlertCleared", seq=2, household=household, raised_on=date(2016, 10, 3))
    await casework.knows(now, before, spared, cleared)
    await casework.does(now.alert_id, action="taken")
    await casework.does(before.alert_id, action="closed", outcome="housing_crisis")
    await casework.does(spared.alert_id, action="taken")

    erasure = await students.end_consent(student)
    assert await removed(engine, erasure, "casework") == {
        "casework.alerts": 2,
        "casework.alert_events": 3,
        "casework.actions": 2,
    }
    assert await holds(engine, "casework", student, student_id) == {"casework.alerts": 2}
    events = (str(each.event_id) for each in (now, before, cleared))
    assert await holds(engine, "casework", *events) == {}
    async with engine.connect() as connection:
        rows = await connection.execute(text("SELECT * FROM casework.alerts WHERE student = :p"), {"p": student})
        for row in rows:
            assert row.status == "withdrawn"
            assert (row.household, row.school_id, row.level, row.reasons) == (None, None, None, None)
        named = text("SELECT count(*) FROM casework.nameless_alerts WHERE id = ANY (:ids)")
        assert await connection.scalar(named, {"ids": [now.alert_id, before.alert_id]}) == 0
    [item] = (await casework.client.get("/v1/alerts", params={"student": other})).json()["items"]
    assert (item["id"], item["level"]) == (str(spared.alert_id), "watch")
    assert len((await casework.client.get(f"/v1/alerts/{spared.alert_id}/actions")).json()["items"]) == 1


async def test_every_read_is_as_if_nobody_had_been_there_but_the_steward_reads_who_looked(
    casework: Casework, students: Students, engine: AsyncEngine, identity: Identity
) -> None:
    student, _ = await students.consented()
    alert = event(student)
    await casework.knows(alert)
    reads = [
        f"/v1/alerts/{alert.alert_id}",
        f"/v1/alerts/{alert.alert_id}/actions",
        f"/v1/students/{student}/window",
        f"/v1/students/{student}/access",
    ]
    assert (await casework.client.get(reads[0])).is_success
    for confirmed in (False, True):
        if not confirmed:
            erasure = await students.end_consent(student)
        else:
            await removed(engine, erasure, "casework")
        assert [(await casework.client.get(read)).status_code for read in reads] == [404] * 4
        taking = await casework.client.post(reads[1], json={"action": "taken"})
        assert taking.status_code == 404
        assert (await casework.client.get("/v1/alerts", params={"student": student})).json()["items"] == []
        page = await casework.client.get("/v1/alerts", params={"student": student}, headers={"Accept": "text/csv"})
        assert len(page.text.splitlines()) == 1
    told = await casework.client.get(reads[3], auth=identity.auth("steward", agency=None))
    assert told.json()["may"] == []
    assert "GET /v1/alerts/{id}" in {one["action"] for one in told.json()["looked"]}


async def test_what_comes_after_is_passed_over_and_counted(
    casework: Casework, students: Students, engine: AsyncEngine, kafka_bootstrap: str
) -> None:
    student, other = [(await students.consented())[0] for _ in range(2)]
    await removed(engine, await students.end_consent(student), "casework")
    counted, letters = await casework.metric("firstbell_erased_records_total"), await sent(kafka_bootstrap, REJECTED)
    await casework.knows(event(student), event(student, "AlertLevelChanged", "urgent", seq=2), event(other))
    assert await holds(engine, "casework", student) == {}
    assert await casework.metric("firstbell_erased_records_total") == counted + 2
    assert await sent(kafka_bootstrap, REJECTED) == letters


async def test_what_was_opened_before_the_erasure_is_erased_after_it_was_kept(
    casework: Casework, students: Students, engine: AsyncEngine, casework_url: str, masters: MasterKeys
) -> None:
    student, other = [(await students.consented())[0] for _ in range(2)]
    batch = SealedEvents("casework", masters, ALERTS, AlertEvent.model_validate_json, [sealed(event(student))])
    ours = make_engine(casework_url, service="casework")
    async with make_sessions(ours).begin() as session:
        events = await batch.open(session)
        erasure = await students.end_consent(student)
        await casework.knows(event(other))
        waits = asyncio.create_task(removed(engine, erasure, "casework"))

        async def is_held_up() -> bool:
            async with engine.connect() as connection:
                waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
                return bool(await connection.scalar(text(waiting)))

        await until(is_held_up)
        assert not waits.done()
        await keep(session, events)
    assert (await waits)["casework.alerts"] == 1
    assert await holds(engine, "casework", str(event(student).event_id)) == {}
    await ours.dispose()


async def test_who_waited_to_do_something_while_the_alert_was_erased_does_nothing(
    casework: Casework, students: Students, engine: AsyncEngine
) -> None:
    student, _ = await students.consented()
    alert = event(student)
    await casework.knows(alert)
    async with engine.begin() as connection:
        await one_at_a_time(connection)
        path = f"/v1/alerts/{alert.alert_id}/actions"
        doing = asyncio.create_task(casework.client.post(path, json={"action": "taken"}))

        async def waits() -> bool:
            async with engine.connect() as other:
                waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
                return bool(await other.scalar(text(waiting)))

        await until(waits)
        erasure = await students.end_consent(student)
        await remove(connection, Erasure(erasure, student, 1))
    assert (await doing).status_code == 404
    await removed(engine, erasure, "casework")
    async with engine.connect() as connection:
        left = text("SELECT count(*) FROM casework.actions WHERE alert_id = :id")
        assert await connection.scalar(left, {"id": alert.alert_id}) == 0


async def test_what_was_done_is_not_published_without_a_key(
    casework: Casework, students: Students, engine: AsyncEngine, kafka_bootstrap: str
) -> None:
    student, other = [(await students.consented())[0] for _ in range(2)]
    await casework.knows(event(student), event(other))
    async with engine.begin() as connection:
        await connection.execute(text("DELETE FROM erasure.keys WHERE pseudonym = :p"), {"p": student})
    await casework.does(event(student).alert_id, action="taken")
    await casework.does(event(other).alert_id, action="taken")

    async def keys() -> list[str | None]:
        return [record.key for record in await sent(kafka_bootstrap, CASE_ACTIONS)]

    async def others_is_there() -> bool:
        return str(event(other).alert_id) in await keys()

    await until(others_is_there)
    assert str(event(student).alert_id) not in await keys()
    assert (await removed(engine, await students.end_consent(student), "casework"))["casework.actions"] == 1


async def test_labels_count_what_was_erased_and_are_caseworks_to_open(
    casework: Casework,
    students: Students,
    settings: CaseworkSettings,
    reader_url: str,
    tmp_path: Path,
) -> None:
    student, student_id = await students.consented()
    await casework.knows(event(student))
    await casework.does(event(student).alert_id, action="closed", outcome="housing_crisis")

    async def is_label() -> bool:
        return student_id in {case.student_id for case in (await closed_cases(settings)).cases}

    await until(is_label)
    before = await closed_cases(settings)
    await students.end_consent(student)
    after = await closed_cases(settings)
    assert after.erased == before.erased + 1
    assert len(after.cases) == len(before.cases) - 1
    assert (after.without_consent, after.unreadable) == (before.without_consent, before.unreadable)
    with pytest.raises(RolesError):
        await closed_cases(settings.model_copy(update={"database": SecretStr(reader_url)}))
    with pytest.raises(MasterKeyLostError):
        await closed_cases(settings.model_copy(update={"master_key_file": tmp_path / "lost.key"}))


async def test_nothing_is_answered_before_the_database_has_every_erasure_of_the_ledger(
    settings: CaseworkSettings,
    students: Students,
    engine: AsyncEngine,
    identity: Identity,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ledger = Topic(f"{ERASURES.name}.{uuid4().hex}")
    monkeypatch.setattr(copies, "ERASURES", ledger)
    await create_topics(settings.require_kafka(), partitions=1, replication_factor=1, topics=[ledger])
    student, _ = await students.consented()
    async with engine.begin() as connection:
        await connection.execute(text("INSERT INTO erasure.origin (name) VALUES ('tests') ON CONFLICT DO NOTHING"))
        origin = await connection.scalar(text("SELECT name FROM erasure.origin"))
    missing = LedgerEntry.model_validate(
        {
            "id": uuid4(),
            "student": "AA==",
            "agreement": "boston-2016",
            "recipient": "project-hope",
            "pseudonym": student,
            "because": "withdrawn",
            "ended_on": "2016-12-06",
            "at": "2016-12-06T10:00:00Z",
            "by": "withdraw",
        }
    )
    async with producing(settings.require_kafka()) as producer:
        key = copies.topic_key(origin, missing.id).encode()
        await producer.send_and_wait(ledger.name, missing.model_dump_json().encode(), key=key, partition=0)
    app = create_app(settings, Background(say_death))
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://app", auth=identity.auth()) as client,
    ):
        refused = await client.get("/v1/alerts")
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
        checks = (await client.get("/readyz")).json()["checks"]
        assert "erasure" in checks["erasures"]
        assert (await client.get("/healthz")).is_success
        async with engine.begin() as connection:
            await apply_entry(connection, missing)
        await until(lambda: answers(client, "/readyz"))
        assert (await client.get("/v1/alerts")).is_success


async def test_while_kafka_is_away_at_the_start_nothing_is_answered_and_the_service_waits(
    settings: CaseworkSettings, identity: Identity
) -> None:
    background = Background(say_death)
    app = create_app(settings.model_copy(update={"kafka": "127.0.0.1:9"}), background)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://app", auth=identity.auth()) as client,
    ):
        assert (await client.get("/v1/alerts")).status_code == 503
        assert (await client.get("/healthz")).is_success
        assert await background.check() is None
