"""`python -m benchmarks.mails`: what a mail costs notify, from the alert in Kafka to the mail server's 250.

The real process on an embedded Kafka, PostgreSQL and mail sink: its whole CPU is counted, its clients' idling too.
`burst` is all alerts at once, `lots` a few at a time, `singly` one: each is mailed before the next. The peer is plain
aiosmtplib, which sends the very mails again over one connection and knows no outbox, no consent and no retry. Progress
is on stderr, the table on stdout. Exit statuses: 0 measured, 1 when a process failed, 130 when it was interrupted.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Final, TypedDict

import click
from sqlalchemy.ext.asyncio import AsyncEngine

from benchmarks.mailing import kept_mails, mail_alerts, send_plainly
from benchmarks.report import Machine, describe_machine
from services.cli.common import failing, log_quietly
from services.ingest.agreement.document import assumed
from services.ingest.agreement.folder import AGENCY, PURPOSE
from services.ingest.agreement.standing import apply_agreement
from services.platform.database import make_engine
from services.platform.embedded.endpoints import Stack
from services.platform.embedded.stack import running_stack
from services.platform.settings import Settings
from services.platform.signals import until_stopped
from services.registry import SERVICES

MAILS: Final = 2_000
AT_ONCE: Final = 8
"""About what a day of a demo with 2,000 students brings."""
WARM_UP: Final = 50
SINGLY: Final = 10
"""One in so many of the mails comes alone."""
OURS: Final = ("burst", "lots", "singly")
AIM_MS: Final = 3.0
INTERRUPTED: Final = 130

Figures = dict[str, float]
"""Milliseconds of CPU a mail, by what was measured."""


class Report(TypedDict):
    """The JSON document: medians over the rounds, and how many times the peer's CPU ours takes."""

    mails: int
    cpu_ms_per_mail: Figures
    ratios: Figures
    rounds: list[Figures]
    machine: Machine


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--json", "out", type=click.Path(path_type=Path, dir_okay=False), help="Write the document here.")
@click.option("--rounds", default=3, show_default=True, type=click.IntRange(1), help="Three or more for a figure.")
@click.option("--mails", default=MAILS, show_default=True, type=click.IntRange(WARM_UP), help="In each round's burst.")
@click.option("--at-once", default=AT_ONCE, show_default=True, type=click.IntRange(1), help="Alerts in one of `lots`.")
def main(out: Path | None, rounds: int, mails: int, at_once: int) -> None:
    """Measure milliseconds of CPU a mail: notify's, in one burst, in lots and singly, and plain aiosmtplib's."""
    log_quietly()
    with failing():
        report = asyncio.run(until_stopped(_run(rounds, mails, at_once)))
    if report is None:
        sys.exit(INTERRUPTED)
    if out is not None:
        out.write_text(json.dumps(report, indent=1) + "\n")
    click.echo(table(report))


async def _run(rounds: int, mails: int, at_once: int) -> Report:
    machine = describe_machine()
    _say("Starting Kafka, PostgreSQL, the mail sink and notify in a temporary folder")
    with tempfile.TemporaryDirectory(prefix="firstbell-benchmark-", ignore_cleanup_errors=True) as name:
        settings = Settings(data_dir=Path(name), kafka=None, database=None, smtp=None)
        async with running_stack(settings, SERVICES, run={"notify"}, say=_say) as stack:
            await apply_agreement(stack.database, assumed(AGENCY, PURPOSE))
            engine = make_engine(stack.database)
            try:
                await mail_alerts(stack, engine, WARM_UP, WARM_UP)
                done = [await _round(stack, engine, mails, at_once, number + 1) for number in range(rounds)]
            finally:
                await engine.dispose()
    return make_report(mails, done, machine)


async def _round(stack: Stack, engine: AsyncEngine, mails: int, at_once: int, number: int) -> Figures:
    if stack.mail_dir is None:
        raise LookupError("the mails are kept by an embedded sink")
    figures = {
        "burst": await mail_alerts(stack, engine, mails, mails),
        "lots": await mail_alerts(stack, engine, max(at_once, mails // 4), at_once),
        "singly": await mail_alerts(stack, engine, mails // SINGLY, 1),
        "aiosmtplib": await send_plainly(stack.smtp, kept_mails(stack.mail_dir, mails)),
    }
    _say(f"round {number}: " + ", ".join(f"{name} {ms:.2f} ms" for name, ms in figures.items()))
    return figures


def make_report(mails: int, rounds: list[Figures], machine: Machine) -> Report:
    """Medians over the rounds; a ratio is ours by the peer's."""
    medians = {name: median(one[name] for one in rounds) for name in rounds[0]}
    ratios = {name: medians[name] / medians["aiosmtplib"] for name in OURS}
    return Report(mails=mails, cpu_ms_per_mail=medians, ratios=ratios, rounds=rounds, machine=machine)


def table(report: Report) -> str:
    """For people: what was measured a line, and how many times the peer's CPU it is."""
    lines = [f"{'':<12} {'ms of CPU a mail':>17} {'of aiosmtplib':>14} {'aim':>6}"]
    for name, ms in report["cpu_ms_per_mail"].items():
        ratio = report["ratios"].get(name)
        shown = f"{ratio:.1f} times" if ratio else ""
        lines.append(f"{name:<12} {ms:>17.2f} {shown:>14} {f'≤{AIM_MS:g}' if ratio else '':>6}".rstrip())
    return "\n".join(lines)


def _say(line: str) -> None:
    click.echo(line, err=True)


if __name__ == "__main__":
    main()
