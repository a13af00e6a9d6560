"""`firstbell equity`: whether false alerts fall evenly on groups of students."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click
from pydantic import SecretStr

from services.cli.common import data_dir_option, failing, find_kafka, load_settings, log_quietly
from services.cli.database import found_databases
from services.cli.on_record import put_on_record
from services.cli.output import STDOUT, write_json
from services.ingest.intake import SERVICE
from services.ingest.settings import IngestSettings
from services.ingest.store import agreements
from services.ingest.store.demographics import described_among
from services.lab.equity import GroupFigures, of_cases, of_counts
from services.lab.labels import CASEWORK, closed_cases
from services.platform.database import make_engine
from services.platform.erasure.copies import require_whole

ACTION: Final = "equity"


@click.command()
@click.option("--live", is_flag=True, help="Of the running system's closed cases.")
@click.option(
    "--counts",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="In their place counts of the district: group, value, students, false_alerts; small ones empty.",
)
@click.option("--small-cell", type=click.IntRange(min=1), default=10, show_default=True, help="Of --counts.")
@click.option("--json", "json_target", metavar="OUT", help="Write it as JSON to OUT, `-` for stdout.")
@data_dir_option
def equity(*, live: bool, counts: Path | None, small_cell: int, json_target: str | None, data_dir: Path | None) -> None:
    """Say whether false alerts fall evenly on groups: gender, race and ethnicity, English learners, special education.

    Of the students whose cases were judged, the share in each group whose cases all were closed as none (not_homeless),
    with Wilson's 90% interval, and the widest gap between two values. A case that nobody could judge counts nowhere.

    Groups come from the demographics of students whose consent covers them; all others are `unknown`. Values of fewer
    students than the agreement's small_cell are not shown, nor those by which they could be found. Where nobody
    consented to demographics the district may count for itself and give --counts. Race, gender, language and
    disability measure the alerts: they never make one. Live, the look is put on record first (`firstbell audit`).

    Exit status: 0 done; 1 failed, the message says why; 2 wrong usage; 3 nothing is running.
    """
    if live == (counts is not None):
        raise click.UsageError("Give --live, or --counts FILE.")
    log_quietly()
    with failing():
        if counts is not None:
            found = of_counts(counts, small_cell)
        else:
            settings = load_settings(IngestSettings, data_dir)
            found = asyncio.run(_of_system(settings, find_kafka(settings, data_dir=data_dir)))
    if json_target != STDOUT:
        click.echo("\n".join([*([] if counts is not None else [_judged(found)]), *_lines(found)]))
    if json_target is not None:
        write_json(found.document(), json_target)


async def _of_system(settings: IngestSettings, kafka: str) -> GroupFigures:
    async with found_databases(settings, SERVICE, CASEWORK) as (ingest, casework):
        pointed = settings.model_copy(update={"kafka": kafka, "database": SecretStr(casework)})
        engine = make_engine(ingest, service=SERVICE, pool_size=1)
        try:
            async with engine.connect() as connection:
                await require_whole(connection, settings.ledger_file)
                agreement = await agreements.required(connection)
            await put_on_record(ingest, ACTION, [])
            closed = await closed_cases(pointed)
            async with engine.connect() as connection:
                groups = await described_among(connection, {case.student_id for case in closed.cases})
        finally:
            await engine.dispose()
    return of_cases(closed.cases, groups, agreement.small_cell)


def _judged(found: GroupFigures) -> str:
    if found.students == 0:
        return "No case was judged yet."
    students = f"fewer than {found.small_cell}" if found.students is None else f"{found.students:,}"
    return f"Students whose cases were judged: {students}."


def _lines(found: GroupFigures) -> Iterator[str]:
    document = found.document()
    gaps = document["widest_gap"]
    for group, cells in found.groups.items():
        if not cells:
            continue
        yield f"{group.replace('_', ' ')}"
        for value, cell in cells.items():
            name = value or "unknown"
            if cell.rate is None or cell.interval is None:
                yield f"  {name:<32} not shown"
            else:
                low, high = cell.interval
                yield f"  {name:<32} {cell.rate:>6.1%} of {cell.students:,} false ({low:.1%} to {high:.1%})"
        gap = gaps[group] if isinstance(gaps, dict) else None
        if gap is not None:
            yield f"  widest gap {gap * 100:.1f} points"
