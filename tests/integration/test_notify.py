"""Notify on a real Kafka, PostgreSQL and SMTP server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import NamedTuple
from uuid import UUID, uuid4

import httpx
import pytest
import pytest_asyncio
from aiokafka import AIOKafkaProducer
from pydantic import SecretStr
from sqlalchemy import Row, insert, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.contracts.alerts import AlertEvent
from services.contracts.ids import case_number
from services.contracts.topics import ALERTS
from services.notify.app import create_app
from services.notify.delivery import CONSENT_SECONDS
from services.notify.outbox import NOT_SHARED
from services.notify.settings import NotifySettings
from services.notify.tables import OutboxRow
from services.platform.background import Background
from services.platform.embedded.endpoints import Stack, stack_database
from services.platform.embedded.ports import free_port
from tests.alert_events import event
from tests.integration.conftest import Sink, Students, audit_broken
from tests.integration.mail_server import Server
from tests.integration.running import producing, running, say_death, sealed, send, until

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

    async def reasons(self, alert: UUID) -> set[str | None]:
        """Why the alert's mails were cancelled."""
        async with self.engine.connect() as connection:
            return set(await connection.scalars(select(OutboxRow.reason).where(OutboxRow.alert_id == alert)))

    async def settles(self, alert: UUID, *statuses: str) -> None:
        """Wait until the alert's mails have these states."""

        async def reached() -> bool:
            return [status for _, _, status in await self.outbox(alert)] == list(statuses)

        await until(reached)


@asynccontextmanager
async def notifying(
    stack: Stack, smtp: str, engine: AsyncEngine, folder: Path, *, budget_hours: float = 24
) -> AsyncIterator[Notify]:
    (folder / "teams.toml").write_text(TEAMS)
    settings = NotifySettings(
        data_dir=folder,
        kafka=stack.kafka,
        database=SecretStr(stack_database(stack, "notify")),
        master_key_file=stack.data_dir / "secrets" / "master.key",
        smtp=smtp,
        public_url="http://casework.example",
        retry_base_seconds=0.05,
        retry_cap_seconds=0.2,
        retry_budget_hours=budget_hours,
    )
    async with running(create_app(settings, Background(say_death))) as client, producing(stack.kafka) as producer:
        yield Notify(client, producer, engine)


