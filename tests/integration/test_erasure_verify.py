"""`firstbell erasure verify` on a real Kafka and RocksDB: what is planted is found, open or sealed, and counted."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import msgspec
import pytest
import pytest_asyncio
from click.testing import CliRunner
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from rocksdict import Options, Rdict
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.cli.erasure import erasure
from services.contracts.packed import NO_MOMENT, PlainMark, pack
from services.contracts.sealed import seal
from services.contracts.topics import ALERTS, CONSENTS, ERASURES, MARKS, TOPICS, WINDOWS_CHANGELOG, Topic
from services.ingest.settings import IngestSettings
from services.ingest.store import erasing, keys
from services.platform.database import make_engine
from services.platform.embedded.endpoints import Stack
from services.platform.embedded.stack import running_stack
from services.platform.erasure.places import STORES
from services.platform.kafka import make_producer
from services.platform.keys.feed_keys import find_keys
from services.platform.keys.master import MasterKeys, make_master_key
from services.platform.settings import Settings
from services.registry import SERVICES
from tests.integration.ingest_support import OwnDatabase, ingest_settings, own_database

EMPTY = {topic.name: 0 for topic in (*TOPICS, WINDOWS_CHANGELOG) if topic != ERASURES}


class Student(NamedTuple):
    pseudonym: str
    cipher: AESGCM

    def sealed(self, topic: Topic) -> bytes:
        return seal(self.cipher, topic.name, self.pseudonym, b"what was said")


class Planted(NamedTuple):
    """A student with a key, and another; and where the command looks."""

    database: OwnDatabase
    engine: AsyncEngine
    settings: IngestSettings
    hers: Student
    his: Student

    async def send(self, topic: Topic, key: str | None, value: bytes | None, *, transaction: bool = False) -> None:
        producer = make_producer(self.database.stack.kafka, transactional_id=uuid4().hex if transaction else None)
        await producer.start()
        try:
            record = (topic.name, value, key and key.encode(), 0)
            if transaction:
                async with producer.transaction():
                    await producer.send_and_wait(*record)
            else:
                await producer.send_and_wait(*record)
        finally:
            await producer.stop()

    async def verify(self, pseudonym: str) -> dict[str, Any]:
        given = ["verify", "--json", pseudonym, "--data-dir", str(self.settings.data_dir)]
        with_stack = {
            "FIRSTBELL_DATABASE": self.database.of("ingest"),
            "FIRSTBELL_KAFKA": self.database.stack.kafka,
        }
        result = await asyncio.to_thread(CliRunner().invoke, erasure, given, env=with_stack)
        assert result.exit_code == 0, result.output
        found: dict[str, Any] = json.loads(result.stdout)
        return found

    async def forget(self, student: Student) -> None:
        async with self.engine.begin() as connection:
            removed = await erasing.remove(connection, [student.pseudonym])
        assert removed == {student.pseudonym: {"erasure.keys": 1}}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def own_stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """A Kafka of its own: what is planted, other tests' services would read."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("firstbell"), kafka=None, database=None, smtp=None)
    async with running_stack(settings, SERVICES, run=()) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def planted(own_stack: Stack, tmp_path: Path) -> AsyncIterator[Planted]:
    async with own_database(own_stack) as database:
        engine = make_engine(database.of("ingest"), service="ingest", pool_size=2)
        settings = ingest_settings(own_stack.kafka, database.of("ingest"), tmp_path)
        await make_master_key(settings, engine)
        masters = MasterKeys.of(settings)
        names = ["-" + uuid4().hex[:21], uuid4().hex[:22]]
        async with engine.begin() as connection:
            await keys.add(connection, masters, "dsni", names)
            ciphers = (await find_keys(connection, masters, names)).ciphers()
        hers, his = (Student(name, ciphers[name]) for name in names)
        yield Planted(database, engine, settings, hers, his)
        await engine.dispose()


async def plant(planted: Planted) -> None:
    hers, his = planted.hers, planted.his
    marks = [
        PlainMark(one.pseudonym, "s1", date(2016, 10, 3), "absent", None, None, NO_MOMENT, None, history=False)
        for one in (hers, his)
    ]
    batch = pack(marks, datetime(2016, 10, 3, tzinfo=UTC), {one.pseudonym: one.cipher for one in (hers, his)})
    block = msgspec.msgpack.encode([4, [one.sealed(WINDOWS_CHANGELOG) for one in (hers, his)]])
    for student in (hers, his):
        await planted.send(CONSENTS, student.pseudonym, student.sealed(CONSENTS))
        await planted.send(ALERTS, None, student.sealed(ALERTS))
        await planted.send(WINDOWS_CHANGELOG, f"0|s|{student.pseudonym}", student.sealed(WINDOWS_CHANGELOG))
    await planted.send(MARKS, None, batch)
    await planted.send(WINDOWS_CHANGELOG, "0|b|2016|0|10", block, transaction=True)
    await planted.send(CONSENTS, hers.pseudonym, None)
    entry = {"id": str(uuid4()), "pseudonym": hers.pseudonym}
    await planted.send(ERASURES, entry["id"], json.dumps(entry).encode())


