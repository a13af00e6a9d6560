"""`firstbell audit`: who was shown what of whom, verified, exported and signed."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import click

from services.cli.common import CommandError, data_dir_option, failing, load_settings, log_quietly, print_json
from services.cli.database import found_engine
from services.cli.on_record import put_on_record
from services.cli.output import progress_bar, say
from services.contracts.ids import has_form_of_pseudonym
from services.ingest.audit.chain import append_all
from services.ingest.audit.checkpoints import read_folder, write_checkpoint
from services.ingest.audit.exporting import Asked, export_pages
from services.ingest.audit.verifying import Verified, length, verify
from services.ingest.intake import SERVICE
from services.ingest.settings import IngestSettings
from services.platform.files import PRIVATE, whole_file

EXPORT: Final = "audit export"


@click.group()
def audit() -> None:
    """Who was shown what of whom: every answer, mail, batch and denial is an entry, chained to the one before by hash.

    They work with and without a running system.
    """


@audit.command("verify")
@click.option(
    "--checkpoints",
    "folder",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="A folder of signed checkpoints, which the chain must agree with.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@data_dir_option
def verify_(folder: Path | None, as_json: bool, data_dir: Path | None) -> None:
    """Compute the chain anew, from its beginning, and say whether it is whole.

    Exit status: 0 it is, 1 it is broken, or the database does not answer, 2 wrong usage.
    """
    log_quietly()
    settings = load_settings(IngestSettings, data_dir)
    with failing():
        checkpoints, wrong = ([], []) if folder is None else read_folder(folder, settings.audit_key)

        async def look() -> Verified:
            async with found_engine(settings, SERVICE) as (engine, _):
                with progress_bar() as progress:
                    task = progress.add_task("links", total=await length(engine))
                    return await verify(engine, checkpoints, lambda links: progress.advance(task, links))

        found = asyncio.run(look())
    broken = [*_broken(found), *wrong]
    if as_json:
        print_json(document(found, ok=not broken))
        for line in broken:
            say(line)
    else:
        click.echo("\n".join(describe(found, broken)))
    sys.exit(1 if broken else 0)


@audit.command()
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The file; replaced.")
@click.option("--student", metavar="PSEUDONYM", help="Entries that tell of this student alone.")
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="Entries of this day and later.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout: how many entries, and where.")
@data_dir_option
def export(out: Path, student: str | None, since: datetime | None, as_json: bool, data_dir: Path | None) -> None:
    """Write entries to OUT, a line of JSON each, in the order in which they were written.

    It is a look itself, and gets an entry before the file is written. Only its owner may read the file (mode 0600).

    Exit status: 0 done, 1 failed, the message says why, 2 wrong usage.
    """
    log_quietly()
    if student is not None and not has_form_of_pseudonym(student):
        raise click.BadParameter("that is no pseudonym", param_hint="--student")
    settings = load_settings(IngestSettings, data_dir)
    asked = Asked(student, since and since.replace(tzinfo=settings.tz))
    with failing():
        entries = asyncio.run(_export(settings, asked, out))
    if as_json:
        print_json({"entries": entries, "file": str(out)})
    else:
        click.echo(f"Entries in {out}: {entries:,}.")


@audit.command()
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The file; replaced.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout: which link, and where.")
@data_dir_option
def checkpoint(out: Path, as_json: bool, data_dir: Path | None) -> None:
    """Sign the chain's last link, after chaining what waits, and write it to OUT, which is to be kept elsewhere.

    `firstbell audit verify --checkpoints FOLDER` then finds a chain that was computed anew or cut short. The running
    system writes one each day into the folder FIRSTBELL_AUDIT_CHECKPOINTS.

    Exit status: 0 done, 1 failed, the message says why, 2 wrong usage.
    """
    log_quietly()
    settings = load_settings(IngestSettings, data_dir)

    async def sign() -> int | None:
        async with found_engine(settings, SERVICE) as (engine, _):
            await append_all(engine)
            return await write_checkpoint(engine, settings.audit_key, out)

    with failing():
        seq = asyncio.run(sign())
    if seq is None:
        raise CommandError("There is no entry yet, so there is nothing to sign.")
    if as_json:
        print_json({"seq": seq, "file": str(out)})
    else:
        click.echo(f"{out}: link {seq:,}, signed. Keep it on another machine.")


def document(found: Verified, *, ok: bool) -> dict[str, object]:
    """The document of `verify --json`."""
    return {
        "entries": found.entries,
        "unchained": found.unchained,
        "ok": ok,
        "first_bad": found.first_bad,
        "checkpoints": found.checkpoints,
    }


def describe(found: Verified, broken: Sequence[str]) -> Sequence[str]:
    """What was found, for people."""
    counts = f"{found.entries:,} entries, {found.unchained:,} not chained yet; checkpoints agreed: {found.checkpoints}"
    return [f"The audit is {'BROKEN' if broken else 'whole'}: {counts}.", *(f"  {line}" for line in broken)]


def _broken(found: Verified) -> list[str]:
    lines = []
    if found.first_bad is not None:
        lines.append(f"link {found.first_bad} is missing, or is not what was chained or signed")
    if found.stray:
        lines.append(f"entries that neither are chained nor wait for it: {found.stray}")
    return lines


async def _export(settings: IngestSettings, asked: Asked, out: Path) -> int:
    async with found_engine(settings, SERVICE) as (engine, url):
        await put_on_record(url, EXPORT, () if asked.student is None else (asked.student,))
        entries = 0
        with whole_file(out, mode=PRIVATE) as file:
            async for lines in export_pages(engine, asked):
                file.writelines(f"{line}\n".encode() for line in lines)
                entries += len(lines)
    return entries
