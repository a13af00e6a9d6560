"""Our worker, the real one, with the rules that ship: with the risk model and a capacity, or with the rules alone.

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
import time
from dataclasses import dataclass

import psutil

from benchmarks.broker import Ground
from benchmarks.marks import Year
from benchmarks.publish import publish_for_ours, publish_reference
from benchmarks.worker import CHANGELOG, NAME, Clients, Scoring, WrongResultError, check_windows, worker_spec
from services.contracts.topics import ALERTS, CONSENTS, ENROLLMENTS, MARKS, SCHOOL_DAYS
from services.platform.embedded.ports import free_port
from services.platform.supervisor import Supervisor, Surroundings
from services.rehearsal.settled import Answers


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
    async with Clients.connect(ground.kafka) as clients:
        await clients.make_topics_anew()
        async with Supervisor(Surroundings(logs=ground.logs, registry=ground.registry)) as supervisor:
            await supervisor.start(worker_spec(ground, folder, port, scoring))
            pid = supervisor.pids()[NAME]
            assert pid is not None
            measured = await _measure(clients, year, pid)
            if supervisor.pids()[NAME] != pid:
                raise WrongResultError("the worker died and was started again while it was measured")
            if not measured.alert_events:
                raise WrongResultError("the worker raised no alert")
            await check_windows(year, folder, port, scoring)
    return measured


async def _measure(clients: Clients, year: Year, pid: int) -> Measured:
    await publish_reference(clients.kafka, year)
    await clients.committed(CONSENTS.name, ENROLLMENTS.name, SCHOOL_DAYS.name)
    async with Answers.listen(clients.kafka) as answers:
        os.kill(pid, signal.SIGSTOP)
        try:
            tokens = await publish_for_ours(clients.kafka, year)
        finally:
            started, cpu = time.perf_counter(), _cpu_seconds(pid)
            os.kill(pid, signal.SIGCONT)
        for token in tokens:
            await answers.wait(token)
        answered = time.perf_counter() - started
        await clients.committed(MARKS.name)
        seconds, used = time.perf_counter() - started, _cpu_seconds(pid) - cpu
    alerts, changes = await clients.length(ALERTS.name), await clients.length(CHANGELOG)
    return Measured(answered, seconds, used, alerts, changes)


def _cpu_seconds(pid: int) -> float:
    used = psutil.Process(pid).cpu_times()
    return float(used.user + used.system)
