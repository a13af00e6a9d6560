"""`firstbell up`: the whole system in one command, until Ctrl-C or SIGTERM."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import click

from services.cli.common import failing, load_settings
from services.cli.output import describe
from services.ingest.agreement.document import Agreement
from services.ingest.agreement.reading import load_agreement
from services.ingest.intake import SERVICE, Intake
from services.ingest.patience import UnavailableError
from services.ingest.settings import IngestSettings
from services.ingest.store.agreements import VersionError
from services.platform.embedded.endpoints import stack_database
from services.platform.embedded.errors import DataDirInUseError, EmbeddedError
from services.platform.embedded.stack import running_stack
from services.platform.processes import ProcessError
from services.platform.settings import SettingsError
from services.platform.signals import until_stopped
from services.registry import SERVICES

EXIT_FAILED = 1
EXIT_IN_USE = 3


@click.command()
@click.option("--data-dir", type=click.Path(path_type=Path, file_okay=False), help="Where everything is kept.")
@click.option(
    "--agreement",
    "agreement_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Put this agreement in force, as `firstbell agreement apply` does.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout when everything is ready.")
def up(data_dir: Path | None, agreement_file: Path | None, as_json: bool) -> None:
    """Start the whole system and stay until Ctrl-C or SIGTERM.

    Nothing is taken in before an agreement is in force: see `firstbell agreement --help`.

    Exit status: 0 after a stop, 1 when something did not start, 2 for a wrong option, 3 when the data folder is in use.
    """
    settings = load_settings(IngestSettings, data_dir)
    with failing():
        agreement = None if agreement_file is None else load_agreement(agreement_file)
    try:
        asyncio.run(until_stopped(_stay(settings, agreement, as_json=as_json)))
    except (EmbeddedError, ProcessError, SettingsError, VersionError, UnavailableError) as error:
        click.echo(f"firstbell: {error}", err=True)
        sys.exit(EXIT_IN_USE if isinstance(error, DataDirInUseError) else EXIT_FAILED)


async def _stay(settings: IngestSettings, agreement: Agreement | None, *, as_json: bool) -> None:
    click.echo(f"Starting in {settings.data_dir.absolute()} …", err=True)
    async with running_stack(settings, SERVICES) as stack:
        if agreement is not None:
            async with Intake.open(settings.on(stack.kafka, stack_database(stack, SERVICE))) as intake:
                await intake.apply(agreement)
                await intake.sweep()
        click.echo(stack.model_dump_json() if as_json else "\n".join(describe(stack)))
        sys.stdout.flush()
        await asyncio.Event().wait()
