"""`firstbell withdraw`: a consent ends, and what was held under it goes."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

import click
from sqlalchemy.ext.asyncio import AsyncEngine

from services.cli.common import (
    CommandError,
    data_dir_option,
    failing,
    load_settings,
    log_quietly,
    nothing_runs,
    print_json,
)
from services.cli.database import answering, running
from services.cli.on_record import put_on_record
from services.cli.output import progress_bar, say
from services.cli.proof_lines import EXIT_PENDING, WAIT_SECONDS, describe_all
from services.ingest.agreement.document import FeedId
from services.ingest.intake import SERVICE, Intake
from services.ingest.patience import Patience
from services.ingest.proofs.queries import feeds_of, proofs_of
from services.ingest.proofs.schemas import Proof
from services.ingest.rows.outcomes import Outcome
from services.ingest.rows.parse import ConsentRow, RowError, parse_consent
from services.ingest.settings import IngestSettings
from services.ingest.store.withdrawing import agreements_of, counts_still, pseudonyms_of, recipients_of
from services.platform.database import make_engine
from services.platform.errors import NotRunningError
from services.platform.processes import poll
from services.registry import SERVICES

ACTION: Final = "withdraw"
LOOK_SECONDS: Final = 0.2
PATIENCE_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """What a withdrawal came to."""

    on: date
    agreements: Sequence[str]
    outcomes: Sequence[Outcome]
    """Of each agreement."""
    proofs: Sequence[Proof]
    feeds: Mapping[UUID, FeedId]
    """What was erased of, by the proofs' ids."""
    is_to_come: bool
    """Whether the day lies ahead."""

    def document(self) -> dict[str, object]:
        """The document of `--json`."""
        told = zip(self.agreements, self.outcomes, strict=True)
        return {
            "on": self.on.isoformat(),
            "outcomes": [{"agreement": name, "status": one.status, "reason": one.reason} for name, one in told],
            "proofs": [one.model_dump(mode="json") for one in self.proofs],
        }


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the command was given."""

    student_id: str
    recipient: str | None
    on: date | None
    agreement: str | None
    wait: bool

    def row(self, agreement: str, on: date) -> ConsentRow:
        """As an entry of POST /v1/consents; raises `CommandError`."""
        row = parse_consent(
            {
                "student_id": self.student_id,
                "agreement_id": agreement,
                "recipients": [self.recipient] if self.recipient else [],
                "revoked_on": on.isoformat(),
            }
        )
        if isinstance(row, RowError):
            raise CommandError(row.reason)
        return row


@click.command()
@click.argument("student_id")
@click.option("--recipient", metavar="ID", help="End it for this recipient alone.  [default: for all]")
@click.option(
    "--on",
    "day",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DATE",
    help="The first day without it: a consent signed before never counts again.  [default: the system's today]",
)
@click.option(
    "--agreement",
    "agreement",
    metavar="ID",
    help="The agreement of the consent.  [default: those of the student's consents, in force and to come]",
)
@click.option("--no-wait", is_flag=True, help="Do not wait until every service has confirmed that nothing is left.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout: the outcomes and the proofs.")
@data_dir_option
def withdraw(
    *,
    student_id: str,
    recipient: str | None,
    day: datetime | None,
    agreement: str | None,
    no_wait: bool,
    as_json: bool,
    data_dir: Path | None,
) -> None:
    """Withdraw the consent of the student whose id the district has as STUDENT_ID.

    It is the same as POST /v1/consents with revoked_on. Nobody is shown anything of the student from this moment on.
    The key by which everything was sealed is deleted; every service removes what it holds, ends open alerts and cancels
    mails, and confirms it. What remains is a proof without a name for each recipient and kind of records (`firstbell
    proofs`), and an entry by which the same consent never counts again: one that is signed anew later does. While an
    inspection is open the deletion waits (`held`).

    The running system takes it; it waits up to 30 seconds for the confirmations. To withdraw twice changes nothing.

    Exit status: 0 withdrawn, and confirmed by every service, held, or nothing was kept; with --no-wait: withdrawn; 1
    failed or refused, the message says why; 2 wrong usage; 3 nothing runs; 4 withdrawn, and some service has not
    confirmed yet: it goes on by itself.
    """
    log_quietly()
    settings = load_settings(IngestSettings, data_dir)
    asked = _Asked(student_id, recipient, day and day.date(), agreement, wait=not no_wait)
    with failing():
        pointed = running(settings, SERVICE)
        if pointed is None:
            raise NotRunningError(nothing_runs(settings.data_dir))
        done = asyncio.run(_withdraw(pointed, asked))
    if as_json:
        print_json(done.document())
    else:
        click.echo("\n".join(describe(done)))
    if refused := [one for one in done.outcomes if one.status == "rejected"]:
        raise CommandError(f"It was refused: {refused[0].reason}")
    if not no_wait and any(one.state == "pending" for one in done.proofs):
        say("Not every service has confirmed yet: `firstbell doctor` says whether one is behind.")
        sys.exit(EXIT_PENDING)


def describe(done: Withdrawn) -> Sequence[str]:
    """What it came to, for people."""
    told = zip(done.agreements, done.outcomes, strict=True)
    lines = [f"{name}: {one.status}{f' ({one.reason})' if one.reason else ''}" for name, one in told]
    if done.proofs:
        lines += describe_all(done.proofs, done.feeds)
        lines.append("Follow them with `firstbell proofs ID`; `firstbell erasure verify PSEUDONYM` reads the log.")
    elif done.is_to_come:
        lines.append(f"It takes effect on {done.on}; the proofs come then, see `firstbell proofs`.")
    else:
        lines.append("Nothing was held that ends with it; proofs of earlier withdrawals: `firstbell proofs`.")
    return lines


async def _withdraw(settings: IngestSettings, asked: _Asked) -> Withdrawn:
    url = settings.require_database()
    engine = make_engine(url, service=SERVICE, pool_size=1)
    try:
        async with Intake.open(settings, Patience(PATIENCE_SECONDS, say)) as intake:
            await intake.start()
            today = await intake.today()
            on = asked.on or today
            with answering():
                async with engine.connect() as connection:
                    feeds = await pseudonyms_of(connection, asked.student_id)
                    meant = await agreements_of(connection, asked.student_id)
                    known = await recipients_of(connection, asked.student_id)
            if asked.recipient is not None and asked.recipient not in known:
                raise CommandError(
                    "--recipient: no agreement and no consent of this student names it, so nothing was withdrawn. "
                    f"Known are {', '.join(sorted(known)) or 'none'}."
                )
            named = [asked.agreement] if asked.agreement else meant
            if not named:
                raise CommandError(
                    "No agreement is in force, and no consent of this student is kept. Say which agreement's is "
                    "withdrawn: --agreement."
                )
            outcomes = await intake.take_consents([asked.row(name, on) for name in named])
            with answering():
                async with engine.connect() as connection:
                    still = await counts_still(connection, asked.student_id, asked.recipient, named, on)
            if still:
                raise CommandError(
                    f"It had been withdrawn on {on} before, and a consent that was signed on that very day was handed "
                    f"in since: that one counts. To withdraw it too say --on {on + timedelta(days=1)}."
                )
        with answering():
            proofs = await follow(engine, feeds, seconds=WAIT_SECONDS if asked.wait else 0)
            async with engine.connect() as connection:
                of = await feeds_of(connection, proofs)
        if proofs:
            await put_on_record(url, ACTION, (one.pseudonym for one in proofs))
    finally:
        await engine.dispose()
    return Withdrawn(on, named, outcomes, proofs, of, is_to_come=on > today)


async def follow(engine: AsyncEngine, feeds: Sequence[str], *, seconds: float) -> Sequence[Proof]:
    """The proofs of these feeds, as soon as none is pending any more, or after so many seconds."""
    found: Sequence[Proof] = ()
    with progress_bar() as progress:
        task = progress.add_task("Services confirm", total=len(SERVICES))

        async def look() -> bool:
            nonlocal found
            async with engine.connect() as connection:
                found = await proofs_of(connection, feeds)
            confirmed = sum(len(one.confirmed) for one in found)
            progress.update(task, completed=confirmed, total=len(found) * len(SERVICES))
            return all(one.state != "pending" for one in found)

        await poll(look, deadline=seconds, interval=LOOK_SECONDS)
    return found
