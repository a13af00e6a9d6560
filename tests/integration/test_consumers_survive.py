"""Casework and notify while what they stand on dies under them."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import httpx
import psycopg
import pytest
from pydantic import SecretStr
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine

from services.casework.app import create_app as create_casework
from services.casework.settings import CaseworkSettings
from services.casework.tables import AlertEventRow
from services.contracts.alerts import AlertEvent
from services.notify.app import create_app as create_notify
from services.notify.settings import NotifySettings
from services.notify.tables import OutboxRow
from services.platform.background import Background
from services.platform.embedded.endpoints import Stack, stack_database
from tests.alert_events import DAY, event
from tests.identity import Identity
from tests.integration.conftest import Students
from tests.integration.running import answers, producing, running, say_death, send, until


@pytest.mark.parametrize("victim", ["kafka", "postgres"])
async def test_nothing_is_lost_or_doubled_when_it_is_killed(
    *,
    stack: Stack,
    engine: AsyncEngine,
    students: Students,
    tmp_path: Path,
    master_file: Path,
    identity: Identity,
    victim: str,
) -> None:
    casework, notify = both(stack, tmp_path, master_file)
    people = [(await students.consented())[0] for _ in range(30)]
    events = [event(person, raised_on=DAY + timedelta(days=day)) for day in range(3) for person in people]
    async with (
        running(create_casework(identity.of(casework), Background(say_death))) as history,
        running(create_notify(notify, Background(say_death))) as mails,
        producing(stack.kafka) as producer,
    ):
        await send(producer, *events[:30])
        os.kill(stack.pid(victim), signal.SIGKILL)
        await until(lambda: unready(history))
        await send(producer, *events[30:])
        await until(lambda: all_there(engine, events))
        await until(lambda: answers(history, "/readyz"))
        await until(lambda: answers(mails, "/readyz"))


async def unready(client: httpx.AsyncClient) -> bool:
    return not await answers(client, "/readyz")


async def all_there(engine: AsyncEngine, events: list[AlertEvent]) -> bool:
    """Every event is in the timeline, and each student's one mail is sent (the case's level changed once)."""
    students = {each.student for each in events}
    steps = select(func.count()).where(AlertEventRow.event_id.in_([each.event_id for each in events]))
    sent = select(OutboxRow.student).where(OutboxRow.student.in_(students), OutboxRow.status == "sent")
    try:
        async with engine.connect() as connection:
            found = list(await connection.scalars(sent))
            complete = await connection.scalar(steps) == len(events)
    except OperationalError:
        return False
    assert len(found) == len(set(found))
    return complete and set(found) == students


def both(stack: Stack, folder: Path, master: Path) -> tuple[CaseworkSettings, NotifySettings]:
    casework, notify = (SecretStr(stack_database(stack, service)) for service in ("casework", "notify"))
    return (
        CaseworkSettings(data_dir=folder, kafka=stack.kafka, database=casework, master_key_file=master),
        NotifySettings(
            data_dir=folder,
            kafka=stack.kafka,
            database=notify,
            smtp=stack.smtp,
            master_key_file=master,
            public_url="http://casework.example",
        ),
    )


@pytest.mark.parametrize("module", ["services.casework.app", "services.notify.app"])
async def test_a_process_of_which_a_task_cannot_go_on_ends_with_1(
    stack: Stack, identity: Identity, module: str
) -> None:
    """Here: a database without our tables."""
    name = f"empty_{uuid4().hex[:8]}"
    url = stack.database.replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    environment = {
        **os.environ,
        **identity.environment(),
        "FIRSTBELL_KAFKA": stack.kafka,
        "FIRSTBELL_DATABASE": stack.database.rpartition("/")[0] + f"/{name}",
        "FIRSTBELL_SMTP": stack.smtp,
        "FIRSTBELL_PUBLIC_URL": "http://casework.example",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, env=environment, stderr=asyncio.subprocess.PIPE
    )
    async with producing(stack.kafka) as producer:
        await send(producer, event(uuid4().hex[:22]))
    _, log = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 1, log.decode()
    assert b"has ended; the process stops" in log, log.decode()  # whichever task came to a table first


@pytest.mark.parametrize("module", ["services.casework.app", "services.notify.app"])
async def test_a_process_whose_master_key_is_lost_says_so_and_ends_with_1(
    stack: Stack, students: Students, identity: Identity, tmp_path: Path, module: str
) -> None:
    service = module.split(".")[1]
    lost = tmp_path / "lost.key"
    environment = {
        **os.environ,
        **identity.environment(),
        "FIRSTBELL_KAFKA": stack.kafka,
        "FIRSTBELL_DATABASE": stack_database(stack, service),
        "FIRSTBELL_MASTER_KEY_FILE": str(lost),
        "FIRSTBELL_SMTP": stack.smtp,
        "FIRSTBELL_PUBLIC_URL": "http://casework.example",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, env=environment, stderr=asyncio.subprocess.PIPE
    )
    async with producing(stack.kafka) as producer:
        await send(producer, event((await students.consented())[0]))
    _, log = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 1, log.decode()
    assert f"The master key {lost} is not there".encode() in log, log.decode()
    assert b"Traceback" not in log
