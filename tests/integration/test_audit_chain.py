"""The audit's chain on a real PostgreSQL: never forked, whoever changes it is found, and who may not cannot."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import pytest_asyncio
from click.testing import CliRunner, Result
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncEngine

from services.cli.audit import audit
from services.cli.audit_check import judge_audit
from services.ingest.app import create_app
from services.ingest.audit.chain import append, append_all, late
from services.ingest.audit.checkpoints import read_folder, write_checkpoint
from services.ingest.audit.verifying import Verified, verify
from services.ingest.settings import IngestSettings
from services.platform.audit.entry import AuditEntry
from services.platform.audit.log import AuditLog
from services.platform.database import make_engine
from services.platform.embedded.endpoints import Stack
from services.platform.roles import OWNER, READER
from tests.identity import Identity
from tests.integration.ingest_support import OwnDatabase, ingest_settings, own_database
from tests.integration.running import running, until

STUDENT = "-" + "a" * 21
UNCHECKED = "SET LOCAL session_replication_role = replica"
"""As an owner who goes past keys does."""


class Chained(NamedTuple):
    database: OwnDatabase
    engine: AsyncEngine
    settings: IngestSettings

    async def write(self, count: int, *, service: str = "casework") -> None:
        log = AuditLog(self.database.of(service), service=service)
        given = [
            AuditEntry(
                subject=f"her-{number}",
                role="caseworker",
                agency="project-hope",
                action="GET /v1/students/{student}",
                students={STUDENT: date(2016, 9, 1), f"other-{number}": None},
            )
            for number in range(count)
        ]
        await log.record(*given)
        await log.close()

    async def as_owner(self, *statements: str) -> None:
        engine = make_engine(self.database.owner, service=OWNER, pool_size=1)
        async with engine.begin() as connection:
            for statement in statements:
                await connection.execute(text(statement))
        await engine.dispose()

    async def run(self, *arguments: str) -> Result:
        environment = {"FIRSTBELL_DATABASE": self.database.of("ingest")}
        given = [*arguments, "--data-dir", str(self.settings.data_dir)]
        return await asyncio.to_thread(CliRunner().invoke, audit, given, env=environment)


@pytest_asyncio.fixture(loop_scope="session")
async def chained(stack: Stack, tmp_path: Path) -> AsyncIterator[Chained]:
    async with own_database(stack) as database:
        engine = make_engine(database.of("ingest"), service="ingest", pool_size=2)
        yield Chained(database, engine, ingest_settings(stack.kafka, database.of("ingest"), tmp_path))
        await engine.dispose()


async def test_appenders_at_once_never_fork(chained: Chained) -> None:
    async def append_little_by_little() -> int:
        engine = make_engine(chained.database.of("ingest"), service="ingest", pool_size=1)
        total = 0
        while some := await append(engine, limit=7):
            total += some
        await engine.dispose()
        return total

    await chained.write(150)
    assert (await verify(chained.engine)).unchained == 150
    writing = chained.write(150, service="notify")
    *taken, _ = await asyncio.gather(*(append_little_by_little() for _ in range(3)), writing)
    await append_all(chained.engine)
    assert sum(taken) >= 150
    assert await verify(chained.engine) == Verified(300, 0, 0, None, 0)


@pytest.mark.parametrize(
    ("statements", "found"),
    [
        (["UPDATE audit.entries SET subject = 'him' WHERE entry = 4"], Verified(6, 0, 0, 4, 0)),
        ([UNCHECKED, "DELETE FROM audit.entries WHERE entry = 3"], Verified(5, 0, 0, 3, 0)),
        (["DELETE FROM audit.chain WHERE seq = 2"], Verified(6, 1, 1, 2, 0)),
        (["DELETE FROM audit.chain WHERE seq = 6"], Verified(6, 1, 1, None, 0)),
        (["DELETE FROM audit.chain WHERE seq = 6", "DELETE FROM audit.entries WHERE entry = 6"], (5, 0, 0, None, 0)),
        (["UPDATE audit.chain SET hash = '\\x00' WHERE seq = 5"], Verified(6, 0, 0, 5, 0)),
        (
            ["INSERT INTO audit.entries (subject, role, action, students, consents, outcome) "
             "VALUES ('her', 'steward', 'mail', '{}', '{}', 'allowed')"],
            Verified(7, 1, 1, None, 0),
        ),
    ],
)  # fmt: skip
async def test_what_the_owner_does_is_found(chained: Chained, statements: list[str], found: Verified) -> None:
    await chained.write(6)
    await append_all(chained.engine)
    folder = chained.settings.checkpoints
    await write_checkpoint(chained.engine, chained.settings.audit_key, folder / "one.json")
    await chained.as_owner(*statements)
    assert await verify(chained.engine) == (found if isinstance(found, Verified) else Verified(*found))
    result = await chained.run("verify", "--json", "--checkpoints", str(folder))
    assert (result.exit_code, json.loads(result.stdout)["ok"]) == (1, False), result.output


async def test_a_chain_that_was_computed_anew_is_found_by_a_checkpoint(chained: Chained) -> None:
    await chained.write(5)
    folder = chained.settings.checkpoints
    assert (await chained.run("checkpoint", "--out", str(folder / "one.json"))).exit_code == 0
    await chained.as_owner(
        "UPDATE audit.entries SET subject = 'nobody' WHERE entry = 2",
        "DELETE FROM audit.chain",
        "INSERT INTO audit.unchained SELECT entry FROM audit.entries",
    )
    await append_all(chained.engine)
    assert await verify(chained.engine) == Verified(5, 0, 0, None, 0)
    checkpoints, wrong = read_folder(folder, chained.settings.audit_key)
    assert wrong == []
    assert await verify(chained.engine, checkpoints) == Verified(5, 0, 0, 5, 0)


@pytest.mark.parametrize("table", ["audit.entries", "audit.chain"])
@pytest.mark.parametrize("service", ["ingest", "casework", "notify", READER])
async def test_no_role_changes_what_is_written(chained: Chained, service: str, table: str) -> None:
    url = chained.database.stack.database_app if service == READER else chained.database.of(service)
    engine = make_engine(url, service=service, pool_size=1)
    column = "outcome" if table == "audit.entries" else "hash"
    for statement in (f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):
        with pytest.raises(ProgrammingError, match="permission denied"):
            async with engine.begin() as connection:
                await connection.execute(text(statement))
    await engine.dispose()


async def test_the_commands(chained: Chained, tmp_path: Path) -> None:
    nothing = await chained.run("checkpoint", "--out", str(tmp_path / "c.json"))
    assert (nothing.exit_code, "nothing to sign" in nothing.output) == (1, True)
    await chained.write(3)
    waiting = json.loads((await chained.run("verify", "--json")).stdout)
    assert waiting == {"entries": 3, "unchained": 3, "ok": True, "first_bad": None, "checkpoints": 0}

    folder = tmp_path / "kept"
    assert (await chained.run("checkpoint", "--out", str(folder / "c.json"))).exit_code == 0
    whole = await chained.run("verify", "--json", "--checkpoints", str(folder))
    assert json.loads(whole.stdout) == {"entries": 3, "unchained": 0, "ok": True, "first_bad": None, "checkpoints": 1}
    assert whole.exit_code == 0
    assert "whole" in (await chained.run("verify")).stdout

    out = tmp_path / "export.ndjson"
    result = await chained.run("export", "--out", str(out), "--student", STUDENT, "--json")
    assert json.loads(result.stdout) == {"entries": 4, "file": str(out)}, result.output
    lines = read(out)
    assert [line["seq"] for line in lines] == [1, 2, 3, None]
    assert list(lines[0]) == [
        "seq", "at", "subject", "role", "agency", "action", "students", "purpose", "agreement", "consent", "outcome"
    ]  # fmt: skip
    assert (lines[0]["students"], lines[0]["consent"]) == ([STUDENT, "other-0"], ["2016-09-01", None])
    looked = lines[-1]
    assert looked["subject"].startswith("cli:")
    assert (looked["role"], looked["action"], looked["students"]) == ("steward", "audit export", [STUDENT])
    assert out.stat().st_mode & 0o777 == 0o600

    await chained.run("export", "--out", str(out), "--student=other-1" + "x" * 14)
    assert read(out)[-1]["action"] == "audit export"
    await chained.run("export", "--out", str(out), "--since", "2099-01-01")
    assert read(out) == []
    raw = await chained.run("export", "--out", str(out), "--student", "100001")
    assert (raw.exit_code, "100001" in raw.output) == (2, False)


async def test_what_waits_too_long_is_said(chained: Chained) -> None:
    await chained.write(2)
    assert await late(chained.engine) == 0
    await chained.as_owner("UPDATE audit.entries SET at = at - interval '2 minutes' WHERE entry = 1")
    assert await late(chained.engine) == 1
    assert judge_audit(1).status == "failed"
    await append_all(chained.engine)
    assert await late(chained.engine) == 0
    assert judge_audit(0).status == "ok"


async def test_the_service_chains_and_signs_by_itself(chained: Chained, identity: Identity) -> None:
    settings = identity.of(chained.settings)

    async def is_chained() -> bool:
        return (await verify(chained.engine)).unchained == 0

    async def is_signed() -> bool:
        return path.exists()

    path = settings.checkpoints / f"checkpoint-{settings.wall_today()}.json"
    async with running(create_app(settings), identity.auth("district")):
        await chained.write(3)
        await until(is_chained)
    assert await verify(chained.engine) == Verified(3, 0, 0, None, 0)
    async with running(create_app(settings), identity.auth("district")):
        await until(is_signed)
    checkpoints, wrong = read_folder(settings.checkpoints, settings.audit_key)
    assert ([one.seq for one in checkpoints], wrong) == ([3], [])


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
