"""Our worker, the real one: `firstbell warning` with RocksDB and the rules that ship, as a process of its own.

With the risk model and a capacity, or with the rules alone: then it is given a model's file that is not there.

How the time is taken: topics are made anew and the worker starts with an empty folder. When it has committed every
consent, enrollment and school day, it is paused (SIGSTOP), and all batches and closes are published. The clock starts
when it goes on (SIGCONT), before it has seen a mark. It stops when every close of every partition is answered (its
alerts are in `alerts.v1` then) and the group's committed offsets are the topic's ends, which the worker lets happen
only once every window is in RocksDB and acknowledged by the changelog. Afterwards some windows are asked for over HTTP
and compared with a plain count.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import httpx
import psutil
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from benchmarks.broker import Ground
from benchmarks.marks import PARTITIONS, SEED, Pupil, Year
from benchmarks.publish import publish_for_ours, publish_reference
from services.cli.settled import Answers
from services.contracts.topics import ALERTS, CONSENTS, ENROLLMENTS, MARKS, SCHOOL_DAYS, TOPICS, WARNING_GROUP
from services.platform.embedded.ports import free_port
from services.platform.embedded.stack import answers_ready
from services.platform.groups import read_commits
from services.platform.kafka import create_topics, make_admin, make_consumer
from services.platform.processes import Command, poll
from services.platform.supervisor import ChildSpec, Supervisor, Surroundings, inherited_environment

CHANGELOG = f"{WARNING_GROUP}-windows-changelog"
CHECKED = 40
"""Students whose windows are compared."""
PATIENCE = 600
"""Seconds for each wait."""


class WrongResultError(Exception):
    """The worker was measured, but what it did is not right, so the figure counts for nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scoring:
    """What the worker scores with."""

    model: bool
    model_file: Path | None = None
    """None means the model that ships."""
    capacity: int | None = None
    """Places a week; None lets the rules' levels hold."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Seconds from the go-on to all answers, and to all offsets committed; the worker's CPU; what came of it."""

    answered_seconds: float
    seconds: float
    cpu_seconds: float
    alert_events: int
    changelog_records: int


async def measure(ground: Ground, year: Year, round_number: int, scoring: Scoring) -> Measured:
    """Run the worker once over the year's marks; raises `WrongResultError`, `ProcessError` or `KafkaError`."""
    folder = ground.folder / f"firstbell-{'model' if scoring.model else 'rules'}-{round_number}"
    folder.mkdir()
    port = free_port(taken=set())
    admin = make_admin(ground.kafka)
    consumer = make_consumer(ground.kafka, group=None)
    try:
        await admin.start()
        await consumer.start()
        await _make_topics_anew(admin, ground.kafka)
        async with Supervisor(Surroundings(logs=ground.logs, registry=ground.registry)) as supervisor:
            await supervisor.start(_worker(ground.kafka, folder, port, scoring))
            pid = supervisor.pids()["firstbell"]
            assert pid is not None
            measured = await _measure(ground.kafka, year, pid, admin, consumer)
            if supervisor.pids()["firstbell"] != pid:
                raise WrongResultError("the worker died and was started again while it was measured")
            await _check(year, f"http://127.0.0.1:{port}", measured, scoring)
        return measured
    finally:
        await consumer.stop()
        await admin.close()


def _worker(kafka: str, folder: Path, port: int, scoring: Scoring) -> ChildSpec:
    settings = {"KAFKA": kafka, "DATA_DIR": folder, "WARNING_PORT": port, "PARTITIONS": PARTITIONS, "STORE": "rocksdb"}
    model_file = scoring.model_file if scoring.model else folder / "no-model.json"
    settings |= {"MODEL_FILE": model_file} if model_file else {}
    settings |= {"CAPACITY": scoring.capacity} if scoring.capacity else {}
    command = Command(
        name="firstbell",
        argv=[sys.executable, "-m", "services.cli.main", "warning"],
        env={**inherited_environment(), **{f"FIRSTBELL_{name}": str(value) for name, value in settings.items()}},
    )
    return ChildSpec(command=command, ready=lambda: answers_ready(f"http://127.0.0.1:{port}"))


