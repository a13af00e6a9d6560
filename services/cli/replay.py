"""`firstbell replay`: a history, day by day, through a fresh stack."""

from __future__ import annotations

import asyncio
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import click

from services.cli.common import EXIT_INTERRUPTED, FIRST_DAY_OUT, exit_date_option, failing, log_quietly, mapping_option
from services.cli.output import STDOUT, progress_bar, say, write_json
from services.cli.risk_settings import capacity_option, model_environment, model_option, require_model
from services.ingest.agreement.folder import agreement_of
from services.ingest.formats import Source, open_sources
from services.ingest.imports.replayer import ReplayedDay, Replayer
from services.platform.signals import until_stopped
from services.rehearsal.replaying import Document, Replay, fresh_replay
from services.rehearsal.scores import StreamScores


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "json_target", metavar="OUT", default=STDOUT, help="Where the document goes.  [default: -]")
@click.option("--scores", metavar="CSV", type=click.Path(path_type=Path), help="Every student's score, a row a day.")
@capacity_option()
@model_option
@mapping_option
@exit_date_option
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="An empty or new folder to keep the stack's data in.  [default: a temporary one, removed in the end]",
)
def replay(
    paths: tuple[Path, ...],
    json_target: str,
    scores: Path | None,
    capacity: int | None,
    model_file: Path | None,
    mapping: Path | None,
    exit_date: str,
    data_dir: Path | None,
) -> None:
    """Replay PATHS through a stack of its own, as if each day were today.

    Each row is handed in on the school-local date of its recorded_at (its own date if it has none); consents
    begin and end by the replayed day. The document holds the counts, a row for each student whose consent is in
    force on the last day, every such student's alerts, and the mails. --scores writes what the worker gave at each
    school day's end: the chance that the family is identified within the next 30; it holds student ids, so keep it
    like the district's.

    Exit status: 0 done; 1 failed, the message says why; 2 wrong usage; 130 interrupted.
    """
    log_quietly()
    with failing():
        if scores is not None or model_file is not None:
            require_model(model_file, data_dir)
        env = model_environment(model_file, capacity)
        work = _replay(open_sources(paths, mapping, first_day_out=exit_date == FIRST_DAY_OUT), data_dir, env, scores)
        document = asyncio.run(until_stopped(work))
    if document is None:
        say("Interrupted.")
        sys.exit(EXIT_INTERRUPTED)
    write_json(document, json_target)


async def _replay(source: Source, data_dir: Path | None, env: dict[str, str], scores: Path | None) -> Document:
    say("Starting a stack of its own …")
    async with fresh_replay(data_dir, env) as replay:
        document = await replay.document(await _run(replay, source, scores))
        say("Stopping …")
    return document


async def _run(replay: Replay, source: Source, scores: Path | None) -> Replayer:
    async with AsyncExitStack() as exits:
        progress = exits.enter_context(progress_bar())
        reading = progress.add_task("Reading", total=source.size())
        days = progress.add_task("Replaying", total=None, start=False)

        def begun(count: int) -> None:
            progress.update(reading, completed=source.size())
            progress.start_task(days)
            progress.update(days, total=count)

        async def on_day(_: ReplayedDay) -> None:
            progress.advance(days)

        on_school_day = None
        if scores is not None:
            file = await exits.enter_async_context(StreamScores.open(scores, replay.engine, replay.stack.warning))
            on_school_day = file.add
        agreement, note = agreement_of(source)
        say(note)
        return await replay.run(
            source, agreement, lambda done: progress.update(reading, completed=done), begun, on_day, on_school_day
        )
