"""Real workers over a broker of their own, with one partition, fed by the test in ingest's place."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx
from aiokafka import AIOKafkaProducer, TopicPartition

from models.policy import default_policy
from services.contracts import topics
from services.contracts.ids import Pseudonym
from services.contracts.marks import AttendanceMark, MarkBatch
from services.contracts.reference import Consent, Enrollment, EnrollmentSpan, SchoolDay
from services.platform.embedded.data_dir import DataDir
from services.platform.embedded.kafka import EmbeddedKafka
from services.platform.embedded.ports import free_port
from services.platform.embedded.stack import answers_ready
from services.platform.identity.trust import as_service
from services.platform.kafka import create_topics, make_consumer, make_producer
from services.platform.settings import Settings
from services.platform.supervisor import Supervisor, Surroundings, inherited_environment
from services.warning.capacity import CapacityControl
from services.warning.loading import load_partition
from services.warning.window import window_document
from tests.integration.running import until

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


class Ground:
    """The broker, and what is in it."""

    def __init__(self, kafka: str, producer: AIOKafkaProducer, folder: Path) -> None:
        self._kafka = kafka
        self._producer = producer
        self._folder = folder

    def start(self, name: str) -> WorkerProcess:
        """A worker with a data folder of this name."""
        port = free_port(taken=set())
        env = inherited_environment() | {
            "FIRSTBELL_KAFKA": self._kafka,
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

    async def enroll(self, students: list[str], school_days: list[date]) -> None:
        """A school's calendar, and students there whose consent is in force."""
        for day in school_days:
            await self._send(
                topics.SCHOOL_DAYS, f"{SCHOOL}|{day}", SchoolDay(school_id=SCHOOL, date=day, instructional=True)
            )
        span = EnrollmentSpan(school_id=SCHOOL, entry_date=date(2016, 9, 8), exit_date=None)
        for name in students:
            await self._send(topics.CONSENTS, name, Consent(student=name, valid_from=date(2016, 9, 1)))
            await self._send(topics.ENROLLMENTS, name, Enrollment(student=name, spans=[span], household=None))
        await self._producer.flush()

    async def absent(self, students: list[str], day: date) -> None:
        """All of them were absent, a few in each record."""
        for first in range(0, len(students), MARKS_A_RECORD):
            some = students[first : first + MARKS_A_RECORD]
            marks = [
                AttendanceMark(student=name, school_id=SCHOOL, date=day, status="absent", excused=False)
                for name in some
            ]
            await self._send(
                topics.MARKS, "0", MarkBatch(taken_at=datetime(2016, 9, 30, tzinfo=UTC), marks=marks, counts=[])
            )
        await self._producer.flush()

    async def written(self) -> dict[str, set[str]]:
        """The dates (ISO 8601) of every student's marks, as the changelog's latest values have them."""
        items = {key[len(PREFIX) :].decode(): value for key, value in (await self._latest()).items()}
        partition = load_partition(items, default_policy(), CapacityControl(None, None), datetime.now(UTC))
        windows = {name: window_document(partition, student) for name, student in partition.students.items()}
        return {
            Pseudonym(name): {mark["date"] for mark in window["marks"]} for name, window in windows.items() if window
        }

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

    async def _send(self, topic: topics.Topic, key: str, value: object) -> None:
        await self._producer.send(topic.name, value.model_dump_json().encode(), key=key.encode(), partition=0)


@asynccontextmanager
async def ground(folder: Path) -> AsyncIterator[Ground]:
    """A broker for the block."""
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
    async with Supervisor(Surroundings(logs=data.logs, registry=kafka.registry)) as supervisor:
        await supervisor.start(kafka.spec())
        await create_topics(kafka.bootstrap, partitions=1, replication_factor=1)
        producer = make_producer(kafka.bootstrap)
        await producer.start()
        try:
            yield Ground(kafka.bootstrap, producer, folder)
        finally:
            await producer.stop()


async def ready(*workers: WorkerProcess) -> None:
    """Wait until they answer."""
    for worker in workers:
        await until(lambda url=worker.url: answers_ready(url))
