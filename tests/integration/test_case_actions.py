"""What people do about alerts, from HTTP to Kafka to the labels, on a real Kafka and PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple
from uuid import UUID, uuid4

import httpx
import pytest
import pytest_asyncio
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from click.testing import CliRunner
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.casework.actions import publisher
from services.casework.app import create_app
from services.casework.settings import CaseworkSettings
from services.cli.outcomes import outcomes
from services.contracts.alerts import AlertEvent
from services.contracts.cases import HOUSING_OUTCOMES, CaseAction
from services.contracts.sealed import sealed_for, unseal
from services.contracts.topics import CASE_ACTIONS
from services.lab.labels import ClosedCase, closed_cases
from services.platform.background import Background
from services.platform.kafka import make_consumer, make_producer
from services.platform.settings import Settings
from tests.alert_events import event
from tests.identity import Identity
from tests.integration.conftest import Students
from tests.integration.running import producing, running, say_death, send, until
from tests.sealing import cipher_of


def opened(value: bytes) -> CaseAction:
    return CaseAction.model_validate_json(unseal(cipher_of(sealed_for(value)), CASE_ACTIONS.name, value))


class Published:
    """Every action in the topic, from its beginning on."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer
        self.actions: list[tuple[bytes, CaseAction]] = []

    async def of(self, alert: UUID, *, count: int) -> list[CaseAction]:
        """The alert's actions as soon as there are so many; each has the alert's id as its key."""

        async def there() -> bool:
            for batch in (await self._consumer.getmany(timeout_ms=200)).values():
                self.actions += [(record.key, opened(record.value)) for record in batch]
            return len(self._of(alert)) >= count

        await until(there)
        return self._of(alert)

    def _of(self, alert: UUID) -> list[CaseAction]:
        return [action for key, action in self.actions if key == str(alert).encode() and action.alert_id == alert]


class Casework(NamedTuple):
    client: httpx.AsyncClient
    producer: AIOKafkaProducer
    students: Students

    async def alert(self) -> tuple[AlertEvent, str]:
        """A new student's alert, and the district's id of the student."""
        student, student_id = await self.students.consented()
        raised = event(student)
        await self.knows(raised)
        return raised, student_id

    async def knows(self, last: AlertEvent) -> None:
        await send(self.producer, last)

        async def taken() -> bool:
            answer = await self.client.get(f"/v1/alerts/{last.alert_id}")
            return answer.is_success and len(answer.json()["timeline"]) >= last.seq

        await until(taken)

    async def post(self, alert: UUID, **body: object) -> httpx.Response:
        return await self.client.post(f"/v1/alerts/{alert}/actions", json=body)

    async def done(self, alert: UUID) -> list[str]:
        answer = await self.client.get(f"/v1/alerts/{alert}/actions")
        assert answer.status_code == 200, answer.text
        return [item["action"] for item in answer.json()["items"]]

    async def status(self, alert: UUID) -> str:
        return str((await self.client.get(f"/v1/alerts/{alert}")).json()["status"])


@pytest.fixture(scope="module")
def settings(kafka_bootstrap: str, casework_url: str, master_file: Path, identity: Identity) -> CaseworkSettings:
    return identity.of(
        CaseworkSettings(kafka=kafka_bootstrap, database=SecretStr(casework_url), master_key_file=master_file)
    )


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def casework(
    kafka_bootstrap: str, settings: CaseworkSettings, students: Students, identity: Identity
) -> AsyncIterator[Casework]:
    app = create_app(settings, Background(say_death))
    async with running(app, identity.auth()) as client, producing(kafka_bootstrap) as producer:
        yield Casework(client, producer, students)


@pytest.fixture(scope="module")
def opening(kafka_bootstrap: str, casework_url: str, master_file: Path) -> Settings:
    """Who reads the labels."""
    return Settings(kafka=kafka_bootstrap, database=SecretStr(casework_url), master_key_file=master_file)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def published(kafka_bootstrap: str) -> AsyncIterator[Published]:
    consumer = make_consumer(kafka_bootstrap, CASE_ACTIONS.name, group=None)
    await consumer.start()
    try:
        yield Published(consumer)
    finally:
        await consumer.stop()


