"""`firstbell outcomes`: the cases that people have closed, in the form of `outcomes.csv`."""

from __future__ import annotations

import asyncio
import csv
import io
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, get_args

import click
from pydantic import SecretStr

from services.cli.common import CommandError, data_dir_option, failing, find_kafka, load_settings, log_quietly
from services.cli.output import STDOUT, write_json
from services.contracts.cases import HOUSING_OUTCOMES, Outcome
from services.lab.labels import CASEWORK, ClosedCase, ClosedCases, closed_cases
from services.platform.embedded.endpoints import read_stack, stack_database
from services.platform.settings import Settings

COLUMNS: Final = ("student_id", "date", "kind")
IDENTIFIED: Final = "homelessness_identified"

Row = tuple[str, str, str]


@click.command()
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The file; it must not exist yet."
)
@click.option("--json", "json_target", metavar="OUT", help="Write the counts as JSON to OUT, `-` for stdout.")
@data_dir_option
def outcomes(out: Path, json_target: str | None, data_dir: Path | None) -> None:
    """Write what closed cases turned out to be as OUT, in the form of outcomes.csv, to learn from.

    Caseworkers close cases with an outcome; the last closing of a case counts. A family identified as homeless or in a
    housing crisis makes a row (student_id, date, kind homelessness_identified), and every other outcome none. Students
    whose consent is not in force now are left out, and counted. Closings are sealed: without a running stack
    FIRSTBELL_DATABASE must be casework's, and the master key at hand.

    Put the file beside the district's other files as outcomes.csv, or add its rows to the one that is there, and
    `firstbell retrain` on that folder learns from it. It names students by the district's ids: only its owner may read
    it (mode 0600), and it should not outlive its use.

    Exit status: 0 done, also without any row; 1 failed, the message says why; 2 wrong usage; 3 nothing is running, or
    Kafka does not answer.
    """
    log_quietly()
    settings = load_settings(Settings, data_dir)
    with failing():
        found = asyncio.run(closed_cases(_pointed(settings, data_dir)))
    rows = outcome_rows(found.cases)
    _write(out, as_csv(rows))
    if json_target != STDOUT:
        click.echo("\n".join(describe(found, len(rows), out)))
    if json_target is not None:
        write_json(document(found, len(rows)), json_target)


def outcome_rows(cases: Iterable[ClosedCase]) -> list[Row]:
    """The rows of `outcomes.csv`: who was identified on which day, each once, by student and date."""
    return sorted(
        {(case.student_id, case.date.isoformat(), IDENTIFIED) for case in cases if case.outcome in HOUSING_OUTCOMES}
    )


def as_csv(rows: Iterable[Row]) -> str:
    """The file's text."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(rows)
    return out.getvalue()


def document(found: ClosedCases, rows: int) -> dict[str, object]:
    """The document of `--json`: rows written, closed cases by outcome, and what was left out."""
    return {
        "rows": rows,
        "closed": len(found.cases),
        "outcomes": _by_outcome(found),
        "without_consent": found.without_consent,
        "erased": found.erased,
        "unreadable": found.unreadable,
    }


def describe(found: ClosedCases, rows: int, out: Path) -> Sequence[str]:
    """The counts for people."""
    lines = [f"Rows in {out}: {rows:,}. Closed cases of consented students: {len(found.cases):,}."]
    lines += [f"  {name.replace('_', ' '):<24}{count:>7,}" for name, count in _by_outcome(found).items()]
    if found.without_consent:
        lines.append(f"Left out, since no consent is in force: {found.without_consent:,}.")
    if found.erased:
        lines.append(f"Left out, since they were erased with their students: {found.erased:,} records.")
    if found.unreadable:
        lines.append(f"Left out, since this version cannot read the record: {found.unreadable:,}.")
    return lines


def _by_outcome(found: ClosedCases) -> dict[str, int]:
    counts = found.outcomes()
    return {name: counts[name] for name in get_args(Outcome)}


def _pointed(settings: Settings, data_dir: Path | None) -> Settings:
    """The settings with the Kafka and the database that the command is about, found as `find_kafka` does."""
    kafka = find_kafka(settings, data_dir=data_dir)
    stack = read_stack(settings.data_dir)
    if stack is None or stack.kafka != kafka:
        return settings
    return settings.model_copy(update={"kafka": kafka, "database": SecretStr(stack_database(stack, CASEWORK))})


def _write(path: Path, text: str) -> None:
    """Write a new file that only its owner may read, whole or not at all; one that is there is kept."""
    draft = path.with_name(f"{path.name}.part")
    try:
        draft.unlink(missing_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
                file.write(text)
            os.link(draft, path)
        finally:
            draft.unlink()
    except FileExistsError as error:
        raise CommandError(f"{path} is there already. Choose another name with --out, or remove it.") from error
    except OSError as error:
        raise CommandError(f"Cannot write {path}: {error.strerror}. Choose another place with --out.") from error
