"""`firstbell up`: the whole system in one command, until Ctrl-C or SIGTERM."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import click

from services.cli.common import load_settings
from services.cli.output import describe
from services.platform.embedded.errors import DataDirInUseError, EmbeddedError
from services.platform.embedded.stack import running_stack
from services.platform.processes import ProcessError
from services.platform.settings import Settings, SettingsError
from services.platform.signals import until_stopped
from services.registry import SERVICES

EXIT_FAILED = 1
EXIT_IN_USE = 3


@click.command()
@click.option("--data-dir", type=click.Path(path_type=Path, file_okay=False), help="Where everything is kept.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout when everything is ready.")
def up(data_dir: Path | None, as_json: bool) -> None:
    """Start the whole system and stay until Ctrl-C or SIGTERM.

    Exit status: 0 after a stop, 1 when something did not start, 2 for a wrong option, 3 when the data folder is in use.
    """
    settings = load_settings(Settings, data_dir)
    try:
        asyncio.run(until_stopped(_stay(settings, as_json=as_json)))
    except (EmbeddedError, ProcessError, SettingsError) as error:
        click.echo(f"firstbell: {error}", err=True)
        sys.exit(EXIT_IN_USE if isinstance(error, DataDirInUseError) else EXIT_FAILED)


async def _stay(settings: Settings, *, as_json: bool) -> None:
    click.echo(f"Starting in {settings.data_dir.absolute()} …", err=True)
    async with running_stack(settings, SERVICES) as stack:
        click.echo(stack.model_dump_json() if as_json else "\n".join(describe(stack)))
        sys.stdout.flush()
        await asyncio.Event().wait()