async def test_what_was_done_is_listed_in_order_and_published(casework: Casework, published: Published) -> None:
    alert, student_id = await casework.alert()
    taken = await casework.post(alert.alert_id, action="taken")
    assert taken.status_code == 201
    assert taken.headers["Cache-Control"] == "no-store"
    given = {"action": "closed", "outcome": "housing_crisis", "on": "2016-12-12", "action_id": str(uuid4())}
    closed = await casework.post(alert.alert_id, **given)
    assert given.items() <= closed.json().items()
    assert closed.json()["at"].endswith("Z")
    assert await casework.done(alert.alert_id) == ["taken", "closed"]
    assert await casework.status(alert.alert_id) == "closed"

    first, second = await published.of(alert.alert_id, count=2)
    assert (first.action, first.outcome, first.student) == ("taken", None, alert.student)
    of_this_alert = second.model_dump(mode="json", exclude_defaults=True)
    assert of_this_alert == closed.json() | {"student": alert.student}
    assert student_id not in second.model_dump_json()


async def test_a_repeat_counts_once(casework: Casework, published: Published) -> None:
    alert, _ = await casework.alert()
    given = {"action": "contacted", "action_id": str(uuid4())}
    answers = await asyncio.gather(*(casework.post(alert.alert_id, **given) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 200, 201]
    assert len({answer.text for answer in answers}) == 1
    assert await casework.done(alert.alert_id) == ["contacted"]
    await casework.post(alert.alert_id, action="snoozed")
    assert [each.action for each in await published.of(alert.alert_id, count=2)] == ["contacted", "snoozed"]


async def test_an_id_stands_for_one_action(casework: Casework) -> None:
    one, two = [(await casework.alert())[0].alert_id for _ in range(2)]
    own = str(uuid4())
    assert (await casework.post(one, action="taken", action_id=own)).status_code == 201
    for alert, action in ((one, "contacted"), (two, "taken")):
        answer = await casework.post(alert, action=action, action_id=own)
        assert answer.status_code == 409
        assert answer.headers["Content-Type"] == "application/problem+json"
    assert await casework.done(two) == []


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"action": "closed"}, "body.closed.outcome"),
        ({"action": "closed", "outcome": "Jane Roe"}, "body.closed.outcome"),
        ({"action": "taken", "outcome": "other"}, "body.taken.outcome"),
        ({"action": "Jane Roe"}, "body"),
        ({"action": "taken", "on": "2016-12-04"}, "`on`"),
        ({"action": "taken", "on": "9999-12-31"}, "`on`"),
    ],
)
async def test_what_is_impossible_is_refused_and_not_echoed(
    casework: Casework, body: dict[str, object], place: str
) -> None:
    alert, _ = await casework.alert()
    answer = await casework.post(alert.alert_id, **body)
    assert answer.status_code == 422
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert place in answer.json()["detail"]
    assert "Jane Roe" not in answer.text
    assert await casework.done(alert.alert_id) == []


async def test_a_closed_case_stays_closed_and_only_its_closing_may_be_corrected(
    casework: Casework, opening: Settings
) -> None:
    alert, student_id = await casework.alert()
    await casework.post(alert.alert_id, action="closed", outcome="could_not_reach", on="2016-12-20")
    assert (await casework.post(alert.alert_id, action="contacted")).status_code == 409
    corrected = await casework.post(alert.alert_id, action="closed", outcome="housing_crisis", on="2016-12-15")
    assert corrected.status_code == 201
    await casework.knows(event(alert.student, "AlertLevelChanged", "urgent", seq=2))
    assert await casework.status(alert.alert_id) == "closed"

    async def label() -> bool:
        found = await closed_cases(opening)
        ours = [case for case in found.cases if case.student_id == student_id]
        return ours == [ClosedCase(student_id, corrected_on, "housing_crisis")]

    corrected_on = alert.raised_on.replace(day=15)
    await until(label)


NARROW = ["attendance", "contact"]


