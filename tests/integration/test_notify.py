"""Notify on a real Kafka, PostgreSQL and SMTP server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import NamedTuple, cast
from uuid import UUID, uuid4

import httpx
import pytest_asyncio
from aiokafka import AIOKafkaProducer
from aiosmtpd.smtp import SMTP, Envelope, Session
from pydantic import SecretStr
from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncEngine

from services.contracts.ids import case_number
from services.notify.app import create_app
from services.notify.settings import NotifySettings
from services.notify.tables import OutboxRow
from services.platform.background import Background
from services.platform.embedded.ports import free_port
from tests.alert_events import event
from tests.integration.conftest import Sink, Students
from tests.integration.running import producing, running, say_death, send, until

TEAMS = """
[default]
name = "Hope"
recipients = ["one@hope.example", "two@hope.example"]
"""


class Notify(NamedTuple):
    client: httpx.AsyncClient
    producer: AIOKafkaProducer
    engine: AsyncEngine

    async def outbox(self, alert: UUID) -> list[Row[str, str, str]]:
        """Kind, recipient and status of an alert's mails, in order."""
        query = select(OutboxRow.kind, OutboxRow.recipient, OutboxRow.status).where(OutboxRow.alert_id == alert)
        async with self.engine.connect() as connection:
            return list(await connection.execute(query.order_by(OutboxRow.position)))

    async def settles(self, alert: UUID, *statuses: str) -> None:
        """Wait until the alert's mails have these states."""

        async def reached() -> bool:
            return [status for _, _, status in await self.outbox(alert)] == list(statuses)

        await until(reached)


@asynccontextmanager
async def notifying(kafka: str, database: str, smtp: str, engine: AsyncEngine, folder: Path) -> AsyncIterator[Notify]:
    (folder / "teams.toml").write_text(TEAMS)
    settings = NotifySettings(
        data_dir=folder,
        kafka=kafka,
        database=SecretStr(database),
        smtp=smtp,
        public_url="http://casework.example",
        retry_base_seconds=0.05,
        retry_cap_seconds=0.2,
    )
    async with running(create_app(settings, Background(say_death))) as client, producing(kafka) as producer:
        yield Notify(client, producer, engine)


@pytest_asyncio.fixture(loop_scope="session")
async def notify(
    kafka_bootstrap: str, database_url: str, smtp_sink: Sink, engine: AsyncEngine, tmp_path: Path
) -> AsyncIterator[Notify]:
    async with notifying(kafka_bootstrap, database_url, smtp_sink.address, engine, tmp_path) as ready:
        yield ready


def mails(folder: Path, alert: UUID) -> list[EmailMessage]:
    kept = [message_from_bytes(path.read_bytes(), policy=policy.default) for path in sorted(folder.glob("*.eml"))]
    return [mail for mail in kept if case_number(alert) in mail["Subject"]]


async def test_a_raised_alert_is_mailed_to_each_recipient_once_and_names_nobody(
    notify: Notify, students: Students, smtp_sink: Sink
) -> None:
    student, student_id = await students.consented()
    household = uuid4().hex[:22]
    raised = event(student, household=household, school_id="burke-high")
    sibling, _ = await students.consented()
    await send(notify.producer, raised, event(sibling, household=household), raised)
    await notify.settles(raised.alert_id, "sent", "sent")
    later, _ = await students.consented()
    await send(notify.producer, event(later))
    await notify.settles(event(later).alert_id, "sent", "sent")
    assert await notify.outbox(event(sibling, household=household).alert_id) == []
    found = mails(smtp_sink.folder, raised.alert_id)
    assert {mail["To"] for mail in found} == {"one@hope.example", "two@hope.example"}
    assert len({mail["Message-ID"] for mail in found}) == len(found) == 2
    for mail in found:
        for secret in (student, student_id, household, "burke-high", "Absent 3 days"):
            assert secret not in mail.as_string()
        assert f"http://casework.example/v1/alerts/{raised.alert_id}" in mail.get_content()


async def test_the_moments_that_latency_is_computed_from_are_kept(notify: Notify, students: Students) -> None:
    student, _ = await students.consented()
    now = datetime.now(UTC)
    raised = event(student, caused_at=now)
    await send(notify.producer, raised)
    await notify.settles(raised.alert_id, "sent", "sent")
    query = select(OutboxRow.caused_at, OutboxRow.sent_at).where(OutboxRow.alert_id == raised.alert_id)
    async with notify.engine.connect() as connection:
        for caused_at, sent_at in await connection.execute(query):
            assert caused_at == now
            assert sent_at is not None
            assert sent_at > now


