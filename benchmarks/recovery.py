"""`python -m benchmarks.recovery`: seconds from the SIGKILL of a worker to the first close that it answers again.

The real worker, with the risk model, takes the marks of some days. Then, once for each round, it is killed and started
again at once, as `firstbell up` would but for the pause, while another day's marks and close are published. The clock
runs from the signal until every partition has answered that close (`warning.progress.v1`). Its folder is there still,
unless `--empty-folder` takes it away, as when another machine takes over. The peer, a fresh process each time as well,
reads the changelog from start to end with raw aiokafka and does nothing with it. At the end some windows are compared
with a plain count. Exit statuses: 0 measured, 1 when it could not be, 130 when it was interrupted.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Final, TypedDict

import click
from aiokafka.errors import KafkaError
from httpx import HTTPError

from benchmarks.broker import Ground, running_broker
from benchmarks.command import CONTEXT, json_option, model_option, rounds_option, say, write_document
from benchmarks.marks import PARTITIONS, Year, year_of
from benchmarks.publish import Day, our_days, publish, publish_reference
from benchmarks.report import Machine, describe_machine
from benchmarks.worker import CHANGELOG, NAME, Clients, Scoring, WrongResultError, check_windows, make_keys, worker_spec
from services.cli.common import CommandError, log_quietly
from services.contracts.topics import CONSENTS, ENROLLMENTS, MARKS, SCHOOL_DAYS
from services.platform.embedded.errors import EmbeddedError
from services.platform.embedded.ports import free_port
from services.platform.processes import Command, ProcessError, run_to_end
from services.platform.signals import until_stopped
from services.platform.supervisor import RestartPause, Supervisor, Surroundings, inherited_environment
from services.rehearsal.settled import Answers

STUDENTS: Final = 50_000
DAYS: Final = 60
STUDENTS_A_PLACE: Final = 100
ROOT: Final = Path(__file__).parent.parent
PATIENCE: Final = 1800
"""Seconds for each answer."""
INTERRUPTED: Final = 130
_FAILURES: Final = (EmbeddedError, ProcessError, WrongResultError, KafkaError, HTTPError, TimeoutError)


class Round(TypedDict):
    """Seconds."""

    kill_to_first_close_seconds: float
    reread_changelog_seconds: float


class Report(TypedDict):
    """The JSON document: medians, and how many times as long as the peer the worker took."""

    students: int
    days: int
    empty_folder: bool
    kill_to_first_close_seconds: float
    reread_changelog_seconds: float
    ratios: dict[str, float]
    rounds: list[Round]
    machine: Machine


@dataclass(frozen=True)
class Plan:
    """What is done: the last `rounds` days of the year each come behind a SIGKILL."""

    year: Year
    rounds: int
    scoring: Scoring
    empty_folder: bool


@click.command(context_settings=CONTEXT)
@json_option
@rounds_option
@click.option("--students", default=STUDENTS, show_default=True, type=click.IntRange(100), help="Of the worker.")
@click.option(
    "--days", default=DAYS, show_default=True, type=click.IntRange(5), help="School days before the first SIGKILL."
)
@click.option("--empty-folder", is_flag=True, help="Take the worker's folder away: all comes from the changelog.")
@model_option
def main(out: Path | None, rounds: int, students: int, days: int, empty_folder: bool, model: Path | None) -> None:
    """Measure seconds from the worker's SIGKILL to its first answered close, beside reading its changelog anew."""
    log_quietly()
    machine, model_file = describe_machine(), model.resolve() if model else None
    scoring = Scoring(model=True, model_file=model_file, capacity=max(1, students // STUDENTS_A_PLACE))
    plan = Plan(year_of(students, days=days + rounds), rounds, scoring, empty_folder)
    try:
        done = asyncio.run(until_stopped(_run(plan)))
    except _FAILURES as error:
        raise CommandError(str(error)) from error
    if done is None:
        sys.exit(INTERRUPTED)
    report = make_report(students, days, done, machine, empty_folder=empty_folder)
    write_document(out, report)
    click.echo(table(report))


async def _run(plan: Plan) -> list[Round]:
    say("Starting Kafka in a temporary folder")
    async with running_broker() as ground, Clients.connect(ground.kafka) as clients:
        await clients.make_topics_anew()
        await make_keys(ground, plan.year)
        folder, port = ground.folder / NAME, free_port(taken=set())
        folder.mkdir()

        async def before_start() -> None:
            if plan.empty_folder:
                shutil.rmtree(folder)
                folder.mkdir()

        spec = replace(worker_spec(ground, folder, port, plan.scoring), before_start=before_start)
        around = Surroundings(logs=ground.logs, registry=ground.registry, backoff=RestartPause(first=0))
        async with Supervisor(around) as supervisor:
            await supervisor.start(spec)
            done = await _measure(plan, ground, clients, supervisor)
            await check_windows(plan.year, folder, port, plan.scoring)
        return done


async def _measure(plan: Plan, ground: Ground, clients: Clients, supervisor: Supervisor) -> list[Round]:
    year, done = plan.year, list[Round]()
    say(f"Building up the state of {len(year.pupils):,} students over {len(year.days) - plan.rounds} school days")
    await publish_reference(ground.kafka, year)
    await clients.committed(CONSENTS.name, ENROLLMENTS.name, SCHOOL_DAYS.name)
    for number, day in enumerate(our_days(year), 1 - len(year.days) + plan.rounds):
        if number <= 0:
            await publish(ground.kafka, (*day.marks, *day.closes))
            continue
        await clients.committed(MARKS.name)
        seconds = await _kill(ground, day, supervisor)
        await clients.committed(MARKS.name)
        peer = await _reread(ground)
        done.append(Round(kill_to_first_close_seconds=seconds, reread_changelog_seconds=peer))
        say(f"round {number}: {seconds:.1f} s from SIGKILL to the first close, {peer:.1f} s to read the changelog")
    return done


async def _kill(ground: Ground, day: Day, supervisor: Supervisor) -> float:
    """Kill the worker, which its supervisor starts again, and hand in the day; seconds to the answer of its close."""
    pid = supervisor.pids()[NAME]
    assert pid is not None
    async with Answers.listen(ground.kafka) as answers, asyncio.timeout(PATIENCE):
        started = time.perf_counter()
        os.kill(pid, signal.SIGKILL)
        await publish(ground.kafka, (*day.marks, *day.closes))
        await answers.wait(day.tokens[0])
        return time.perf_counter() - started


async def _reread(ground: Ground) -> float:
    """Seconds that the peer takes, from its start to its exit."""
    argv = [sys.executable, "-m", "benchmarks.engines.reread", ground.kafka, CHANGELOG, str(PARTITIONS)]
    command = Command(name="reread", argv=argv, env=inherited_environment(), cwd=ROOT)
    started = time.perf_counter()
    await run_to_end(command, ground.logs / "reread.log", ground.registry, deadline=PATIENCE)
    return time.perf_counter() - started


def make_report(students: int, days: int, rounds: list[Round], machine: Machine, *, empty_folder: bool) -> Report:
    """Medians over the rounds."""
    ours = median(one["kill_to_first_close_seconds"] for one in rounds)
    peer = median(one["reread_changelog_seconds"] for one in rounds)
    return Report(
        students=students,
        days=days,
        empty_folder=empty_folder,
        kill_to_first_close_seconds=ours,
        reread_changelog_seconds=peer,
        ratios={"vs_reread_changelog": ours / peer},
        rounds=rounds,
        machine=machine,
    )


def table(report: Report) -> str:
    """For people."""
    seconds, peer = report["kill_to_first_close_seconds"], report["reread_changelog_seconds"]
    return "\n".join(
        [
            f"{report['students']:,} students after {report['days']} school days",
            f"{'SIGKILL to the first close answered':<38} {seconds:>7.1f} s",
            f"{'raw aiokafka reading the changelog':<38} {peer:>7.1f} s",
            f"The worker takes {report['ratios']['vs_reread_changelog']:.2f} times as long.",
        ]
    )


if __name__ == "__main__":
    main()
