"""Real workers over a broker of their own, with one partition, and a database; fed by the test in ingest's place."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import httpx
from aiokafka import AIOKafkaProducer, TopicPartition
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from models.policy import default_policy
from services.contracts import topics
from services.contracts.ids import Pseudonym
from services.contracts.marks import AttendanceMark
from services.contracts.packed import PlainMark, pack
from services.contracts.reference import Consent, Enrollment, EnrollmentSpan, SchoolDay
from services.contracts.sealed import seal_event, sealed_for
from services.ingest.store import keys
from services.platform.database import make_engine
from services.platform.embedded.data_dir import DataDir
from services.platform.embedded.endpoints import Stack
from services.platform.embedded.kafka import EmbeddedKafka
from services.platform.embedded.ports import free_port
from services.platform.embedded.stack import answers_ready
from services.platform.identity.trust import as_service
from services.platform.kafka import create_topics, make_consumer, make_producer
from services.platform.keys.feed_keys import find_keys
from services.platform.keys.master import MasterKeys, new_master_line
from services.platform.settings import Settings
from services.platform.supervisor import Supervisor, Surroundings, inherited_environment
from services.warning.capacity import CapacityControl
from services.warning.loading import load_partition
from services.warning.window import window_document
from tests.integration.ingest_support import OwnDatabase, own_database
from tests.integration.running import until
from tests.sealing import sealed_in

MONDAY = date(2016, 9, 12)
SCHOOL = "A"
MARKS_A_RECORD = 10
CHANGELOG = TopicPartition("firstbell-warning-windows-changelog", 0)
PREFIX = b"0|"


def days(number: int) -> list[date]:
    """So many school days."""
    return [MONDAY + timedelta(days=n + n // 5 * 2) for n in range(number)]


@dataclass
class WorkerProcess:
    """One worker: its process, its edge and its log."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path
    known: httpx.Auth

    async def marks_taken(self) -> int:
        """How many marks it has taken, at least."""
        async with httpx.AsyncClient(base_url=self.url) as client:
            lines = (await client.get("/metrics")).text.splitlines()
        counted = f'firstbell_warning_records_total{{topic="{topics.MARKS.name}"}}'
        return MARKS_A_RECORD * sum(int(float(line.split()[-1])) for line in lines if line.startswith(counted))

    async def has(self, student: str) -> bool:
        """Whether it answers for the student."""
        async with httpx.AsyncClient(base_url=self.url, auth=self.known, timeout=20) as client:
            return (await client.get(f"/v1/students/{student}/window")).status_code == httpx.codes.OK


_ERASE = [
    text("""
        INSERT INTO erasure.ledger (id, student, agreement, recipient, kept_for, pseudonym, slot, because, ended_on, at,
                                    by, gone)
        SELECT :id, '', '', '', '', :student, 0, 'withdrawn', current_date, now(), 'test', coalesce(max(gone), 0) + 1
        FROM erasure.ledger WHERE CAST(:student AS text) IS NOT NULL
    """),
    text("DELETE FROM erasure.keys WHERE pseudonym = :student AND CAST(:id AS uuid) IS NOT NULL"),
    text("INSERT INTO erasure.awaited SELECT 'warning', :id WHERE CAST(:student AS text) IS NOT NULL"),
]
_PROOF = text("SELECT removed FROM erasure.confirmations WHERE id = :id AND service = 'warning'")


