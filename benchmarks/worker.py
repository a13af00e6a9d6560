"""The real worker as a process of its own, `firstbell warning` with RocksDB: how it is run, waited for and checked."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from sqlalchemy import text

from benchmarks.broker import Ground
from benchmarks.keys import key_of
from benchmarks.marks import PARTITIONS, SEED, Pupil, Year
from services.contracts.topics import TOPICS, WARNING_GROUP
from services.platform.database import make_engine
from services.platform.embedded.stack import answers_ready
from services.platform.groups import read_commits
from services.platform.identity.trust import as_service
from services.platform.kafka import create_topics, make_admin, make_consumer
from services.platform.keys.master import MasterKeys
from services.platform.processes import Command, poll
from services.platform.roles import as_role, role_of
from services.platform.settings import Settings
from services.platform.supervisor import ChildSpec, inherited_environment

NAME: Final = "firstbell"
CHANGELOG: Final = f"{WARNING_GROUP}-windows-changelog"
CHECKED: Final = 40
"""Students whose windows are compared."""
PATIENCE: Final = 1800
"""Seconds for each wait."""


_ADD_KEY: Final = text("""
    INSERT INTO erasure.keys (pseudonym, recipient, master, wrapped) VALUES (:pseudonym, '', :master, :wrapped)
    ON CONFLICT DO NOTHING
""")


class WrongResultError(Exception):
    """The worker was measured, but what it did is not right, so the figure counts for nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scoring:
    """What the worker scores with."""

    model: bool
    """False: it is given a model's file that is not there, and the rules' levels hold."""
    model_file: Path | None = None
    """None means the model that ships."""
    capacity: int | None = None
    """Places a week; None lets the rules' levels hold."""


async def make_keys(ground: Ground, year: Year) -> None:
    """Put the keys with which the year's records are sealed into the database, as ingest would have."""
    masters = MasterKeys(ground.master.encode, "the benchmark")
    rows = [
        {"pseudonym": one.pseudonym, **masters.wrap(one.pseudonym, key_of(one.pseudonym))._asdict()}
        for one in year.pupils
    ]
    engine = make_engine(ground.database)
    async with engine.begin() as connection:
        await connection.execute(_ADD_KEY, rows)
    await engine.dispose()


def worker_spec(ground: Ground, folder: Path, port: int, scoring: Scoring) -> ChildSpec:
    """How it is run, with its state in this folder and its HTTP edge on this port."""
    settings = {
        "KAFKA": ground.kafka,
        "DATABASE": as_role(ground.database, role_of("warning")),
        "MASTER_KEY": ground.master,
        "DATA_DIR": folder,
        "WARNING_PORT": port,
        "PARTITIONS": PARTITIONS,
        "STORE": "rocksdb",
    }
    model_file = scoring.model_file if scoring.model else folder / "no-model.json"
    settings |= {"MODEL_FILE": model_file} if model_file else {}
    settings |= {"CAPACITY": scoring.capacity} if scoring.capacity else {}
    command = Command(
        name=NAME,
        argv=[sys.executable, "-m", "services.cli.main", "warning"],
        env={**inherited_environment(), **{f"FIRSTBELL_{name}": str(value) for name, value in settings.items()}},
    )
    return ChildSpec(command=command, ready=lambda: answers_ready(f"http://127.0.0.1:{port}"))


@dataclass(frozen=True)
class Clients:
    """What looks at the worker's topics and group."""

    kafka: str
    admin: AIOKafkaAdminClient
    consumer: AIOKafkaConsumer

    @classmethod
    @asynccontextmanager
    async def connect(cls, kafka: str) -> AsyncIterator[Clients]:
        """Connect, and disconnect at the end."""
        admin, consumer = make_admin(kafka), make_consumer(kafka, group=None)
        try:
            await admin.start()
            await consumer.start()
            yield cls(kafka, admin, consumer)
        finally:
            await consumer.stop()
            await admin.close()

    async def make_topics_anew(self) -> None:
        """Delete the topics of an earlier run, wait until the group's commits are gone with them, and create them."""
        there = set(await self.admin.list_topics())
        if old := sorted(there & {CHANGELOG, *(topic.name for topic in TOPICS)}):
            await self.admin.delete_topics(old)

        async def forgotten() -> bool:
            return not any(commit.group == WARNING_GROUP for commit in await read_commits(self.admin))

        if not await poll(forgotten, deadline=PATIENCE, interval=0.1):
            raise WrongResultError("the broker keeps commits of deleted topics")
        await create_topics(self.kafka, partitions=PARTITIONS, replication_factor=1)

    async def committed(self, *topics: str) -> None:
        """Return when the worker's group has committed all there is in these topics."""
        partitions = [TopicPartition(topic, n) for topic in topics for n in range(PARTITIONS)]
        ends = await self.consumer.end_offsets(partitions)

        async def caught_up() -> bool:
            commits = await read_commits(self.admin)
            offsets = {commit.tp: commit.offset for commit in commits if commit.group == WARNING_GROUP}
            return all((offsets.get(tp) or 0) >= end for tp, end in ends.items())

        if not await poll(caught_up, deadline=PATIENCE, interval=0.02):
            raise WrongResultError(f"the worker has not committed {', '.join(topics)} after {PATIENCE} s")

    async def length(self, topic: str) -> int:
        """How many offsets the topic has given out, over all its partitions."""
        return sum((await self.consumer.end_offsets([TopicPartition(topic, n) for n in range(PARTITIONS)])).values())


async def check_windows(year: Year, folder: Path, port: int, scoring: Scoring) -> None:
    """Compare some windows of the worker in this folder with a plain count.

    Raises `WrongResultError`, also for the wrong way of scoring.
    """
    checked = year.pupils[SEED % len(year.pupils) :][:CHECKED]
    expected = plain_counts(year, checked)
    known = as_service(Settings(data_dir=folder), "firstbell-benchmark")
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", auth=known, trust_env=False) as client:
        model = (await client.get("/v1/model")).raise_for_status().json()
        if model["in_use"] is not scoring.model:
            raise WrongResultError(model.get("problem") or "the worker scored with a model that it was not to use")
        for pupil in checked:
            answer = await client.get(f"/v1/students/{pupil.pseudonym}/window")
            window = answer.raise_for_status().json()
            found = (window["enrolled_days"], window["absent_days"], window["excused_days"], window["tardy_days"])
            if found != expected[pupil.pseudonym]:
                raise WrongResultError(f"a window holds {found}, a plain count {expected[pupil.pseudonym]}")


def plain_counts(year: Year, pupils: tuple[Pupil, ...]) -> dict[str, tuple[int, int, int, int]]:
    """Days, absences, excused absences and tardies of these students."""
    seen: dict[str, Counter[str]] = {pupil.pseudonym: Counter() for pupil in pupils}
    for _, marks in year.each_day():
        for _, mark in marks:
            if mark.student in seen:
                seen[mark.student].update(["day", mark.status, *(["excused"] if mark.excused else [])])
    return {s: (c["day"], c["absent"], c["excused"], c["tardy"]) for s, c in seen.items()}