@pytest_asyncio.fixture(loop_scope="session")
async def notify(stack: Stack, smtp_sink: Sink, engine: AsyncEngine, tmp_path: Path) -> AsyncIterator[Notify]:
    async with notifying(stack, smtp_sink.address, engine, tmp_path) as ready:
        yield ready


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def _nothing_waits(
    stack: Stack,
    smtp_sink: Sink,
    engine: AsyncEngine,
    students: Students,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """What other files' alerts come to is mailed before the first test, whichever that is."""
    folder = tmp_path_factory.mktemp("before")
    async with notifying(stack, smtp_sink.address, engine, folder) as first:
        last = event((await students.consented())[0])
        await send(first.producer, last)
        await first.settles(last.alert_id, "sent", "sent")


def every_mail(folder: Path) -> list[EmailMessage]:
    return [message_from_bytes(path.read_bytes(), policy=policy.default) for path in sorted(folder.glob("*.eml"))]


def mails(folder: Path, alert: UUID) -> list[EmailMessage]:
    return [mail for mail in every_mail(folder) if case_number(alert) in mail["Subject"]]


async def send_together(producer: AIOKafkaProducer, *events: AlertEvent) -> None:
    """Events that notify reads as one batch."""
    for each in events:
        await producer.send(ALERTS.name, sealed(each), partition=0)
    await producer.flush()


async def add_by_hand(engine: AsyncEngine, raised: AlertEvent, recipient: str) -> None:
    """A mail in the outbox that no event has brought."""
    row = {
        "id": uuid4(),
        "event_id": raised.event_id,
        "alert_id": raised.alert_id,
        "student": raised.student,
        "family": raised.student,
        "recipient": recipient,
        "kind": "level",
        "level": raised.level,
        "kinds": ["absences in a row"],
        "changed_on": raised.changed_on,
        "caused_at": raised.caused_at,
    }
    async with engine.begin() as connection:
        await connection.execute(insert(OutboxRow).values(row))


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
        assert f"http://casework.example/cases/{raised.alert_id}" in mail.get_content()


async def test_a_mail_is_on_record_with_whom_it_went_to_before_it_goes(
    notify: Notify, students: Students, smtp_sink: Sink
) -> None:
    student, _ = await students.consented()
    raised = event(student)
    async with audit_broken(notify.engine):
        await send(notify.producer, raised)
        failed = text("SELECT count(*) FROM notify.outbox WHERE alert_id = :alert")

        async def waits() -> bool:
            async with notify.engine.connect() as connection:
                there = await connection.scalar(failed, {"alert": raised.alert_id})
            metrics = (await notify.client.get("/metrics")).text
            [unwritten] = [line for line in metrics.splitlines() if line.startswith("firstbell_audit_unwritten_total ")]
            return there == 2 and float(unwritten.split()[1]) > 0

        await until(waits)
        assert mails(smtp_sink.folder, raised.alert_id) == []
    await notify.settles(raised.alert_id, "sent", "sent")
    query = text("SELECT * FROM audit.entries WHERE :student = ANY (students) ORDER BY subject")
    async with notify.engine.connect() as connection:
        found = (await connection.execute(query, {"student": student})).all()
    assert [(row.subject, row.role, row.agency, row.action) for row in found] == [
        ("one@hope.example", "caseworker", raised.agency, "mail"),
        ("two@hope.example", "caseworker", raised.agency, "mail"),
    ]


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


async def test_a_case_that_ended_while_its_mails_waited_is_not_told(
    stack: Stack, smtp_sink: Sink, engine: AsyncEngine, students: Students, tmp_path: Path
) -> None:
    student, _ = await students.consented()
    raised, again = event(student), event(student, seq=2)
    await add_by_hand(engine, raised, "waiting@hope.example")
    await close_case(engine, raised)
    async with notifying(stack, smtp_sink.address, engine, tmp_path) as notify:
        await notify.settles(raised.alert_id, "cancelled")
        assert await notify.reasons(raised.alert_id) == {"the case is closed"}
        await send(notify.producer, again)  # casework, which is behind, opens the case again by this one
        await notify.settles(raised.alert_id, "cancelled", "sent", "sent")


async def close_case(engine: AsyncEngine, raised: AlertEvent) -> None:
    """The alert's case, as casework keeps it once somebody has closed it."""
    case = {"case": raised.alert_id, "agency": raised.agency, "family": raised.student, "day": raised.changed_on}
    async with engine.begin() as connection:
        await connection.execute(
            text("""INSERT INTO casework.cases (id, agency, family, level, state, opened_on, ended_on)
                    VALUES (:case, :agency, :family, 'elevated', 'closed', :day, :day)"""),
            case,
        )
        await connection.execute(
            text("""INSERT INTO casework.alerts (id, seq, student, school_id, level, status, raised_on, updated_at,
                                                 reasons, agency, case_id)
                    VALUES (:case, 1, :family, 'burke', 'elevated', 'open', :day, clock_timestamp(), '[]', :agency,
                            :case)"""),
            case,
        )


async def test_an_ended_consent_tells_nobody(notify: Notify, students: Students, smtp_sink: Sink) -> None:
    student, _ = await students.consented()
    await students.end_consent(student, held=True)
    raised = event(student)
    await send(notify.producer, raised)
    await notify.settles(raised.alert_id, "cancelled", "cancelled")
    assert await notify.reasons(raised.alert_id) == {NOT_SHARED}
    other, _ = await students.consented()
    await send(notify.producer, event(other))
    await notify.settles(event(other).alert_id, "sent", "sent")
    assert mails(smtp_sink.folder, raised.alert_id) == []
    assert len(await notify.outbox(raised.alert_id)) == 2


async def test_mails_wait_for_a_server_that_is_away_and_then_leave_in_order(
    stack: Stack, engine: AsyncEngine, students: Students, tmp_path: Path
) -> None:
    port = free_port(taken=set())
    server = Server()
    async with (
        server.listening(port),
        notifying(stack, f"127.0.0.1:{port}", engine, tmp_path) as notify,
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

        await until(tried, seconds=90)  # a connection that began while the server stopped is given up after 30 s
        assert (await notify.client.get("/readyz")).json()["checks"]["smtp"] != "ok"
        await server.start(port)
        await notify.settles(raised.alert_id, "sent", "sent", "sent", "sent")
    for recipient in ("one@hope.example", "two@hope.example"):
        subjects = [mail["Subject"].rpartition(" ")[2] for to, mail in server.taken if to == recipient]
        assert subjects == ["watch", "urgent"]


async def test_a_refused_recipient_fails_and_one_who_is_busy_is_tried_again(
    stack: Stack, engine: AsyncEngine, students: Students, tmp_path: Path
) -> None:
    port = free_port(taken=set())
    busy = iter(["451 4.3.0 try later", "451 4.3.0 try later"])
    server = Server(
        lambda recipient: "550 5.1.1 no such mailbox" if recipient.startswith("one@") else next(busy, "250 OK")
    )
    async with (
        server.listening(port),
        notifying(stack, f"127.0.0.1:{port}", engine, tmp_path) as notify,
    ):
        student, _ = await students.consented()
        await send(notify.producer, event(student))
        await notify.settles(event(student).alert_id, "failed", "sent")
        query = select(OutboxRow.attempts, OutboxRow.last_error).where(OutboxRow.alert_id == event(student).alert_id)
        async with engine.connect() as connection:
            found = [tuple(row) for row in await connection.execute(query.order_by(OutboxRow.position))]
    assert found == [(1, "SMTPRecipientsRefused 550"), (3, None)]


@pytest.mark.parametrize("busy", [True, False])
async def test_a_mail_that_has_been_tried_for_long_enough_is_given_up(
    stack: Stack, engine: AsyncEngine, students: Students, tmp_path: Path, *, busy: bool
) -> None:
    """Whether the server puts it off or is away."""
    port = free_port(taken=set())
    server = Server(lambda _: "451 4.3.0 try later")
    address = f"127.0.0.1:{port}"
    async with (
        server.listening(port),
        notifying(stack, address, engine, tmp_path, budget_hours=1e-6) as notify,
    ):
        if not busy:
            await server.stop()
        student, _ = await students.consented()
        await send(notify.producer, event(student))
        await notify.settles(event(student).alert_id, "failed", "failed")


async def test_many_alerts_at_once_are_each_mailed_once_and_those_without_consent_are_not(
    notify: Notify, students: Students, smtp_sink: Sink
) -> None:
    events = [event((await students.consented())[0]) for _ in range(150)]
    for without in events[::10]:
        await students.end_consent(without.student, held=True)
    await send(notify.producer, *events)
    for number, each in enumerate(events):
        await notify.settles(each.alert_id, *2 * (["cancelled"] if number % 10 == 0 else ["sent"]))
    cases = [mail["Subject"].split()[2].rstrip(":") for mail in every_mail(smtp_sink.folder)]
    for number, each in enumerate(events):
        assert cases.count(case_number(each.alert_id)) == (0 if number % 10 == 0 else 2)


async def test_a_level_and_its_withdrawal_that_come_together_tell_nobody(notify: Notify, students: Students) -> None:
    student, _ = await students.consented()
    raised = event(student)
    withdrawn = event(student, "AlertWithdrawn", seq=2, because="correction")
    again = event(student, "AlertLevelChanged", "urgent", seq=3)
    other, _ = await students.consented()
    await asyncio.gather(
        *(
            send(notify.producer, each)
            for each in (raised, event(other), withdrawn, event(other, "AlertCleared", seq=2))
        )
    )
    await notify.settles(raised.alert_id, "cancelled", "cancelled")
    await send(notify.producer, again)
    await notify.settles(raised.alert_id, "cancelled", "cancelled", "sent", "sent")


async def test_of_a_batch_only_the_record_that_the_database_refuses_is_lost(notify: Notify, students: Students) -> None:
    events = [event((await students.consented())[0]) for _ in range(20)]
    unstorable = event((await students.consented())[0], household="a\x00b")
    await send_together(notify.producer, *events[:13], unstorable, *events[13:])
    for each in events:
        await notify.settles(each.alert_id, "sent", "sent")
    assert await notify.outbox(unstorable.alert_id) == []


async def test_a_consent_that_ends_while_a_slow_server_takes_the_mails_before_counts(
    stack: Stack, engine: AsyncEngine, students: Students, tmp_path: Path
) -> None:
    port = free_port(taken=set())
    server = Server(seconds=CONSENT_SECONDS * 0.6)
    async with (
        server.listening(port),
        notifying(stack, f"127.0.0.1:{port}", engine, tmp_path) as notify,
    ):
        first, last = [event((await students.consented())[0]) for _ in range(2)]
        await send(notify.producer, first, last)
        await until(lambda: server.has_taken(1))
        await students.end_consent(last.student, held=True)
        await notify.settles(first.alert_id, "sent", "sent")
        await notify.settles(last.alert_id, "cancelled", "cancelled")


@asynccontextmanager
async def shared_alone(engine: AsyncEngine, school: str) -> AsyncIterator[None]:
    """As if an agreement were in force that shares the attendance of this school alone."""
    share = text("UPDATE ingest.disclosures SET school_id = :now WHERE record = 'attendance' AND school_id = :before")
    async with engine.begin() as connection:
        await connection.execute(share, {"now": school, "before": "*"})
    try:
        yield
    finally:
        async with engine.begin() as connection:
            await connection.execute(share, {"now": "*", "before": school})


async def test_a_mail_that_waits_while_its_school_is_dropped_is_cancelled(
    stack: Stack, engine: AsyncEngine, students: Students, tmp_path: Path
) -> None:
    port = free_port(taken=set())
    answers = ["451 4.3.0 try later"]
    server = Server(lambda _: answers[-1])
    async with (
        server.listening(port),
        notifying(stack, f"127.0.0.1:{port}", engine, tmp_path) as notify,
    ):
        dropped, kept = [event((await students.consented())[0], school_id=school) for school in ("dropped", "kept")]
        before, _ = await students.consented()
        await add_by_hand(engine, event(before), "one@hope.example")  # it says no school
        await send(notify.producer, dropped, kept)
        await notify.settles(dropped.alert_id, "pending", "pending")
        await notify.settles(kept.alert_id, "pending", "pending")
        async with shared_alone(engine, "kept"):
            await notify.settles(dropped.alert_id, "cancelled", "cancelled")
            answers.append("250 OK")
            await notify.settles(kept.alert_id, "sent", "sent")
            await notify.settles(event(before).alert_id, "sent")
    assert not any(case_number(dropped.alert_id) in mail["Subject"] for _, mail in server.taken)


async def test_an_address_that_cannot_be_written_to_fails_alone(
    notify: Notify, students: Students, engine: AsyncEngine
) -> None:
    """Addresses are checked as the teams file is read; a row may have come by another way."""
    spoilt, _ = await students.consented()
    await add_by_hand(engine, event(spoilt), "one@hope.example\nBcc: two@hope.example")
    fine, _ = await students.consented()
    await send(notify.producer, event(fine))
    await notify.settles(event(fine).alert_id, "sent", "sent")
    await notify.settles(event(spoilt).alert_id, "failed")
