"""What is left in notify of a student who was erased, on a real Kafka, PostgreSQL and SMTP server."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.contracts.ids import case_number
from services.notify.delivery import CONSENT_SECONDS
from services.platform.embedded.endpoints import Stack
from services.platform.embedded.ports import free_port
from tests.alert_events import event
from tests.integration.conftest import Sink, Students
from tests.integration.erasing import holds, removed
from tests.integration.mail_server import Server
from tests.integration.running import send, until
from tests.integration.test_notify import Notify, mails, notifying


@pytest_asyncio.fixture(loop_scope="session")
async def notify(stack: Stack, smtp_sink: Sink, engine: AsyncEngine, tmp_path: Path) -> AsyncIterator[Notify]:
    async with notifying(stack, smtp_sink.address, engine, tmp_path) as ready:
        yield ready


async def past(engine: AsyncEngine) -> Counter[str]:
    """How many mails about erased students ended how."""
    query = text("SELECT status, count(*) AS n FROM notify.past_mails GROUP BY status")
    async with engine.connect() as connection:
        return Counter({row.status: row.n for row in await connection.execute(query)})


async def test_a_mail_that_waits_is_never_sent_and_nothing_of_it_is_left(
    stack: Stack, engine: AsyncEngine, students: Students, tmp_path: Path
) -> None:
    port, answer = free_port(taken=set()), ["451 4.3.0 try later"]
    server = Server(lambda _: answer[-1])
    async with server.listening(port), notifying(stack, f"127.0.0.1:{port}", engine, tmp_path) as notify:
        raised, spared = [event((await students.consented())[0], household=uuid4().hex[:22]) for _ in range(2)]
        await send(notify.producer, raised, spared)
        for each in (raised, spared):
            await notify.settles(each.alert_id, "pending", "pending")
        before = await past(engine)
        erasure = await students.end_consent(raised.student)
        found = await removed(engine, erasure, "notify")
        assert found == {"notify.alerts": 1, "notify.told": 1, "notify.outbox": 2}
        assert await past(engine) - before == {"cancelled": 2}
        words = (raised.student, str(raised.alert_id), str(raised.event_id), str(raised.household))
        assert await holds(engine, "notify", *words) == {}
        answer.append("250 OK")
        await notify.settles(spared.alert_id, "sent", "sent")
        await send(notify.producer, event(raised.student, "AlertLevelChanged", "urgent", seq=2))
        last = event((await students.consented())[0])
        await send(notify.producer, last)
        await notify.settles(last.alert_id, "sent", "sent")
    assert not any(case_number(raised.alert_id) in mail["Subject"] for _, mail in server.taken)
    assert await holds(engine, "notify", raised.student) == {}


async def test_of_a_sent_mail_it_remains_when_it_left(
    notify: Notify, students: Students, engine: AsyncEngine, smtp_sink: Sink
) -> None:
    raised = event((await students.consented())[0])
    await send(notify.producer, raised)
    await notify.settles(raised.alert_id, "sent", "sent")
    before = await past(engine)
    await removed(engine, await students.end_consent(raised.student), "notify")
    ids = [mail["Message-ID"].strip("<>").partition("@")[0] for mail in mails(smtp_sink.folder, raised.alert_id)]
    assert await holds(engine, "notify", raised.student, str(raised.alert_id), *ids) == {}
    assert await past(engine) - before == {"sent": 2}


async def test_while_a_mail_is_being_handed_over_the_erasure_waits_and_the_next_is_not_begun(
    stack: Stack, engine: AsyncEngine, students: Students, tmp_path: Path
) -> None:
    port, begun = free_port(taken=set()), asyncio.Event()

    def begin(_: str) -> str:
        begun.set()
        return "250 OK"

    server = Server(begin, seconds=CONSENT_SECONDS * 1.2)
    async with server.listening(port), notifying(stack, f"127.0.0.1:{port}", engine, tmp_path) as notify:
        raised, other = [event((await students.consented())[0]) for _ in range(2)]
        await send(notify.producer, raised)
        await asyncio.wait_for(begun.wait(), 20)
        erasure = await students.end_consent(raised.student)
        elsewhere = await students.end_consent(other.student)
        assert await removed(engine, elsewhere, "notify") == {}
        assert not server.taken  # it does not hold up the others'
        assert (await removed(engine, erasure, "notify"))["notify.outbox"] == 2
        assert [to for to, _ in server.taken] == ["one@hope.example"]


@pytest.mark.parametrize("level", ["watch", "elevated"])
async def test_a_sibling_folded_into_an_erased_alert_is_told_then_and_can_be_withdrawn(
    notify: Notify, students: Students, engine: AsyncEngine, level: str
) -> None:
    (erased, _), (sibling, _) = await students.consented(), await students.consented()
    household = uuid4().hex[:22]
    told = event(erased, level="elevated", household=household, school_id="burke")
    folded = event(sibling, household=household, school_id="henderson").model_copy(update={"level": level})
    await send(notify.producer, told, folded)
    await notify.settles(told.alert_id, "sent", "sent")
    assert (await removed(engine, await students.end_consent(erased), "notify"))["notify.told"] == 1
    await notify.settles(folded.alert_id, "sent", "sent")
    async with engine.connect() as connection:
        rows = await connection.execute(
            text("SELECT student, school_id, family FROM notify.outbox WHERE alert_id = :a"), {"a": folded.alert_id}
        )
        assert {tuple(row) for row in rows} == {(sibling, "henderson", household)}
    await send(notify.producer, event(sibling, "AlertWithdrawn", seq=2, household=household, because="correction"))
    await notify.settles(folded.alert_id, "sent", "sent", "sent", "sent")
    assert await holds(engine, "notify", erased, str(told.alert_id)) == {}


async def test_when_a_lower_sibling_of_whom_nobody_was_told_is_erased_the_one_who_leads_is_not_told_again(
    notify: Notify, students: Students, engine: AsyncEngine
) -> None:
    (leads, _), (erased, _) = await students.consented(), await students.consented()
    household = uuid4().hex[:22]
    lead = event(leads, level="urgent", household=household)
    await send(notify.producer, lead, event(erased, household=household))
    await notify.settles(lead.alert_id, "sent", "sent")
    found = await removed(engine, await students.end_consent(erased), "notify")
    assert found == {"notify.alerts": 1}
    await send(notify.producer, event(leads, "AlertLevelChanged", "elevated", seq=2, household=household))

    async def told_twice() -> bool:
        return len(await notify.outbox(lead.alert_id)) == 4

    await until(told_twice)
