"""Cases that nobody takes, from casework to the supervisor's mail; and mails that wait for the end of the night."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.contracts.alerts import AlertEvent
from services.notify.app import create_app
from services.notify.settings import NotifySettings
from services.platform.background import Background
from services.platform.embedded.endpoints import Stack, stack_database
from tests.alert_events import event
from tests.integration.conftest import Sink, Students
from tests.integration.running import producing, running, say_death, send, until

BOSS = "boss@hope.example"
TEAMS = '[default]\nname = "Hope"\nrecipients = ["one@hope.example"]\nsupervisors = ["boss@hope.example"]\n'
ALWAYS = {"working_hours": "00:00-24:00", "working_days": "mon-sun"}


@asynccontextmanager
async def notifying(
    stack: Stack, sink: Sink, folder: Path, teams: str = TEAMS, *, urgent_hours: float = 0.0001
) -> AsyncIterator[httpx.AsyncClient]:
    (folder / "teams.toml").write_text(teams)
    settings = NotifySettings(
        data_dir=folder,
        kafka=stack.kafka,
        database=SecretStr(stack_database(stack, "notify")),
        master_key_file=stack.data_dir / "secrets" / "master.key",
        smtp=sink.address,
        public_url="http://casework.example",
        escalate_urgent_hours=urgent_hours,
        **ALWAYS,
    )
    async with running(create_app(settings, Background(say_death))) as client:
        yield client


async def waiting(engine: AsyncEngine, raised: AlertEvent, *, hours: float) -> None:
    """The alert's case, which nobody has taken for so long."""
    given = {
        "id": raised.alert_id,
        "agency": raised.agency,
        "student": raised.student,
        "level": raised.level,
        "day": raised.raised_on,
        "since": datetime.now(UTC) - timedelta(hours=hours),
    }
    async with engine.begin() as connection:
        await connection.execute(
            text("""INSERT INTO casework.cases (id, agency, family, school_id, level, state, opened_on, waiting_since)
                    VALUES (:id, :agency, :student, 'burke', :level, 'new', :day, :since)"""),
            given,
        )
        await connection.execute(
            text("""INSERT INTO casework.alerts (id, seq, student, school_id, level, status, raised_on, updated_at,
                                                 reasons, agency, case_id)
                    VALUES (:id, 1, :student, 'burke', :level, 'open', :day, clock_timestamp(), '[]', :agency, :id)"""),
            given,
        )


async def take(engine: AsyncEngine, raised: AlertEvent) -> None:
    async with engine.begin() as connection:
        query = "UPDATE casework.cases SET state = 'taken', owner = 'ann', waiting_since = NULL WHERE id = :id"
        await connection.execute(text(query), {"id": raised.alert_id})


async def escalations(engine: AsyncEngine, raised: AlertEvent) -> list[tuple[str, str, str | None]]:
    """Recipient, state and reason of each, in order."""
    query = text("""SELECT recipient, status, reason FROM notify.outbox
                    WHERE alert_id = :id AND kind = 'escalation' ORDER BY position""")
    async with engine.connect() as connection:
        return [tuple(row) for row in await connection.execute(query, {"id": raised.alert_id})]


async def test_what_nobody_takes_goes_to_the_supervisor_and_not_for_ever(
    stack: Stack, smtp_sink: Sink, engine: AsyncEngine, students: Students, tmp_path: Path
) -> None:
    raised = event((await students.consented())[0], level="urgent")
    await waiting(engine, raised, hours=1)
    async with notifying(stack, smtp_sink, tmp_path):

        async def is_told() -> bool:
            return await escalations(engine, raised) == [(BOSS, "sent", None)]

        await until(is_told)  # five repeats are over: of those that were missed one is told
    await take(engine, raised)
    [mail] = [one for one in smtp_sink.folder.glob("*.eml") if str(raised.alert_id) in one.read_text()]
    assert "nobody has taken it (urgent)" in mail.read_text()
    assert raised.student not in mail.read_text()


async def test_none_is_sent_after_somebody_took_it(
    stack: Stack, smtp_sink: Sink, engine: AsyncEngine, students: Students, tmp_path: Path
) -> None:
    raised = event((await students.consented())[0], level="urgent")
    await waiting(engine, raised, hours=1)
    async with engine.begin() as connection:
        await connection.execute(
            text("""INSERT INTO notify.outbox (id, event_id, alert_id, student, school_id, family, recipient, kind,
                                               level, kinds, changed_on, caused_at)
                    VALUES (gen_random_uuid(), gen_random_uuid(), :id, :student, 'burke', :family, 'boss@hope.example',
                            'escalation', 'urgent', '{}', '2016-12-05', clock_timestamp())"""),
            {"id": raised.alert_id, "student": raised.student, "family": str(raised.alert_id)},
        )
    await take(engine, raised)
    async with notifying(stack, smtp_sink, tmp_path, urgent_hours=4):

        async def is_cancelled() -> bool:
            return await escalations(engine, raised) == [(BOSS, "cancelled", "the case is taken")]

        await until(is_cancelled)


async def test_in_quiet_hours_only_what_is_urgent_comes_through(
    stack: Stack, smtp_sink: Sink, engine: AsyncEngine, students: Students, tmp_path: Path
) -> None:
    now = datetime.now(ZoneInfo("America/New_York"))
    quiet = f"{(now - timedelta(hours=1)):%H:%M}-{(now + timedelta(hours=2)):%H:%M}"
    teams = f'[default]\nname = "Hope"\nrecipients = ["one@hope.example"]\nquiet_hours = "{quiet}"\n'
    calm, grave = [(await students.consented())[0] for _ in range(2)]
    async with notifying(stack, smtp_sink, tmp_path, teams), producing(stack.kafka) as producer:
        watch, urgent = event(calm), event(grave, level="urgent")
        await send(producer, watch, urgent)
        query = text("SELECT status, not_before > clock_timestamp() FROM notify.outbox WHERE alert_id = :id")

        async def state(raised: AlertEvent) -> list[tuple[str, bool | None]]:
            async with engine.connect() as connection:
                return [tuple(row) for row in await connection.execute(query, {"id": raised.alert_id})]

        async def as_it_should() -> bool:
            return await state(urgent) == [("sent", None)] and await state(watch) == [("pending", True)]

        await until(as_it_should)
    async with engine.begin() as connection:
        await connection.execute(
            text("UPDATE notify.outbox SET not_before = clock_timestamp() WHERE alert_id = :id"), {"id": watch.alert_id}
        )
    async with notifying(stack, smtp_sink, tmp_path, teams.replace(quiet, "03:00-03:01")):

        async def is_sent() -> bool:
            return [status for status, _ in await state(watch)] == ["sent"]

        await until(is_sent)
