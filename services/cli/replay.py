"""`firstbell replay`: a history, day by day, through a fresh stack."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import click

from services.cli.common import CommandError, log_quietly
from services.cli.import_ import EXIT_INTERRUPTED
from services.cli.output import STDOUT, progress_bar, say, write_json
from services.cli.replaying import Document, fresh_replay
from services.ingest.formats import FormatError, Source, open_sources
from services.ingest.patience import UnavailableError
from services.ingest.replayer import ReplayedDay
from services.platform.embedded.errors import EmbeddedError
from services.platform.processes import ProcessError
from services.platform.settings import SettingsError
from services.platform.signals import until_stopped


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "json_target", metavar="OUT", default=STDOUT, help="Where the document goes.  [default: -]")
@click.option("--mapping", type=click.Path(path_type=Path, exists=True), help="TOML file that maps an Aspen CSV.")
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="An empty or new folder to keep the stack's data in.  [default: a temporary one, removed in the end]",
)
def replay(paths: tuple[Path, ...], json_target: str, mapping: Path | None, data_dir: Path | None) -> None:
    """Replay PATHS through a stack of its own, as if each day were today.

    Each row is handed in on the school-local date of its recorded_at (its own date if it has none); consents
    begin and end by the replayed day. The document holds the counts, a row for each student whose consent is in
    force on the last day, every such student's alerts, and the mails.

    Exit status: 0 done; 1 failed, the message says why; 2 wrong usage; 130 interrupted.
    """
    log_quietly()
    try:
        document = asyncio.run(until_stopped(_replay(open_sources(paths, mapping), data_dir)))
    except (FormatError, EmbeddedError, ProcessError, UnavailableError, SettingsError, OSError) as error:
        raise CommandError(str(error)) from error
    if document is None:
        say("Interrupted.")
        sys.exit(EXIT_INTERRUPTED)
    write_json(document, json_target)


async def _replay(source: Source, data_dir: Path | None) -> Document:
    say("Starting a stack of its own …")
    async with fresh_replay(data_dir) as replay:
        with progress_bar() as progress:
            reading = progress.add_task("Reading", total=source.size())
            days = progress.add_task("Replaying", total=None, start=False)

            def begun(count: int) -> None:
                progress.update(reading, completed=source.size())
                progress.start_task(days)
                progress.update(days, total=count)

            async def on_day(_: ReplayedDay) -> None:
                progress.advance(days)

            replayer = await replay.run(source, lambda done: progress.update(reading, completed=done), begun, on_day)
        document = await replay.document(replayer)
        say("Stopping …")
    return document
