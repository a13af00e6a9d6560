"""`firstbell doctor`: is everything there and as it should be?"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click

from services.cli.agreement_check import check_agreement
from services.cli.audit_check import check_audit
from services.cli.common import data_dir_option, load_settings, log_quietly, print_json
from services.cli.consents_check import check_consents
from services.cli.erasure_check import check_erasure
from services.cli.model_check import check_model
from services.ingest.settings import IngestSettings
from services.platform.checks import CheckResult, run_checks
from services.platform.checks.target import find_target
from services.platform.embedded.endpoints import read_stack
from services.registry import SERVICES

COLORS = {"ok": "green", "failed": "red", "skipped": "yellow"}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@data_dir_option
@click.pass_context
def doctor(context: click.Context, as_json: bool, data_dir: Path | None) -> None:
    """Check Java, Kafka and its topics, database and migrations, SMTP, services, and what they keep.

    That is: agreement, consents to be renewed, audit, master key, erasures that are not confirmed, risk model, data.

    What is not running is skipped, and said. Nothing is changed.

    Exit status: 0 when nothing failed, 1 when something did, with a hint for each.
    """
    log_quietly()
    settings = load_settings(IngestSettings, data_dir)
    target = find_target(settings, read_stack(settings.data_dir), SERVICES, key_file=settings.key_file)
    of_ours = [check_agreement, check_consents, check_audit, check_erasure(settings), check_model]
    results = asyncio.run(run_checks(target, of_ours))
    if as_json:
        print_json(doctor_document(results))
    else:
        _print(results)
    context.exit(0 if no_failure(results) else 1)


def no_failure(results: Sequence[CheckResult]) -> bool:
    """True when no check failed; a skipped one has not."""
    return all(result.status != "failed" for result in results)


def doctor_document(results: Sequence[CheckResult]) -> dict[str, object]:
    """The document of `--json`."""
    return {"ok": no_failure(results), "checks": [asdict(result) for result in results]}


def summary(results: Sequence[CheckResult]) -> str:
    """The last line for people."""
    counts = {status: sum(result.status == status for result in results) for status in COLORS}
    said = ", ".join(f"{count} {status}" for status, count in counts.items() if count)
    if counts["failed"]:
        return f"Something is wrong: {said}."
    return f"{'Nothing failed' if counts['skipped'] else 'All is well'}: {said}."


def _print(results: Sequence[CheckResult]) -> None:
    for result in results:
        status = click.style(f"{result.status:8}", fg=COLORS[result.status])
        click.echo(f"{status} {result.name:14} {result.detail}")
        if result.hint is not None:
            click.echo(f"{'':8} {'':14} -> {result.hint}")
    click.echo(summary(results))