async def test_an_outcome_of_housing_needs_a_token_with_its_records(
    casework: Casework, identity: Identity, published: Published
) -> None:
    alert, _ = await casework.alert()
    url, auth = f"/v1/alerts/{alert.alert_id}/actions", identity.auth(records=NARROW)
    for outcome in sorted(HOUSING_OUTCOMES):
        refused = await casework.client.post(url, json={"action": "closed", "outcome": outcome}, auth=auth)
        assert refused.status_code == 403
        assert refused.headers["Content-Type"] == "application/problem+json"
        assert "housing_status" in refused.json()["detail"]
        assert outcome not in refused.text
    assert await casework.status(alert.alert_id) == "open"
    free = await casework.client.post(url, json={"action": "closed", "outcome": "not_homeless"}, auth=auth)
    assert (free.status_code, free.json()["outcome"]) == (201, "not_homeless")
    [sent] = await published.of(alert.alert_id, count=1)
    assert sent.outcome == "not_homeless"


async def test_who_lacks_the_records_reads_that_a_case_is_closed_and_not_how(
    casework: Casework, identity: Identity
) -> None:
    bodies = []
    for outcome in ("homelessness_identified", "not_homeless"):
        alert, _ = await casework.alert()
        url, auth = f"/v1/alerts/{alert.alert_id}/actions", identity.auth(records=NARROW)
        own = str(uuid4())
        await casework.post(alert.alert_id, action="taken")
        await casework.post(alert.alert_id, action="closed", outcome=outcome, action_id=own)
        told = (await casework.client.get(url)).json()["items"]
        assert [item["outcome"] for item in told] == [None, outcome]
        [_, closed] = (await casework.client.get(url, auth=auth)).json()["items"]
        assert closed == told[1] | {"outcome": None}
        again = {"action": "closed", "outcome": "other", "action_id": own}
        repeated = await casework.client.post(url, json=again, auth=auth)
        assert (repeated.status_code, repeated.json()) == (200, closed)
        bodies.append({name: value for name, value in closed.items() if name not in {"action_id", "alert_id", "at"}})
    assert bodies[0] == bodies[1]


@asynccontextmanager
async def without_housing_status(engine: AsyncEngine) -> AsyncIterator[None]:
    """As if the agreement in force did not have it."""
    of_housing = "FROM ingest.disclosures WHERE record = 'housing_status'"
    columns = "applied, recipient, purpose, form, record, school_id"
    async with engine.begin() as connection:
        await connection.execute(text(f"CREATE TABLE public.held AS SELECT {columns} {of_housing}"))
        await connection.execute(text(f"DELETE {of_housing}"))
    try:
        yield
    finally:
        async with engine.begin() as connection:
            await connection.execute(text(f"INSERT INTO ingest.disclosures ({columns}) SELECT {columns} FROM held"))
            await connection.execute(text("DROP TABLE public.held"))


async def test_an_outcome_of_housing_needs_an_agreement_that_gives_it_to_the_agency(
    casework: Casework, engine: AsyncEngine, identity: Identity
) -> None:
    alert, _ = await casework.alert()
    steward = identity.auth("steward", agency=None)
    url = f"/v1/alerts/{alert.alert_id}/actions"
    await casework.post(alert.alert_id, action="closed", outcome="housing_crisis")
    async with without_housing_status(engine):
        refused = await casework.post(alert.alert_id, action="closed", outcome="homelessness_identified")
        assert refused.status_code == 403
        for auth in (identity.auth(), steward):
            [closed] = (await casework.client.get(url, auth=auth)).json()["items"]
            assert (closed["action"], closed["outcome"]) == ("closed", None)
        assert (await casework.post(alert.alert_id, action="closed", outcome="other")).status_code == 201
    for auth in (identity.auth(), steward):
        items = (await casework.client.get(url, auth=auth)).json()["items"]
        assert [item["outcome"] for item in items] == ["housing_crisis", "other"]


async def test_an_unknown_alert_is_not_found(casework: Casework) -> None:
    assert (await casework.post(uuid4(), action="taken")).status_code == 404
    assert (await casework.client.get(f"/v1/alerts/{uuid4()}/actions")).status_code == 404