async def _measure(
    kafka: str, year: Year, pid: int, admin: AIOKafkaAdminClient, consumer: AIOKafkaConsumer
) -> Measured:
    await publish_reference(kafka, year)
    await _committed(admin, consumer, CONSENTS.name, ENROLLMENTS.name, SCHOOL_DAYS.name)
    async with Answers.listen(kafka) as answers:
        os.kill(pid, signal.SIGSTOP)
        try:
            tokens = await publish_for_ours(kafka, year)
        finally:
            started, cpu = time.perf_counter(), _cpu_seconds(pid)
            os.kill(pid, signal.SIGCONT)
        await _answered(answers, tokens)
        answered = time.perf_counter() - started
        await _committed(admin, consumer, MARKS.name)
        seconds, used = time.perf_counter() - started, _cpu_seconds(pid) - cpu
    alerts, changes = await _length(consumer, ALERTS.name), await _length(consumer, CHANGELOG)
    return Measured(answered, seconds, used, alerts, changes)


def _cpu_seconds(pid: int) -> float:
    used = psutil.Process(pid).cpu_times()
    return float(used.user + used.system)


async def _answered(answers: Answers, tokens: list[UUID]) -> None:
    for token in tokens:
        await answers.wait(token)


async def _make_topics_anew(admin: AIOKafkaAdminClient, kafka: str) -> None:
    """Delete the topics of an earlier round, wait until the group's commits are gone with them, and create them."""
    there = set(await admin.list_topics())
    if old := sorted(there & {CHANGELOG, *(topic.name for topic in TOPICS)}):
        await admin.delete_topics(old)

    async def forgotten() -> bool:
        return not any(commit.group == WARNING_GROUP for commit in await read_commits(admin))

    if not await poll(forgotten, deadline=PATIENCE, interval=0.1):
        raise WrongResultError("the broker keeps commits of deleted topics")
    await create_topics(kafka, partitions=PARTITIONS, replication_factor=1)


async def _committed(admin: AIOKafkaAdminClient, consumer: AIOKafkaConsumer, *topics: str) -> None:
    """Return when the worker's group has committed all there is in these topics."""
    ends = await consumer.end_offsets([TopicPartition(topic, n) for topic in topics for n in range(PARTITIONS)])

    async def caught_up() -> bool:
        commits = {commit.tp: commit.offset for commit in await read_commits(admin) if commit.group == WARNING_GROUP}
        return all((commits.get(tp) or 0) >= end for tp, end in ends.items())

    if not await poll(caught_up, deadline=PATIENCE, interval=0.02):
        raise WrongResultError(f"the worker has not committed {', '.join(topics)} after {PATIENCE} s")


async def _length(consumer: AIOKafkaConsumer, topic: str) -> int:
    return sum((await consumer.end_offsets([TopicPartition(topic, n) for n in range(PARTITIONS)])).values())


async def _check(year: Year, url: str, measured: Measured, scoring: Scoring) -> None:
    if not measured.alert_events:
        raise WrongResultError("the worker raised no alert")
    checked = year.pupils[SEED % len(year.pupils) :][:CHECKED]
    expected = _plain_counts(year, checked)
    async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
        model = (await client.get("/v1/model")).raise_for_status().json()
        if model["in_use"] is not scoring.model:
            raise WrongResultError(model.get("problem") or "the worker scored with a model that it was not to use")
        for pupil in checked:
            answer = await client.get(f"/v1/students/{pupil.pseudonym}/window")
            window = answer.raise_for_status().json()
            found = (window["enrolled_days"], window["absent_days"], window["excused_days"], window["tardy_days"])
            if found != expected[pupil.pseudonym]:
                raise WrongResultError(f"a window holds {found}, a plain count {expected[pupil.pseudonym]}")


def _plain_counts(year: Year, pupils: tuple[Pupil, ...]) -> dict[str, tuple[int, int, int, int]]:
    """Days, absences, excused absences and tardies of these students."""
    seen: dict[str, Counter[str]] = {pupil.pseudonym: Counter() for pupil in pupils}
    for _, marks in year.each_day():
        for _, mark in marks:
            if mark.student in seen:
                seen[mark.student].update(["day", mark.status, *(["excused"] if mark.excused else [])])
    return {s: (c["day"], c["absent"], c["excused"], c["tardy"]) for s, c in seen.items()}