async def test_a_correction_is_told_to_those_who_were_told(notify: Notify, students: Students, smtp_sink: Sink) -> None:
    student, _ = await students.consented()
    raised = event(student)
    await send(notify.producer, raised)
    await notify.settles(raised.alert_id, "sent", "sent")
    await send(notify.producer, event(student, "AlertWithdrawn", seq=2, because="correction"))
    await notify.settles(raised.alert_id, "sent", "sent", "sent", "sent")
    assert [kind for kind, _, _ in await notify.outbox(raised.alert_id)] == ["level", "level", "withdrawn", "withdrawn"]
    subjects = [mail["Subject"] for mail in mails(smtp_sink.folder, raised.alert_id)]
    assert sum(subject.endswith("withdrawn") for subject in subjects) == 2


async def test_an_ended_consent_tells_nobody(notify: Notify, students: Students, smtp_sink: Sink) -> None:
    student, _ = await students.consented()
    await students.end_consent(student)
    raised = event(student)
    await send(notify.producer, raised)
    await notify.settles(raised.alert_id, "cancelled", "cancelled")
    await send(notify.producer, event(student, "AlertWithdrawn", seq=2, because="consent_ended"))
    other, _ = await students.consented()
    await send(notify.producer, event(other))
    await notify.settles(event(other).alert_id, "sent", "sent")
    assert mails(smtp_sink.folder, raised.alert_id) == []
    assert len(await notify.outbox(raised.alert_id)) == 2


async def test_mails_wait_for_a_server_that_is_away_and_then_leave_in_order(
    kafka_bootstrap: str, database_url: str, engine: AsyncEngine, students: Students, tmp_path: Path
) -> None:
    port = free_port(taken=set())
    server = Server()
    async with (
        server.listening(port),
        notifying(kafka_bootstrap, database_url, f"127.0.0.1:{port}", engine, tmp_path) as notify,
    ):
        await server.stop()
        student, _ = await students.consented()
        raised = event(student)
        await send(notify.producer, raised, event(student, "AlertLevelChanged", "urgent", seq=2))

        async def tried() -> bool:
            query = select(OutboxRow.attempts, OutboxRow.last_error).where(OutboxRow.alert_id == raised.alert_id)
            async with engine.connect() as connection:
                rows = list(await connection.execute(query))
            return len(rows) == 4 and all(attempts > 1 for attempts, _ in rows)

        await until(tried)
        assert (await notify.client.get("/readyz")).json()["checks"]["smtp"] != "ok"
        await server.start(port)
        await notify.settles(raised.alert_id, "sent", "sent", "sent", "sent")
    for recipient in ("one@hope.example", "two@hope.example"):
        subjects = [mail["Subject"].rpartition(" ")[2] for to, mail in server.taken if to == recipient]
        assert subjects == ["watch", "urgent"]


async def test_a_refused_recipient_fails_and_one_who_is_busy_is_tried_again(
    kafka_bootstrap: str, database_url: str, engine: AsyncEngine, students: Students, tmp_path: Path
) -> None:
    port = free_port(taken=set())
    busy = iter(["451 4.3.0 try later", "451 4.3.0 try later"])
    server = Server(
        lambda recipient: "550 5.1.1 no such mailbox" if recipient.startswith("one@") else next(busy, "250 OK")
    )
    async with (
        server.listening(port),
        notifying(kafka_bootstrap, database_url, f"127.0.0.1:{port}", engine, tmp_path) as notify,
    ):
        student, _ = await students.consented()
        await send(notify.producer, event(student))
        await notify.settles(event(student).alert_id, "failed", "sent")
        query = select(OutboxRow.attempts, OutboxRow.last_error).where(OutboxRow.alert_id == event(student).alert_id)
        async with engine.connect() as connection:
            found = [tuple(row) for row in await connection.execute(query.order_by(OutboxRow.position))]
    assert found == [(1, "SMTPRecipientsRefused 550"), (3, None)]


class Server:
    """An SMTP server that can be stopped, started and made to refuse."""

    def __init__(self, answer: Callable[[str], str] = lambda _: "250 OK") -> None:
        self.taken: list[tuple[str, EmailMessage]] = []
        self._answer = answer
        self._server: asyncio.Server | None = None

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        answer = self._answer(address)
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = cast("bytes", envelope.content)
        mail = message_from_bytes(content, policy=policy.default)
        self.taken += [(recipient, mail) for recipient in envelope.rcpt_tos]
        return "250 OK"

    async def start(self, port: int) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: SMTP(self, loop=loop, hostname="test"), "127.0.0.1", port)

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    @asynccontextmanager
    async def listening(self, port: int) -> AsyncIterator[None]:
        await self.start(port)
        try:
            yield
        finally:
            await self.stop()