async def test_what_is_sealed_is_readable_until_its_key_is_deleted(planted: Planted) -> None:
    await plant(planted)
    by_topic = {**EMPTY, CONSENTS.name: 1, ALERTS.name: 1, MARKS.name: 1, WINDOWS_CHANGELOG.name: 2}
    for student in (planted.hers, planted.his):
        assert await planted.verify(student.pseudonym) == {"records": 5, "readable": 5, "by_topic": by_topic}
    await planted.forget(planted.hers)
    assert await planted.verify(planted.hers.pseudonym) == {"records": 5, "readable": 0, "by_topic": by_topic}
    assert await planted.verify(planted.his.pseudonym) == {"records": 5, "readable": 5, "by_topic": by_topic}


async def test_what_lies_open_is_readable_whatever_keys_there_are(planted: Planted) -> None:
    hers = planted.hers.pseudonym
    await planted.send(CONSENTS, hers, b'{"consent_from":"2016-09-01"}')
    await planted.send(WINDOWS_CHANGELOG, f"0|s|{hers}", msgspec.msgpack.encode([4, 1]))
    await planted.forget(planted.hers)
    found = await planted.verify(hers)
    assert (found["records"], found["readable"]) == (2, 2)


async def test_somebody_of_whom_there_is_nothing(planted: Planted) -> None:
    assert await planted.verify(uuid4().hex[:22]) == {"records": 0, "readable": 0, "by_topic": EMPTY}


async def test_the_stores_of_a_worker_that_runs_are_read_and_left_as_they_are(planted: Planted) -> None:
    folder = planted.settings.data_dir / "warning" / "v1" / "tables" / "windows-0.db"
    folder.mkdir(parents=True)
    options = Options(raw_mode=True)
    options.create_if_missing(True)
    store = Rdict(str(folder), options=options)
    try:
        store[f"0|s|{planted.his.pseudonym}".encode()] = planted.his.sealed(WINDOWS_CHANGELOG)
        store.flush()
        store[f"0|s|{planted.hers.pseudonym}".encode()] = planted.hers.sealed(WINDOWS_CHANGELOG)
        before = {path.name for path in folder.iterdir()}
        found = await planted.verify(planted.hers.pseudonym)
        assert (found["records"], found["readable"], found["by_topic"][STORES]) == (1, 1, 1)
        del store[f"0|s|{planted.hers.pseudonym}".encode()]
        assert (await planted.verify(planted.hers.pseudonym))["by_topic"] == {**EMPTY, STORES: 0}
        await planted.forget(planted.his)
        found = await planted.verify(planted.his.pseudonym)
        assert (found["records"], found["readable"]) == (1, 0)
        assert {path.name for path in folder.iterdir()} == before
    finally:
        store.close()


async def test_the_look_is_on_record(planted: Planted) -> None:
    await planted.verify(planted.hers.pseudonym)
    async with planted.engine.connect() as connection:
        rows = await connection.execute(text("SELECT action, role, students FROM audit.entries"))
        assert [tuple(row) for row in rows] == [("erasure verify", "steward", [planted.hers.pseudonym])]


async def test_rows_of_the_databases_tables_can_be_read_until_they_are_gone(planted: Planted) -> None:
    plant_row = """
        WITH student AS (
            INSERT INTO ingest.students (student_id, agency, kept_for, pseudonym, slot, consent_from)
            VALUES ('RAW', 'dsni', 'grades:program-evaluation', :pseudonym, 1, '2016-09-01') RETURNING id)
        INSERT INTO district.grades (student, course, term, grade, said_at, run)
        SELECT id, 'M7', 'T1', 'B', now(), 1 FROM student
    """
    async with planted.engine.begin() as connection:
        await connection.execute(text(plant_row), {"pseudonym": planted.hers.pseudonym})
    found = await planted.verify(planted.hers.pseudonym)
    assert (found["by_topic"]["district.grades"], found["readable"]) == (1, 1)
    assert "district.grades" not in (await planted.verify(planted.his.pseudonym))["by_topic"]
    async with planted.engine.begin() as connection:
        await erasing.remove(connection, [planted.hers.pseudonym])
    after = await planted.verify(planted.hers.pseudonym)
    assert (after["readable"], "district.grades" in after["by_topic"]) == (0, False)
