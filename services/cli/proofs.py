"""`firstbell proofs`: what was erased, and who has confirmed it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final
from uuid import UUID

import click
from rich.console import Console
from rich.table import Table

from services.cli.common import CommandError, data_dir_option, failing, load_settings, log_quietly, print_json
from services.cli.database import found_engine
from services.cli.on_record import put_on_record
from services.cli.proof_lines import describe_all, moment
from services.ingest.agreement.document import FeedId
from services.ingest.intake import SERVICE
from services.ingest.proofs.queries import feeds_of, find_proof, find_proofs
from services.ingest.proofs.schemas import Proof
from services.ingest.settings import IngestSettings

ACTION: Final = "proofs"
WIDTH: Final = 220
"""Of a table that goes to a file or a pipe: an id that was cut is none."""


@click.command()
@click.argument("proof_id", metavar="[ID]", type=click.UUID, required=False)
@click.option("--json", "as_json", is_flag=True, help="JSON on stdout: an array, the latest first; with ID that proof.")
@data_dir_option
def proofs(proof_id: UUID | None, as_json: bool, data_dir: Path | None) -> None:
    """Show the proofs of erasure, the latest first, or one whole.

    A proof is made when what was held of a student for a recipient ends, for each kind of records: the consent was
    withdrawn or has expired, the agreement ended, or it was destroyed. Its state is

    \b
      pending   not every service has confirmed yet that it holds nothing any more
      complete  every one has
      held      an inspection is open: nobody is shown anything, and the deletion waits until it is closed

    One that is pending for more than a minute is an alarm: `firstbell doctor` says which services are behind. No name
    is in a proof. The look is put on record first (`firstbell audit`).

    Exit status: 0 done, also when there is none; 1 failed, or there is no proof of this ID; 2 wrong usage.
    """
    log_quietly()
    settings = load_settings(IngestSettings, data_dir)
    with failing():
        found, feeds = asyncio.run(_read(settings, proof_id))
    if proof_id is not None:
        if not found:
            raise CommandError("There is no proof of this id. `firstbell proofs` lists all.")
        if as_json:
            print_json(found[0].model_dump(mode="json"))
        else:
            click.echo("\n".join(describe_all(found, feeds)))
    elif as_json:
        print_json([one.model_dump(mode="json") for one in found])
    elif found:
        show(found, feeds)
    else:
        click.echo("There is no proof: nothing was erased yet.")


async def _read(settings: IngestSettings, proof_id: UUID | None) -> tuple[list[Proof], dict[UUID, FeedId]]:
    """The proofs, and of which feed each is."""
    async with found_engine(settings, SERVICE) as (engine, url):
        async with engine.connect() as connection:
            if proof_id is None:
                found = await find_proofs(connection)
            else:
                one = await find_proof(connection, proof_id)
                found = [] if one is None else [one]
            feeds = await feeds_of(connection, found)
        await put_on_record(url, ACTION, (one.pseudonym for one in found))
    return found, feeds


def show(found: Sequence[Proof], feeds: Mapping[UUID, FeedId]) -> None:
    """A line each, for people, with the feed that it is of."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = WIDTH
    head = ("State", "Of", "At (UTC)", "By", "Removed", "Confirmed by", "Pseudonym", "ID")
    table = Table(*head, box=None, pad_edge=False)
    for one in found:
        removed = f"{sum(one.removed.values()):,}"
        of, confirmed = feeds[one.id].in_words, str(len(one.confirmed))
        table.add_row(one.state, of, moment(one.at), one.by, removed, confirmed, one.pseudonym, str(one.id))
    console.print(table)