async def test_when_consent_ends_nothing_is_taken_shown_or_learnt(
    casework: Casework, published: Published, opening: Settings
) -> None:
    alert, student_id = await casework.alert()
    await casework.post(alert.alert_id, action="closed", outcome="homelessness_identified")
    await published.of(alert.alert_id, count=1)
    before = await closed_cases(opening)
    await casework.students.end_consent(alert.student, held=True)
    assert (await casework.post(alert.alert_id, action="taken")).status_code == 404
    assert (await casework.client.get(f"/v1/alerts/{alert.alert_id}/actions")).status_code == 404
    after = await closed_cases(opening)
    assert student_id in {case.student_id for case in before.cases}
    assert student_id not in {case.student_id for case in after.cases}
    assert after.without_consent == before.without_consent + 1


async def test_what_a_crash_left_unpublished_is_sent_but_never_without_consent(
    casework: Casework, published: Published, engine: AsyncEngine
) -> None:
    left, withdrawn, third = [(await casework.alert())[0] for _ in range(3)]
    await casework.students.end_consent(withdrawn.student, held=True)
    async with engine.begin() as connection:
        for alert in (withdrawn, left):
            await connection.execute(
                text(
                    "INSERT INTO casework.actions (action_id, alert_id, action, done_on) "
                    "VALUES (gen_random_uuid(), :alert, 'taken', '2016-12-12')"
                ),
                {"alert": alert.alert_id},
            )
    await casework.post(third.alert_id, action="taken")  # wakes the publisher
    await published.of(third.alert_id, count=1)
    assert len(await published.of(left.alert_id, count=1)) == 1
    assert await published.of(withdrawn.alert_id, count=0) == []
    async with engine.connect() as connection:
        waiting = text("SELECT alert_id FROM casework.actions WHERE published_at IS NULL")
        assert set(await connection.scalars(waiting)) == {withdrawn.alert_id}


async def test_an_action_is_taken_while_kafka_is_away_and_published_later(
    casework: Casework,
    published: Published,
    settings: CaseworkSettings,
    identity: Identity,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Away for the one who publishes: before the ledger was compared nothing is answered."""
    alert, _ = await casework.alert()
    monkeypatch.setattr(publisher, "make_producer", lambda _: make_producer("127.0.0.1:9"))
    async with running(create_app(settings, Background(say_death)), identity.auth()) as client:
        answer = await client.post(f"/v1/alerts/{alert.alert_id}/actions", json={"action": "snoozed"})
        assert answer.status_code == 201
    await casework.post(alert.alert_id, action="taken")  # wakes a publisher that has Kafka
    assert [each.action for each in await published.of(alert.alert_id, count=2)] == ["snoozed", "taken"]


async def test_the_command_writes_what_was_identified(
    casework: Casework,
    published: Published,
    kafka_bootstrap: str,
    casework_url: str,
    master_file: Path,
    tmp_path: Path,
) -> None:
    identified, student_id = await casework.alert()
    other, other_id = await casework.alert()
    await casework.post(identified.alert_id, action="closed", outcome="homelessness_identified", on="2016-12-14")
    await casework.post(other.alert_id, action="closed", outcome="not_homeless")
    await published.of(identified.alert_id, count=1)
    await published.of(other.alert_id, count=1)
    out = tmp_path / "outcomes.csv"
    environment = {
        "FIRSTBELL_KAFKA": kafka_bootstrap,
        "FIRSTBELL_DATABASE": casework_url,
        "FIRSTBELL_MASTER_KEY_FILE": str(master_file),
    }
    arguments = ["--out", str(out), "--data-dir", str(tmp_path / "none")]
    result = await asyncio.to_thread(CliRunner().invoke, outcomes, arguments, env=environment)
    assert result.exit_code == 0, result.output
    assert f"{student_id},2016-12-14,homelessness_identified" in out.read_text().splitlines()
    assert other_id not in out.read_text()


async def test_metrics_name_neither_students_nor_outcomes(casework: Casework) -> None:
    alert, student_id = await casework.alert()
    await casework.post(alert.alert_id, action="closed", outcome="homelessness_identified")
    metrics = (await casework.client.get("/metrics")).text
    assert 'firstbell_casework_actions_total{action="closed"}' in metrics
    assert "homelessness_identified" not in metrics
    assert student_id not in metrics
