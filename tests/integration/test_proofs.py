"""Proofs of erasure on a real PostgreSQL: by HTTP and by command, in each state, on record, and the alarm."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import httpx
import pytest_asyncio
from click.testing import CliRunner, Result
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.cli.erasure_check import check_erasure
from services.cli.proofs import proofs
from services.cli.withdraw import follow
from services.ingest.app import create_app
from services.ingest.proofs import watching
from services.ingest.settings import IngestSettings
from services.platform.checks.target import find_target
from services.platform.database import make_engine
from services.platform.embedded.endpoints import Stack
from services.platform.keys.master import make_master_key
from services.registry import SERVICES
from tests.identity import Identity
from tests.integration.ingest_support import OwnDatabase, ingest_settings, own_database
from tests.integration.running import running, until

LEDGER = """
    INSERT INTO erasure.ledger (id, student, agreement, recipient, kept_for, pseudonym, because, ended_on, at, by, held,
                                removed, gone)
    VALUES (:id, '\\x01', 'DSA', 'dsni', '', :pseudonym, 'withdrawn', current_date, :at, 'withdraw', :held,
            CAST(:removed AS jsonb), CASE WHEN :held THEN NULL ELSE (SELECT count(*) FROM erasure.ledger) END)
"""


class Ledger(NamedTuple):
    """A database whose ledger the test writes."""

    database: OwnDatabase
    engine: AsyncEngine
    settings: IngestSettings

    async def run(self, statement: str, **given: object) -> list[Any]:
        async with self.engine.begin() as connection:
            result = await connection.execute(text(statement), given)
            return list(result.all()) if result.returns_rows else []

    async def erased(
        self, *awaited: str, held: bool = False, named: bool = True, age: timedelta = timedelta()
    ) -> tuple[UUID, str]:
        """An erasure that these services have not confirmed."""
        erasure, pseudonym = uuid4(), "-" + uuid4().hex[:21]
        await self.run(
            LEDGER,
            id=erasure,
            pseudonym=pseudonym if named else None,
            at=datetime.now(UTC) - age,
            held=held,
            removed='{"ingest.students": 1, "ingest.consents": 2}',
        )
        for service in awaited:
            await self.run(
                "INSERT INTO erasure.awaited (service, id, since) VALUES (:service, :id, clock_timestamp() - :age)",
                service=service,
                id=erasure,
                age=age,
            )
        return erasure, pseudonym

    async def confirm(self, erasure: UUID, service: str, removed: str = "{}") -> None:
        await self.run("DELETE FROM erasure.awaited WHERE id = :id AND service = :service", id=erasure, service=service)
        await self.run(
            "INSERT INTO erasure.confirmations (id, service, removed) VALUES (:id, :service, CAST(:removed AS jsonb))",
            id=erasure,
            service=service,
            removed=removed,
        )

    async def command(self, *arguments: str) -> Result:
        given = [*arguments, "--data-dir", str(self.settings.data_dir)]
        environment = {"FIRSTBELL_DATABASE": self.database.of("ingest")}
        return await asyncio.to_thread(CliRunner().invoke, proofs, given, env=environment)

    async def looks(self) -> list[tuple[str, str, list[str]]]:
        rows = await self.run("SELECT action, role, students FROM audit.entries ORDER BY entry")
        return [(row.action, row.role, sorted(row.students)) for row in rows]


@pytest_asyncio.fixture(loop_scope="session")
async def ledger(stack: Stack, tmp_path: Path, identity: Identity) -> AsyncIterator[Ledger]:
    async with own_database(stack) as database:
        engine = make_engine(database.of("ingest"), service="ingest", pool_size=2)
        settings = identity.of(ingest_settings(stack.kafka, database.of("ingest"), tmp_path))
        await make_master_key(settings, engine)
        yield Ledger(database, engine, settings)
        await engine.dispose()


async def test_a_proof_is_pending_until_every_service_has_confirmed_it(ledger: Ledger) -> None:
    erasure, pseudonym = await ledger.erased("ingest", "casework", "notify")

    async def proof() -> dict[str, Any]:
        found: dict[str, Any] = json.loads((await ledger.command(str(erasure), "--json")).stdout)
        return found

    first = await proof()
    assert list(first) == ["id", "pseudonym", "by", "at", "removed", "confirmed", "state"]
    assert (first["id"], first["pseudonym"], first["by"]) == (str(erasure), pseudonym, "withdraw")
    assert (first["state"], first["confirmed"]) == ("pending", {})
    assert first["removed"] == {"ingest.consents": 2, "ingest.students": 1}
    await ledger.confirm(erasure, "casework", '{"casework.alerts": 3}')
    await ledger.confirm(erasure, "ingest", '{"ingest.students": 1, "erasure.keys": 1}')
    half = await proof()
    assert (half["state"], list(half["confirmed"])) == ("pending", ["casework", "ingest"])
    await ledger.confirm(erasure, "notify", '{"notify.mails": 1}')
    whole = await proof()
    assert (whole["state"], list(whole["confirmed"])) == ("complete", ["casework", "ingest", "notify"])
    assert whole["removed"] == {
        "casework.alerts": 3,
        "erasure.keys": 1,
        "ingest.consents": 2,
        "ingest.students": 1,
        "notify.mails": 1,
    }
    assert whole["confirmed"]["notify"] >= whole["confirmed"]["casework"] > whole["at"]


async def test_the_command_lists_the_latest_first_and_puts_the_look_on_record(ledger: Ledger) -> None:
    assert "no proof" in (await ledger.command()).stdout
    assert json.loads((await ledger.command("--json")).stdout) == []
    old, first = await ledger.erased(age=timedelta(hours=1))
    held, second = await ledger.erased(held=True)
    await ledger.erased(named=False)
    found = json.loads((await ledger.command("--json")).stdout)
    assert [(one["id"], one["state"]) for one in found] == [(str(held), "held"), (str(old), "complete")]
    table = (await ledger.command()).stdout
    assert (str(old) in table, second in table) == (True, True)
    assert (await ledger.command(str(uuid4()))).exit_code == 1
    assert (await ledger.command("no-id")).exit_code == 2
    assert (await ledger.looks())[2:4] == [("proofs", "steward", sorted([first, second]))] * 2


async def test_over_http_district_and_steward_read_it_and_the_look_is_on_record(
    ledger: Ledger, identity: Identity
) -> None:
    erasure, pseudonym = await ledger.erased("notify")
    async with running(create_app(ledger.settings)) as client:

        async def ask(path: str, auth: httpx.Auth) -> httpx.Response:
            return await client.get(path, auth=auth)

        one = await ask(f"/v1/proofs/{erasure}", identity.auth("district"))
        assert one.json() == json.loads((await ledger.command(str(erasure), "--json")).stdout)
        assert one.headers["Cache-Control"] == "no-store"
        assert (await ask("/v1/proofs", identity.auth("steward"))).json() == [one.json()]
        assert (await ask(f"/v1/proofs/{uuid4()}", identity.auth("steward"))).status_code == 404
        assert (await ask("/v1/proofs/x", identity.auth("steward"))).status_code == 422
        assert (await ask("/v1/proofs", identity.auth("operator"))).status_code == 403
        of_a_school = identity.auth("steward", schools=["s1"])
        assert (await ask("/v1/proofs", of_a_school)).json() == []
        assert (await ask(f"/v1/proofs/{erasure}", of_a_school)).status_code == 404
    looks = [look for look in await ledger.looks() if look[0].startswith("GET")]
    assert looks[:3] == [
        ("GET /v1/proofs/{id}", "district", [pseudonym]),
        ("GET /v1/proofs", "steward", [pseudonym]),
        ("GET /v1/proofs/{id}", "steward", []),
    ]


async def test_one_that_is_pending_for_more_than_a_minute_is_an_alarm(ledger: Ledger) -> None:
    late, _ = await ledger.erased("warning", "notify", age=timedelta(seconds=90))
    await ledger.erased("notify")
    await ledger.erased(held=True, age=timedelta(days=3))
    target = find_target(ledger.settings, None, SERVICES, key_file=ledger.settings.key_file)

    async def seen() -> tuple[float, float, str, str]:
        await watching.look(ledger.engine)
        _, found = await check_erasure(ledger.settings)(target, 10)
        values = [gauge.collect()[0].samples[0].value for gauge in (watching.PENDING, watching.OVERDUE)]
        return values[0], values[1], found.status, found.detail

    assert await seen() == (2, 1, "failed", "notify has not confirmed 1; warning has not confirmed 1")
    assert 85 < watching.OLDEST.collect()[0].samples[0].value < 300
    await ledger.confirm(late, "notify")
    assert await seen() == (2, 1, "failed", "warning has not confirmed 1")
    await ledger.confirm(late, "warning")
    assert await seen() == (1, 0, "ok", "1 are being confirmed")


async def test_the_service_tells_the_alarm_in_its_metrics(ledger: Ledger, identity: Identity) -> None:
    await ledger.erased("warning", age=timedelta(seconds=90))
    async with running(create_app(ledger.settings), identity.auth("operator")) as client:

        async def is_told() -> bool:
            return "firstbell_erasures_overdue 1.0" in (await client.get("/metrics")).text

        await until(is_told)


async def test_a_withdrawal_is_followed_until_every_service_has_confirmed(ledger: Ledger) -> None:
    erasure, pseudonym = await ledger.erased("notify")
    assert [one.state for one in await follow(ledger.engine, [pseudonym], seconds=0)] == ["pending"]
    confirming = asyncio.create_task(ledger.confirm(erasure, "notify"))
    assert [one.state for one in await follow(ledger.engine, [pseudonym], seconds=20)] == ["complete"]
    await confirming
    assert await follow(ledger.engine, [], seconds=20) == []
