"""`firstbell inspections`: which parents have asked to see a record, what they ask to correct, and what is due."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Final
from uuid import UUID

import click
from sqlalchemy.ext.asyncio import AsyncConnection

from services.cli.common import CommandError, data_dir_option, failing, load_settings, log_quietly, print_json
from services.cli.database import found_engine
from services.cli.on_record import put_on_record, who
from services.ingest.erasure.erase import release
from services.ingest.inspection import corrections, opened
from services.ingest.inspection.corrections import Decision
from services.ingest.inspection.opened import Countdown
from services.ingest.intake import SERVICE
from services.ingest.settings import IngestSettings

CORRECTION: Final = "correction"
MOST_CHARACTERS: Final = 10_000


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="A JSON array on stdout, the open ones first.")
@data_dir_option
@click.pass_context
def inspections(context: click.Context, as_json: bool, data_dir: Path | None) -> None:
    """List inspections, by what is due next, with the days that are left to show the record; none names anybody.

    `firstbell inspect` opens one when a parent asks to see a child's record: it must be shown within 45 days (34 CFR
    99.10). While it is open nothing of the child is destroyed. `close` ends it, and does the deletions that waited.
    `correct` and `decide` keep what a parent asks to correct (34 CFR 99.20), and what came of it.

    Exit status: 0 done, also when there is none or one is overdue; 1 failed, the message says why; 2 wrong usage.
    """
    if context.invoked_subcommand is not None:
        return
    log_quietly()
    with failing():
        found = asyncio.run(_list(load_settings(IngestSettings, data_dir)))
    if as_json:
        print_json([document(one) for one in found])
    else:
        click.echo("\n".join(describe(found)))


@inspections.command()
@click.argument("number", type=click.INT)
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout: what was released by it.")
@data_dir_option
def close(number: int, as_json: bool, data_dir: Path | None) -> None:
    """Close the inspection of this NUMBER: the record was shown. Deletions that waited for it are done now.

    Exit status: 0 done; 1 failed, or there is no open one of this number; 2 wrong usage.
    """
    log_quietly()
    with failing():
        released = asyncio.run(_close(load_settings(IngestSettings, data_dir), number))
    if as_json:
        print_json({"id": number, "released": [str(one) for one in released]})
    else:
        click.echo(f"Inspection {number} is closed. Deletions that waited for it and are done now: {len(released)}.")
        for one in released:
            click.echo(f"  firstbell proofs {one}")


@inspections.command()
@click.argument("student_id")
@click.option("--statement", metavar="TEXT", help="What the parent says, in the parent's words.")
@click.option(
    "--file", "file", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="A text file with it, UTF-8."
)
@click.option(
    "--about",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DATE",
    help="The day that it is about.  [default: the whole record]",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout: the request's number.")
@data_dir_option
def correct(
    student_id: str,
    statement: str | None,
    file: Path | None,
    about: datetime | None,
    as_json: bool,
    data_dir: Path | None,
) -> None:
    """Keep a parent's request to correct the record of the student whom the district knows as STUDENT_ID.

    The statement is kept beside the record and shown with it: in `firstbell inspect`, and to whoever is shown the
    student's window. It is deleted with the record. What is corrected in fact comes with the school's next export or
    message; `decide` says what was decided.

    Exit status: 0 done; 1 failed, or nothing is kept of such a student; 2 wrong usage.
    """
    log_quietly()
    words = _statement(statement, file)
    with failing():
        number = asyncio.run(_ask(load_settings(IngestSettings, data_dir), student_id, words, about))
    if as_json:
        print_json({"number": number})
    else:
        click.echo(f"Kept as request {number}. When it is decided: firstbell inspections decide {number} ...")


@inspections.command()
@click.argument("number", type=click.INT)
@click.option("--amended", "decision", flag_value="amended", help="The record was corrected.")
@click.option("--refused", "decision", flag_value="refused", help="The record stays; the statement stays with it.")
@click.option("--note", metavar="TEXT", help="Why, in words that the parent reads.")
@data_dir_option
def decide(number: int, decision: Decision | None, note: str | None, data_dir: Path | None) -> None:
    """Say what was decided of the request of this NUMBER: --amended or --refused. The last word counts.

    Exit status: 0 done; 1 failed, or there is no request of this number; 2 wrong usage.
    """
    log_quietly()
    if decision is None:
        raise click.UsageError("Say --amended or --refused.")
    _require_text(note or "", "--note")
    with failing():
        asyncio.run(_decide(load_settings(IngestSettings, data_dir), number, decision, note))
    click.echo(f"Request {number}: {decision}.")


def document(one: Countdown) -> dict[str, object]:
    """An element of `--json`."""
    inspection = one.inspection
    return {
        "id": inspection.id,
        "state": "closed" if inspection.closed_on else "overdue" if one.is_overdue else "open",
        "days_left": None if inspection.closed_on else one.days_left,
        "opened_on": inspection.opened_on.isoformat(),
        "opened_by": inspection.opened_by,
        "due_on": inspection.due_on.isoformat(),
        "closed_on": inspection.closed_on and inspection.closed_on.isoformat(),
        "closed_by": inspection.closed_by,
    }


def describe(found: Sequence[Countdown]) -> Sequence[str]:
    """A line each, for people."""
    return [_line(one) for one in found] or [
        "There is no inspection. `firstbell inspect STUDENT_ID --out FILE` opens one."
    ]


def _line(one: Countdown) -> str:
    inspection = one.inspection
    asked = f"Inspection {inspection.id}, asked for on {inspection.opened_on}"
    if inspection.closed_on is not None:
        return f"{asked}: closed on {inspection.closed_on} by {inspection.closed_by}"
    if one.is_overdue:
        return f"{asked}: OVERDUE by {_days(-one.days_left)}, was to be shown by {inspection.due_on}"
    return f"{asked}: {_days(one.days_left)} left, to be shown by {inspection.due_on}"


def _days(number: int) -> str:
    return "1 day" if number == 1 else f"{number} days"


def _statement(given: str | None, file: Path | None) -> str:
    if (given is None) == (file is None):
        raise click.UsageError("Say what the parent says with --statement TEXT or --file FILE.")
    try:
        words = given if file is None else file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise click.BadParameter("it is not text in UTF-8", param_hint="--file") from error
    words = (words or "").strip()
    _require_text(words, "--statement" if file is None else "--file")
    if not words:
        raise click.UsageError("The statement is empty.")
    return words


def _require_text(words: str, option: str) -> None:
    if len(words) > MOST_CHARACTERS or not all(one.isprintable() or one in "\n\t" for one in words):
        raise click.BadParameter(f"at most {MOST_CHARACTERS:,} printable characters, and lines", param_hint=option)


async def _list(settings: IngestSettings) -> list[Countdown]:
    async with _begun(settings) as (connection, _):
        return await opened.all_of_them(connection)


async def _close(settings: IngestSettings, number: int) -> list[UUID]:
    async with _begun(settings) as (connection, _):
        student = await opened.close(connection, number, who())
        if student is None:
            known = await opened.is_known(connection, number)
            raise CommandError(
                f"Inspection {number} is closed already."
                if known
                else f"There is no inspection {number}. `firstbell inspections` lists all."
            )
        return await release(connection, student)


async def _ask(settings: IngestSettings, student_id: str, statement: str, about: datetime | None) -> int:
    async with _begun(settings) as (connection, url):
        number = await corrections.ask(connection, student_id, statement, about and about.date())
        if number is None:
            raise CommandError("Nothing is kept of a student of this id, so there is nothing to correct.")
        await put_on_record(url, CORRECTION, await corrections.pseudonyms_of(connection, number))
        return number


async def _decide(settings: IngestSettings, number: int, decision: Decision, note: str | None) -> None:
    async with _begun(settings) as (connection, url):
        if not await corrections.decide(connection, number, decision, note):
            raise CommandError(f"There is no request {number}. It may have gone with the record that it was about.")
        await put_on_record(url, CORRECTION, await corrections.pseudonyms_of(connection, number))


@asynccontextmanager
async def _begun(settings: IngestSettings) -> AsyncIterator[tuple[AsyncConnection, str]]:
    """A transaction on the database that the command is about, and its URL."""
    async with found_engine(settings, SERVICE) as (engine, url), engine.begin() as connection:
        yield connection, url
