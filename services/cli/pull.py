"""`firstbell pull`: what changed in an Ed-Fi ODS/API, into the running system."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

import click

from services.cli.common import EXIT_INTERRUPTED, data_dir_option, failing, load_settings, log_quietly, mapping_option
from services.cli.output import STDOUT, progress_bar, say, write_json
from services.cli.starting import stack_for
from services.ingest.formats.mapping import Mapping, load_mapping
from services.ingest.intake import Intake
from services.ingest.patience import Patience, UnavailableError
from services.ingest.pull.client import OdsClient, OdsError
from services.ingest.pull.credentials import ClientCredentials, read_credentials
from services.ingest.pull.report import PullReport
from services.ingest.pull.rounds import pull_round
from services.ingest.settings import IngestSettings
from services.platform.signals import until_stopped
from services.rehearsal.settled import caught_up

SHOWN = 20


@click.command("pull")
@click.option("--url", required=True, metavar="URL", help="The API's root, whose answer names its urls.")
@click.option(
    "--client",
    "client_file",
    required=True,
    metavar="FILE",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="TOML file with client_id and client_secret, which nobody else may read.",
)
@click.option("--once", is_flag=True, help="One round; without it a round follows the other until Ctrl-C.")
@click.option(
    "--every",
    type=click.FloatRange(min=0, min_open=True),
    default=5.0,
    show_default=True,
    metavar="MINUTES",
    help="From the end of a round to the next one.",
)
@click.option("--anew", is_flag=True, help="Read everything, not the changes alone: after new consents or agreements.")
@mapping_option
@click.option("--json", "json_target", metavar="OUT", help="Write each round's report as JSON to OUT, `-` for stdout.")
@data_dir_option
def pull(
    *,
    url: str,
    client_file: Path,
    once: bool,
    every: float,
    anew: bool,
    mapping: Path | None,
    json_target: str | None,
    data_dir: Path | None,
) -> None:
    """Pull from an Ed-Fi ODS/API: what changed since the last time, with what was deleted.

    Data standard 5.x with change queries. Schools, students, enrollments, calendars and attendance are read, and what
    is shared beside attendance, as `firstbell import` reads them; docs/pull.md says which resources. Consents do not
    come from there: they must be there first, and --anew reads what they cover since.

    A pull that was killed goes on where it was, and nothing counts twice. It uses the stack that runs in the data
    folder; when none runs, it starts one.

    Exit status: 0 done, also by Ctrl-C without --once; 1 failed, the message says why; 2 wrong usage; 130 interrupted.
    """
    log_quietly()
    with failing():
        if not is_root(url):
            raise click.BadParameter("expected an address such as https://ods.example.org/api", param_hint="--url")
        credentials = read_credentials(client_file, say)
        codes = Mapping() if mapping is None else load_mapping(mapping)
        settings = load_settings(IngestSettings, data_dir)
        work = _pull(
            url.rstrip("/"), credentials, codes, settings, None if once else every * 60, json_target, anew=anew
        )
        done = asyncio.run(until_stopped(work))
    if done is None:
        say("Interrupted. Run it again: it goes on where it was.")
        sys.exit(EXIT_INTERRUPTED if once else 0)


def is_root(url: str) -> bool:
    """Whether it can be the address of an API: with a host, and without a secret or a question in it."""
    try:
        parts = urlsplit(url)
        return (
            parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0 and not {"@", "?"} & {*url}
        )
    except ValueError:  # no port of these, or half of an IPv6 address
        return False


async def _pull(
    url: str,
    credentials: ClientCredentials,
    mapping: Mapping,
    settings: IngestSettings,
    pause: float | None,
    json_target: str | None,
    *,
    anew: bool,
) -> bool:
    """Pull in rounds with so many seconds between them, or once; returns that it came to its end."""
    async with OdsClient.open(url, credentials, settings.import_patience_seconds, say) as client:
        await client.reach()
        async with stack_for(settings, "pull") as (pointed, started):
            await _rounds(client, mapping, pointed, pause, json_target, anew=anew)
            if started is not None:
                say("Waiting until every group has caught up …")
                await caught_up(started.kafka)
    return True


async def _rounds(
    client: OdsClient,
    mapping: Mapping,
    settings: IngestSettings,
    pause: float | None,
    json_target: str | None,
    *,
    anew: bool,
) -> None:
    async with Intake.open(settings, Patience(settings.import_patience_seconds, say)) as intake:
        await intake.start()
        await intake.agreement()
        _tell(await _round(client, intake, mapping, anew=anew), json_target)
        while pause is not None:
            await asyncio.sleep(pause)
            try:
                _tell(await _round(client, intake, mapping, anew=False), json_target)
            except (OdsError, UnavailableError) as error:
                say(f"{error} The next round follows.")


def _tell(report: PullReport, json_target: str | None) -> None:
    if json_target != STDOUT:
        click.echo("\n".join(describe(report)))
    if json_target is not None:
        write_json(report.document(), json_target)


async def _round(client: OdsClient, intake: Intake, mapping: Mapping, *, anew: bool) -> PullReport:
    with progress_bar() as progress:
        task = progress.add_task("Pulling", total=None)

        def show(resource: str, read: int, rows: int) -> None:
            progress.update(task, description=f"Pulling {resource}", completed=read, total=rows)

        return await pull_round(client, intake, mapping, anew=anew, progress=show)


def describe(report: PullReport) -> Sequence[str]:
    """The report for people."""
    lines = [f"Pulled in {report.seconds:,.1f} seconds:"]
    for name, counts in report.resources.items():
        told = [
            f"{number:,} {what}"
            for number, what in (
                (counts.read, "read"),
                (counts.upserted, "taken"),
                (counts.deleted, "deleted"),
                (counts.key_changed, "with another key"),
                (counts.rejected, "rejected"),
            )
            if number
        ]
        if told:
            lines.append(f"  {name}: {', '.join(told)}")
    if len(lines) == 1:
        lines.append("  nothing has changed")
    if report.not_consented:
        told = [f"{number:,} {why.replace('_', ' ')}" for why, number in report.not_consented.most_common()]
        lines.append(f"  not consented by reason: {', '.join(told)}. After new consents, pull once with --anew.")
    worst = report.rejections.worst()
    lines += [f"  {wrong.file}: {wrong.reason} ({number:,} rows)" for wrong, number, _ in worst[:SHOWN]]
    return [*lines, *(f"Note: {note}" for note in report.notes)]