class Ground:
    """The broker, and what is in it; and the keys in the database."""

    def __init__(self, kafka: str, producer: AIOKafkaProducer, database: OwnDatabase, folder: Path) -> None:
        self._kafka = kafka
        self._producer = producer
        self._folder = folder
        self._database = database
        self._master = new_master_line().decode().strip()
        self._masters = MasterKeys(self._master.encode, "the test")
        self.engine = make_engine(database.of("ingest"), service="ingest", ping=False)
        self.ciphers: dict[str, AESGCM] = {}
        """Of everybody who was not erased."""

    def start(self, name: str, *, master: str | None = None) -> WorkerProcess:
        """A worker with a data folder of this name, and the right master key unless another is given."""
        port = free_port(taken=set())
        env = inherited_environment() | {
            "FIRSTBELL_KAFKA": self._kafka,
            "FIRSTBELL_DATABASE": self._database.of("warning"),
            "FIRSTBELL_MASTER_KEY": master or self._master,
            "FIRSTBELL_DATA_DIR": str(self._folder / name),
            "FIRSTBELL_WARNING_PORT": str(port),
            "FIRSTBELL_PARTITIONS": "1",
            "FIRSTBELL_SESSION_SECONDS": "6",
        }
        log = self._folder / f"{name}.log"
        with log.open("ab") as output:
            argv = [sys.executable, "-m", "services.cli.main", "warning"]
            process = subprocess.Popen(argv, env=env, stdout=output, stderr=output)
        known = as_service(Settings(data_dir=self._folder / name), "test")
        return WorkerProcess(process, f"http://127.0.0.1:{port}", log, known)

    async def make_keys(self, students: list[str]) -> None:
        """The keys of their feeds."""
        async with self.engine.begin() as connection:
            await keys.add(connection, self._masters, "agency", students)
        async with self.engine.connect() as connection:
            self.ciphers |= (await find_keys(connection, self._masters, students)).ciphers()

    async def erase(self, student: str) -> UUID:
        """As ingest does: the key is gone, and the worker is to confirm it."""
        given = {"id": uuid4(), "student": student}
        async with self.engine.begin() as connection:
            for statement in _ERASE:
                await connection.execute(statement, given)
        del self.ciphers[student]
        return given["id"]

    async def confirmed(self, erasure: UUID) -> dict[str, int] | None:
        """What the worker says that it has removed; None while it has not confirmed."""
        async with self.engine.connect() as connection:
            found: dict[str, int] | None = await connection.scalar(_PROOF, {"id": erasure})
        return found

    async def let_in(self, *, nobody: bool) -> None:
        """Whether the database takes connections; with `nobody` those that there are end."""
        admin = create_async_engine(self._database.stack.database, isolation_level="AUTOCOMMIT")
        name = self._database.name
        async with admin.connect() as connection:
            await connection.execute(text(f"ALTER DATABASE {name} ALLOW_CONNECTIONS {not nobody}"))
            if nobody:
                end = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name")
                await connection.execute(end, {"name": name})
        await admin.dispose()

    async def enroll(self, students: list[str], school_days: list[date]) -> None:
        """A school's calendar, and students there whose consent is in force."""
        await self.make_keys(students)
        for day in school_days:
            fact = SchoolDay(school_id=SCHOOL, date=day, instructional=True)
            await self._send(topics.SCHOOL_DAYS, f"{SCHOOL}|{day}", fact.model_dump_json().encode())
        span = EnrollmentSpan(school_id=SCHOOL, entry_date=date(2016, 9, 8), exit_date=None)
        for name in students:
            consent = Consent(student=name, valid_from=date(2016, 9, 1))
            enrollment = Enrollment(student=name, spans=[span], household=None)
            await self._send(topics.CONSENTS, name, seal_event(self.ciphers[name], topics.CONSENTS, consent))
            await self._send(topics.ENROLLMENTS, name, seal_event(self.ciphers[name], topics.ENROLLMENTS, enrollment))
        await self._producer.flush()

    async def absent(self, students: list[str], day: date) -> None:
        """All of them were absent, a few in each record."""
        for first in range(0, len(students), MARKS_A_RECORD):
            some = students[first : first + MARKS_A_RECORD]
            marks = [
                AttendanceMark(student=name, school_id=SCHOOL, date=day, status="absent", excused=False)
                for name in some
            ]
            packed = pack([PlainMark.of(mark) for mark in marks], datetime(2016, 9, 30, tzinfo=UTC), self.ciphers)
            await self._send(topics.MARKS, "0", packed)
        await self._producer.flush()

    async def written(self) -> dict[str, set[str]]:
        """The dates (ISO 8601) of every student's marks, as the changelog's latest values have them."""
        items, policy = await self.stored(), default_policy()
        partition = load_partition(items, policy, CapacityControl(None, None), datetime.now(UTC), self.ciphers.get)
        windows = {name: window_document(partition, student) for name, student in partition.students.items()}
        return {
            Pseudonym(name): {mark["date"] for mark in window["marks"]} for name, window in windows.items() if window
        }

    async def stored(self) -> dict[str, bytes]:
        """The changelog's latest values."""
        return {key[len(PREFIX) :].decode(): value for key, value in (await self._latest()).items()}

    async def stored_of(self, student: str) -> list[bytes]:
        """What is sealed for the student in the changelog's latest values."""
        found = [each for key, value in (await self.stored()).items() for each in sealed_in(key, value)]
        return [each for each in found if sealed_for(each) == student]

    async def changelog_end(self) -> int:
        """The offset after the changelog's last record."""
        consumer = make_consumer(self._kafka, group=None)
        await consumer.start()
        end: int = (await consumer.end_offsets([CHANGELOG]))[CHANGELOG]
        await consumer.stop()
        return end

    async def _latest(self) -> dict[bytes, bytes]:
        found: dict[bytes, bytes] = {}
        consumer = make_consumer(self._kafka, group=None)
        await consumer.start()
        consumer.assign([CHANGELOG])
        end = (await consumer.end_offsets([CHANGELOG]))[CHANGELOG]
        while await consumer.position(CHANGELOG) < end:
            for record in (await consumer.getmany(CHANGELOG, timeout_ms=1000)).get(CHANGELOG, []):
                found.pop(record.key, None)
                if record.value is not None:
                    found[record.key] = record.value
        await consumer.stop()
        return {key: value for key, value in found.items() if key != PREFIX + b"f|"}

    async def _send(self, topic: topics.Topic, key: str, value: bytes) -> None:
        await self._producer.send(topic.name, value, key=key.encode(), partition=0)


@asynccontextmanager
async def ground(folder: Path, stack: Stack) -> AsyncIterator[Ground]:
    """A broker for the block, and a database of the stack's server."""
    data = DataDir(folder / "broker")
    data.create()
    taken: set[int] = set()
    kafka = EmbeddedKafka(
        home=data.kafka,
        logs=data.logs,
        registry=data.registry(),
        port=free_port(taken=taken),
        controller_port=free_port(taken=taken),
    )
    around = Surroundings(logs=data.logs, registry=kafka.registry)
    async with own_database(stack) as database, Supervisor(around) as supervisor:
        await supervisor.start(kafka.spec())
        await create_topics(kafka.bootstrap, partitions=1, replication_factor=1)
        producer = make_producer(kafka.bootstrap)
        await producer.start()
        on = Ground(kafka.bootstrap, producer, database, folder)
        try:
            yield on
        finally:
            await on.engine.dispose()
            await producer.stop()


@contextmanager
def running(*workers: WorkerProcess) -> Iterator[None]:
    """Nothing of them is left after the block, stopped or not."""
    try:
        yield
    finally:
        for worker in workers:
            worker.process.send_signal(signal.SIGCONT)
            worker.process.kill()
            worker.process.wait()


async def ready(*workers: WorkerProcess) -> None:
    """Wait until they answer."""
    for worker in workers:
        await until(lambda url=worker.url: answers_ready(url))
