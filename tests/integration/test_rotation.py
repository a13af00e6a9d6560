"""The master key is rotated on a real PostgreSQL while keys are made: everything opens, and old dumps open nothing."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import pytest_asyncio
from click.testing import CliRunner, Result
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.cli.erasure import erasure
from services.cli.erasure_check import check_erasure
from services.ingest.intake import Intake
from services.ingest.settings import IngestSettings
from services.ingest.store import keys
from services.platform.checks.target import find_target
from services.platform.database import make_engine
from services.platform.embedded.endpoints import Stack
from services.platform.keys import rotating
from services.platform.keys.feed_keys import find_keys
from services.platform.keys.master import MasterKeyLostError, MasterKeys, make_master_key, new_master_line
from services.platform.keys.rotating import RotationError, rotate
from services.platform.processes import write_atomically
from services.registry import SERVICES
from tests.integration.ingest_support import OwnDatabase, ingest_settings, own_database
from tests.integration.running import until


def names(count: int) -> list[str]:
    return [secrets.token_urlsafe(16) for _ in range(count)]


class Sealed(NamedTuple):
    """A database with keys, its ingest's engine, and the master key's file."""

    database: OwnDatabase
    engine: AsyncEngine
    settings: IngestSettings

    async def add(self, pseudonyms: Sequence[str], masters: MasterKeys | None = None) -> None:
        async with self.engine.begin() as connection:
            await keys.add(connection, masters or MasterKeys.of(self.settings), "dsni", pseudonyms)

    async def opened(self, masters: MasterKeys | None = None) -> dict[str, bytes]:
        async with self.engine.connect() as connection:
            all_of = (await connection.execute(text("SELECT pseudonym FROM erasure.keys"))).scalars().all()
            return dict((await find_keys(connection, masters or MasterKeys.of(self.settings), all_of)).keys)

    async def wrapped_by(self) -> set[str]:
        async with self.engine.connect() as connection:
            return set((await connection.execute(text("SELECT DISTINCT master FROM erasure.keys"))).scalars())

    async def somebody_waits(self) -> bool:
        query = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = to_regclass('erasure.keys')"
        async with self.engine.connect() as connection:
            return bool((await connection.execute(text(query))).scalar_one())

    async def dump(self) -> list[dict[str, Any]]:
        async with self.engine.connect() as connection:
            return [dict(row) for row in (await connection.execute(text("SELECT * FROM erasure.keys"))).mappings()]

    async def restore(self, rows: list[dict[str, Any]]) -> None:
        async with self.engine.begin() as connection:
            await connection.execute(text("DELETE FROM erasure.keys"))
            await connection.execute(
                text("INSERT INTO erasure.keys VALUES (:pseudonym, :recipient, :master, :wrapped)"), rows
            )

    async def run(self, *arguments: str, **environment: str) -> Result:
        given = [*arguments, "--data-dir", str(self.settings.data_dir)]
        environment |= {"FIRSTBELL_DATABASE": self.database.of("ingest"), "FIRSTBELL_KAFKA": self.database.stack.kafka}
        return await asyncio.to_thread(CliRunner().invoke, erasure, given, env=environment)


@pytest_asyncio.fixture(loop_scope="session")
async def sealed(stack: Stack, tmp_path: Path) -> AsyncIterator[Sealed]:
    async with own_database(stack) as database:
        engine = make_engine(database.of("ingest"), service="ingest", pool_size=4)
        settings = ingest_settings(stack.kafka, database.of("ingest"), tmp_path)
        await make_master_key(settings, engine)
        yield Sealed(database, engine, settings)
        await engine.dispose()


async def test_after_a_rotation_everything_opens_and_an_older_dump_opens_nothing(
    sealed: Sealed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotating, "PAGE", 7)
    await sealed.add(names(50))
    before, dumped, old = await sealed.opened(), await sealed.dump(), sealed.settings.master_file.read_text()
    told: list[tuple[int, int]] = []
    done = await rotate(sealed.settings, sealed.engine, lambda *progress: told.append(progress))
    assert await sealed.opened() == before
    assert (done.rewrapped, told[-1]) == (50, (50, 50))
    assert await sealed.wrapped_by() == {done.master} != set(done.destroyed)
    file = sealed.settings.master_file
    assert (file.stat().st_mode & 0o777, old.strip() in file.read_text()) == (0o600, False)
    await sealed.restore(dumped)
    with pytest.raises(MasterKeyLostError, match=done.destroyed[0]):
        await sealed.opened()


async def test_keys_that_are_made_meanwhile_are_wrapped_by_the_new_one(
    sealed: Sealed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotating, "PAGE", 5)
    await sealed.add(names(60))
    masters = MasterKeys.of(sealed.settings)  # a process that has been at work for long
    await sealed.opened(masters)
    stop, made = asyncio.Event(), 60

    async def go_on() -> None:
        nonlocal made
        while not stop.is_set():
            await sealed.add(names(3), masters)
            made += 3

    going = asyncio.create_task(go_on())
    for _ in range(4):
        await rotate(sealed.settings, sealed.engine)
    stop.set()
    await going
    assert made > 60
    assert len(await sealed.opened()) == len(await sealed.opened(masters)) == made
    assert len(sealed.settings.master_file.read_text().split()) == 1


async def test_the_rotation_waits_for_a_key_that_was_wrapped_and_is_not_committed(sealed: Sealed) -> None:
    masters = MasterKeys.of(sealed.settings)
    async with sealed.engine.begin() as connection:
        await keys.add(connection, masters, "dsni", names(2))
        rotation = asyncio.create_task(rotate(sealed.settings, sealed.engine))
        await until(sealed.somebody_waits)
        assert not rotation.done()
    done = await rotation
    assert (done.rewrapped, len(await sealed.opened())) == (2, 2)


@pytest.mark.parametrize("crash", ["_rewrap", "_rewrap_page", "_end"])
async def test_a_rotation_that_was_interrupted_is_ended_by_the_next(
    sealed: Sealed, monkeypatch: pytest.MonkeyPatch, crash: str
) -> None:
    await sealed.add(names(25))
    before, calls = await sealed.opened(), 0
    real = getattr(rotating, crash)

    def crashing(*arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        if crash != "_rewrap_page" or calls == 3:
            raise ConnectionError
        return real(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(rotating, "PAGE", 10)
        patched.setattr(rotating, crash, crashing)
        with pytest.raises(ConnectionError):
            await rotate(sealed.settings, sealed.engine)
    both = sealed.settings.master_file.read_text().split()
    assert len(both) == 2
    assert await sealed.opened() == before
    done = await rotate(sealed.settings, sealed.engine)
    assert sealed.settings.master_file.read_text().split() == both[:1]
    assert done.rewrapped == {"_rewrap": 25, "_rewrap_page": 5, "_end": 0}[crash]
    assert await sealed.opened() == before


async def test_two_rotations_are_not_made_at_once(sealed: Sealed) -> None:
    await sealed.add(names(2))
    async with sealed.engine.begin() as connection:
        await connection.execute(text("SELECT pg_advisory_xact_lock(727006)"))
        with pytest.raises(RotationError, match="already"):
            await rotate(sealed.settings, sealed.engine)


async def test_with_keys_in_the_setting_all_is_wrapped_by_the_first_and_the_others_may_go(sealed: Sealed) -> None:
    old, new = (new_master_line().decode().strip() for _ in range(2))
    of_old = sealed.settings.model_copy(update={"master_key": SecretStr(old)})
    await sealed.add(names(4), MasterKeys.of(of_old))
    alone = await sealed.run("rotate", FIRSTBELL_MASTER_KEY=old)
    assert (alone.exit_code, "one key alone" in alone.output) == (1, True)
    done = await sealed.run("rotate", "--json", FIRSTBELL_MASTER_KEY=f"{new},{old}")
    document = json.loads(done.stdout)
    assert (document["rewrapped"], document["destroyed"]) == (4, [])
    assert document["removable"] == MasterKeys.of(of_old).names()
    of_new = sealed.settings.model_copy(update={"master_key": SecretStr(new)})
    assert len(await sealed.opened(MasterKeys.of(of_new))) == 4
    assert old not in done.output
    assert new not in done.output


async def test_the_command(sealed: Sealed) -> None:
    await sealed.add(names(3))
    document = json.loads((await sealed.run("rotate", "--json")).stdout)
    assert [document["rewrapped"], document["removable"]] == [3, []]
    said = await sealed.run("rotate")
    assert (said.exit_code, document["master"] in said.output, "Destroy its copies" in said.output) == (0, True, True)


async def test_a_lost_master_key_stops_everybody_before_anything_is_read_or_changed(sealed: Sealed) -> None:
    pseudonym, *_ = pseudonyms = names(3)
    await sealed.add(pseudonyms)
    kept, dumped = sealed.settings.master_file.read_text(), await sealed.dump()
    (lost,) = await sealed.wrapped_by()
    for content in (None, new_master_line().decode()):
        sealed.settings.master_file.unlink()
        if content is not None:
            write_atomically(sealed.settings.master_file, content)
        said = "is not there" if content is None else lost
        for arguments in (("rotate",), ("verify", pseudonym)):
            result = await sealed.run(*arguments)
            assert (result.exit_code, said in result.output, "Restore" in result.output) == (1, True, True)
        async with Intake.open(sealed.settings) as intake:
            with pytest.raises(MasterKeyLostError, match=said):
                await intake.start()
        with pytest.raises(MasterKeyLostError, match=said):
            await sealed.opened()
        target = find_target(sealed.settings, None, SERVICES, key_file=sealed.settings.key_file)
        master_key, _ = await check_erasure(sealed.settings)(target, 10)
        assert (master_key.status, said in master_key.detail) == ("failed", True)
        write_atomically(sealed.settings.master_file, kept)
    assert await sealed.dump() == dumped
    assert len(await sealed.opened()) == 3
    master_key, erasures = await check_erasure(sealed.settings)(target, 10)
    assert (master_key.status, erasures.status) == ("ok", "ok")


async def test_a_new_master_key_is_not_made_over_what_another_wraps(sealed: Sealed) -> None:
    await sealed.add(names(1))
    sealed.settings.master_file.unlink()
    with pytest.raises(MasterKeyLostError, match="is not there"):
        await make_master_key(sealed.settings, sealed.engine)
    assert not sealed.settings.master_file.exists()
