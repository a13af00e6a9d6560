"""`firstbell destroy`: what is kept of one student, or under an agreement, is destroyed, with a receipt."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from uuid import UUID

import click
from sqlalchemy.ext.asyncio import AsyncEngine

from services.cli.common import CommandError, data_dir_option, failing, load_settings, log_quietly, print_json
from services.cli.database import found_engine
from services.cli.on_record import who
from services.cli.output import say
from services.cli.proof_lines import EXIT_PENDING, WAIT_SECONDS
from services.cli.pseudonyms import pseudonymizer
from services.ingest.erasure import receipts
from services.ingest.erasure.destruction import COMMAND, Whom, destroy_agreement, destroy_student
from services.ingest.erasure.receipts import DestructionReceipt
from services.ingest.intake import SERVICE
from services.ingest.settings import IngestSettings
from services.ingest.store import agreements, students
from services.platform.embedded.endpoints import read_stack
from services.platform.erasure.copies import require_whole
from services.platform.processes import poll

NOTHING: Final = "Nothing is kept of a student of this id that does not wait for an inspection already."


@click.command()
@click.option("--student", "student_id", metavar="ID", help="All that is kept of the student of this district's id.")
@click.option("--agreement", metavar="ID", help="All that is kept because of consents to this agreement.")
@click.option("--yes", is_flag=True, help="Do it. Without, it says what it would do.")
@click.option("--receipts", "listed", is_flag=True, help="List the receipts, the latest first, and destroy nothing.")
@click.option("--json", "as_json", is_flag=True, help="JSON on stdout: the receipt; an array with --receipts.")
@data_dir_option
def destroy(
    *,
    student_id: str | None,
    agreement: str | None,
    yes: bool,
    listed: bool,
    as_json: bool,
    data_dir: Path | None,
) -> None:
    """Destroy all that is kept of one student, or under an agreement, in every form, and print a receipt.

    All access ends at once, the keys are deleted, every service removes what it holds and confirms it; no consent to
    the agreement that was signed before today counts again. What a parent is inspecting is destroyed when that is
    closed: the receipt says of how many it waits. Students who have consented to another agreement that is in force
    are kept for that one. Numbers of whole schools stay; nobody is named in them.

    The running system does the same by itself on the day `destroy_by` of an agreement's newest version.

    The receipt says what was destroyed and how many of it, where, when, by whom and under which clause. It is kept.

    Exit status: 0 destroyed, and confirmed by every service, or held; also with --receipts; 1 failed, the message says
    why; 2 wrong usage, or no --yes; 4 destroyed, and some service has not confirmed yet: it goes on by itself.
    """
    log_quietly()
    if (student_id is not None) + (agreement is not None) + listed != 1:
        raise click.UsageError("Say one of --student ID, --agreement ID and --receipts.")
    settings = load_settings(IngestSettings, data_dir)
    with failing():
        found = asyncio.run(_destroy(settings, student_id, agreement, yes=yes))
    if found is None:
        sys.exit(2)
    if listed:
        _show_all(found, as_json=as_json)
        return
    (receipt,) = found
    if as_json:
        print_json(receipt.model_dump(mode="json"))
    else:
        click.echo("\n".join(describe(receipt)))
    if receipt.state == "pending":
        say("Not every service has confirmed yet: it goes on when the system runs. See `firstbell proofs`.")
        sys.exit(EXIT_PENDING)


def describe(receipt: DestructionReceipt) -> Sequence[str]:
    """The receipt, for people."""
    lines = [
        f"Receipt {receipt.id}: {receipt.state}",
        f"  under     {receipt.clause}",
        f"  by        {receipt.by}",
        f"  when      {receipt.begun_at:%Y-%m-%d %H:%M:%S} UTC",
        f"  students  {receipt.students:,}",
        f"  where     {', '.join(receipt.where) or 'nowhere: nothing was kept'}",
    ]
    lines += [f"  {number:>9,} {place}" for place, number in receipt.what.items()]
    if receipt.before:
        lines.append(f"  erased before, as consents ended: {receipt.before:,} feeds (`firstbell proofs`)")
    if receipt.held:
        lines.append(f"  waits for inspections to be closed: {receipt.held:,}; nobody is shown anything of them")
    return [*lines, f"  {receipt.kept}"]


def _show_all(found: Sequence[DestructionReceipt], *, as_json: bool) -> None:
    if as_json:
        print_json([one.model_dump(mode="json") for one in found])
    else:
        click.echo("\n".join(line for one in found for line in describe(one)) or "There is no receipt.")


async def _destroy(
    settings: IngestSettings, student_id: str | None, agreement: str | None, *, yes: bool
) -> list[DestructionReceipt] | None:
    """The receipts; None when it was only said what would be done."""
    async with found_engine(settings, SERVICE) as (engine, _):
        if student_id is None and agreement is None:
            async with engine.connect() as connection:
                return await receipts.receipts(connection)
        if not yes:
            say(await _planned(engine, student_id, agreement))
            return None
        done = await _do(settings, engine, student_id, agreement)
        return [await _confirmed(engine, done, wait=read_stack(settings.data_dir) is not None)]


async def _planned(engine: AsyncEngine, student_id: str | None, agreement: str | None) -> str:
    async with engine.begin() as connection:
        if student_id is not None:
            feeds = len(await students.lock_every_feed(connection, student_id))
            if not feeds:
                raise CommandError(NOTHING)
            return f"All that is kept of the student would be destroyed (feeds: {feeds}). Say --yes to do it."
        heads, feeds = await students.count_under(connection, str(agreement))
        return (
            f"All that is kept under it would be destroyed (students: {heads:,}, feeds: {feeds:,}). Say --yes to do it."
        )


async def _do(settings: IngestSettings, engine: AsyncEngine, student_id: str | None, agreement: str | None) -> UUID:
    names, whom = pseudonymizer(settings), Whom(who(), "steward", COMMAND)
    async with engine.connect() as connection:
        await require_whole(connection, settings.ledger_file)
    if student_id is not None:
        done = await destroy_student(engine, names, student_id, whom)
        if done is None:
            raise CommandError(NOTHING)
        return done
    async with engine.connect() as connection:
        known = await agreements.newest(connection, str(agreement))
    if known is None:
        raise CommandError(f"There never was an agreement {agreement}. See `firstbell agreement show`.")
    return await destroy_agreement(engine, names, known, whom)


async def _confirmed(engine: AsyncEngine, done: UUID, *, wait: bool) -> DestructionReceipt:
    """The receipt, when every service has confirmed or at the end of the wait."""

    async def look() -> DestructionReceipt:
        async with engine.connect() as connection:
            return await receipts.receipt(connection, done)

    async def is_over() -> bool:
        return (await look()).state != "pending"

    if wait:
        await poll(is_over, deadline=WAIT_SECONDS, interval=0.2)
    return await look()
