"""`firstbell demo`: a simulated school year through the real stack, at high speed."""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path

import click

from models.simulation import WorldConfig, simulate
from services.cli.common import EXIT_INTERRUPTED, failing, log_quietly
from services.cli.output import STDOUT, describe, say, write_json
from services.cli.risk_settings import capacity_option, model_environment
from services.ingest.agreement.folder import agreement_of
from services.ingest.formats import open_sources
from services.lab.export_set import write_export_set
from services.platform.signals import until_stopped
from services.rehearsal.new_alerts import NewAlerts
from services.rehearsal.replaying import Replay, fresh_replay
from services.rehearsal.view import DemoView, Figures, summary

STUDENTS_A_PLACE = 250
DAYS_AHEAD = 2
"""Handed in while the worker is still at earlier ones."""


@click.command()
@click.option("--students", default=2000, show_default=True, type=click.IntRange(min=10), help="How many students.")
@click.option("--seed", default=1, show_default=True, type=click.IntRange(min=0), help="The world's seed.")
@capacity_option(default="1 for each 250 students")
@click.option("--json", "json_target", metavar="OUT", help="Write the summary as JSON to OUT, `-` for stdout.")
@click.option("--keep", is_flag=True, help="Leave the stack running in the end, until Ctrl-C.")
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="An empty or new folder to keep the stack's data in.  [default: a temporary one, removed in the end]",
)
def demo(
    students: int, seed: int, capacity: int | None, json_target: str | None, keep: bool, data_dir: Path | None
) -> None:
    """Simulate a school year of the six pilot schools and run it through Kafka, the worker, PostgreSQL and SMTP.

    Every row is made up: no child and no family in it is real. A day is handed in while the last is evaluated.
    Rules and model raise alerts together: elevated and urgent are --capacity places a week.
    Latencies are measured from ingest's acceptance to the committed alert row, and to the mail server's 250.

    Exit status: 0 done; 1 failed, the message says why; 2 wrong usage; 130 interrupted.
    """
    log_quietly()
    with failing():
        places = capacity or max(1, students // STUDENTS_A_PLACE)
        work = _demo(students, seed, places, json_target, keep=keep, data_dir=data_dir)
        figures = asyncio.run(until_stopped(work))
    if figures is None and not keep:
        say("Interrupted.")
        sys.exit(EXIT_INTERRUPTED)


async def _demo(
    students: int, seed: int, capacity: int, json_target: str | None, *, keep: bool, data_dir: Path | None
) -> Figures:
    started = time.monotonic()
    async with AsyncExitStack() as exits:
        folder = Path(exits.enter_context(tempfile.TemporaryDirectory(prefix="firstbell-world-")))
        say(f"Simulating {students:,} students, and starting Kafka, PostgreSQL and the services …")
        world = asyncio.create_task(asyncio.to_thread(_make_world, students, seed, folder))
        exits.push_async_callback(asyncio.wait, [world])  # it writes into the folder, however this ends
        replay = await exits.enter_async_context(fresh_replay(data_dir, model_environment(None, capacity)))
        await world
        await _run(replay, folder)
        alerts = await NewAlerts.read(replay.engine, replay.settings, replay.worker())
        figures = await Figures.read(replay.engine, students, alerts, seconds=time.monotonic() - started)
        if json_target != STDOUT:
            click.echo("\n".join(summary(figures)))
        if json_target is not None:
            write_json(figures.document(), json_target)
        if keep:
            click.echo("\n".join(describe(replay.stack)), err=True)
            await asyncio.Event().wait()
    return figures


def _make_world(students: int, seed: int, folder: Path) -> None:
    write_export_set(simulate(WorldConfig.of_size(students), seed), folder)


async def _run(replay: Replay, folder: Path) -> None:
    source = open_sources([folder])
    async with DemoView.open(replay.engine, replay.stack) as view:
        await replay.run(
            source, agreement_of(source).agreement, view.on_read, view.on_begin, view.on_day, ahead=DAYS_AHEAD
        )
