"""`firstbell agreement`: the data sharing agreement that everything stands on."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click

from services.cli.common import (
    CommandError,
    data_dir_option,
    failing,
    load_settings,
    log_quietly,
    print_json,
)
from services.cli.database import found_database
from services.cli.output import say
from services.contracts.topics import RETENTION_DAYS
from services.ingest.agreement.document import Agreement, Disclosure
from services.ingest.agreement.reading import AgreementError, load_agreement
from services.ingest.agreement.standing import StandingAgreement, apply_agreement, standing_agreement
from services.ingest.intake import SERVICE, Intake
from services.ingest.settings import IngestSettings
from services.platform.embedded.endpoints import read_stack

PILOT: Final = Path(__file__).resolve().parents[1] / "ingest" / "agreement" / "pilot.toml"


@click.group()
def agreement() -> None:
    """The data sharing agreement: nothing is taken in, shown or sent that it does not cover.

    A data steward writes it (`init` prints one to begin with), looks it over (`check`) and puts it in force (`apply`).
    Every change is a new version; every version is kept.
    """


@agreement.command()
def init() -> None:
    """Print a commented agreement, that of the Boston pilot, to begin a file from."""
    click.echo(PILOT.read_text(encoding="utf-8"), nl=False)


@agreement.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def check(file: Path, as_json: bool) -> None:
    """Say everything that is wrong with FILE, a line an error, with its line and field.

    Exit status: 0 when nothing is, 1 when something is, 2 wrong usage.
    """
    with failing():
        try:
            found = load_agreement(file)
        except AgreementError as error:
            if as_json:
                print_json({"ok": False, "errors": [one._asdict() for one in error.wrong]})
            click.echo(str(error), err=True)
            sys.exit(1)
    if as_json:
        print_json({"ok": True, "errors": []})
    else:
        click.echo(f"{file}: nothing is wrong. {_title(found)}, from {found.effective_on} to {found.expires_on}")


@agreement.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--yes",
    is_flag=True,
    help="Also when its term has ended, or it takes from somebody all they have.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout: what holds now.")
@data_dir_option
def apply(file: Path, yes: bool, as_json: bool, data_dir: Path | None) -> None:
    """Put FILE in force from its effective_on, in the running system or, when nothing runs, in the data folder.

    The same version again changes nothing. A change needs a higher version; it takes effect at once, in every service:
    what it no longer covers is no longer shown, and ends: alerts are withdrawn, and names and enrollments are deleted.
    With a later version that covers it again hand the files in again.

    Exit status: 0 done, 1 failed, the message says why, 2 wrong usage.
    """
    log_quietly()
    with failing():
        given = load_agreement(file)
        settings = load_settings(IngestSettings, data_dir)
        new, standing = asyncio.run(_apply(settings, given, yes=yes))
    term = f"it holds from {given.effective_on} to {given.expires_on}"
    say(f"{_title(given)}: {f'applied, {term}' if new else 'applied before; nothing changed'}.")
    _show(standing, as_json=as_json)


@agreement.command()
@click.option("--json", "as_json", is_flag=True, help="The document, its digest, and whether it is in force.")
@data_dir_option
def show(as_json: bool, data_dir: Path | None) -> None:
    """Show what holds now; when nothing does, the version that was applied last.

    Exit status: 0 done, 1 there is none, or the database does not answer, 2 wrong usage.
    """
    log_quietly()
    with failing():
        standing = asyncio.run(_standing(load_settings(IngestSettings, data_dir)))
    _show(standing, as_json=as_json)


async def _apply(settings: IngestSettings, given: Agreement, *, yes: bool) -> tuple[bool, StandingAgreement | None]:
    """Whether it is new, and what holds then; what runs brings it about at once."""
    async with found_database(settings, SERVICE) as url:
        before = await standing_agreement(url)
        if before is not None and before.in_force and given.expires_on < settings.wall_today() and not yes:
            raise CommandError(
                f"The term of {_title(given)} ended on {given.expires_on}, and all that is shared under "
                f"{_title(before.agreement)} would end with it. Set `expires_on`, or say --yes."
            )
        if before is not None and before.in_force and not yes:
            _require_feeds(before.agreement, given)
        new = await apply_agreement(url, given)
        standing = await standing_agreement(url)
        stack = read_stack(settings.data_dir)
        kafka = settings.kafka if stack is None else stack.kafka
        if kafka is not None and (stack is not None or settings.database is not None):
            async with Intake.open(settings.on(kafka, url)) as intake:
                await intake.sweep()
    return new, standing


def _require_feeds(before: Agreement, given: Agreement) -> None:
    """Raise `CommandError` when somebody has something now and would have nothing then: it is erased at once."""
    gone = {feed.id for feed in before.all_feeds()} - {feed.id for feed in given.all_feeds()}
    if gone:
        told = "; ".join(sorted(feed.in_words for feed in gone))
        raise CommandError(
            f"Under {_title(given)} these are not shared any more: {told}. Once it is in force all that is kept of "
            "them is erased, consents too (`firstbell proofs`). Say --yes if that is meant."
        )


async def _standing(settings: IngestSettings) -> StandingAgreement | None:
    async with found_database(settings, SERVICE) as url:
        return await standing_agreement(url)


def _show(standing: StandingAgreement | None, *, as_json: bool) -> None:
    if standing is None:
        raise CommandError(
            "No agreement was ever applied, so nothing may be taken in. `firstbell agreement init > agreement.toml` "
            "begins one; set its dates, and `firstbell agreement apply agreement.toml` puts it in force."
        )
    if as_json:
        print_json(document(standing))
    else:
        click.echo("\n".join(describe(standing)))


def document(standing: StandingAgreement) -> dict[str, object]:
    """The document of `--json`: the agreement's fields, its digest, and whether it is in force."""
    agreement = standing.agreement
    return {**agreement.model_dump(mode="json"), "digest": agreement.digest, "in_force": standing.in_force}


def describe(standing: StandingAgreement) -> Sequence[str]:
    """The agreement for people."""
    agreement = standing.agreement
    lines = [
        f"{_title(agreement)}, {'in force' if standing.in_force else 'NOT in force: nothing may be taken in'}",
        f"  from {agreement.effective_on} to {agreement.expires_on}; destroyed by {agreement.destroy_by}",
        f"  counts of people below {agreement.small_cell} are never shown",
        f"  what streams stays in Kafka's log for {agreement.retention_days or RETENTION_DAYS} days",
    ]
    names = {party.id: f"{party.name} ({party.role})" for party in agreement.party}
    lines += [f"  {names[one.to]}: {_disclosed(one)}" for one in agreement.disclosure]
    return [*lines, f"  digest {agreement.digest}"]


def _disclosed(one: Disclosure) -> str:
    return f"{', '.join(one.records)} of {', '.join(one.schools)}; {one.form}, for {one.purpose}"


def _title(agreement: Agreement) -> str:
    return f"{agreement.id}, version {agreement.version}"
