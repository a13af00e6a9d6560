"""`python -m benchmarks.stream`: marks a second of our worker and of others, on the same marks and broker.

Each round measures every engine once, in another order each time; the figures are medians. Plain Faust is so slow that
it reads fewer marks, from a topic of its own; its figure is marks a second all the same. Progress is on stderr, the
table on stdout. Exit statuses: 0 measured, 1 when our own worker has no figure, 130 when it was interrupted.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Final

import click
from aiokafka.errors import KafkaError
from httpx import HTTPError

from benchmarks.broker import Ground, running_broker
from benchmarks.command import CONTEXT, json_option, model_option, rounds_option, say, write_document
from benchmarks.marks import DAYS, PARTITIONS, STUDENTS, make_year
from benchmarks.publish import BATCHED, FEW, SINGLE, publish_for_others
from benchmarks.report import Report, Round, describe_machine, make_report, table
from benchmarks.rounds import ENGINES, OURS, Plan, measure
from benchmarks.worker import Scoring, WrongResultError, make_keys
from services.cli.common import CommandError, log_quietly
from services.platform.embedded.errors import EmbeddedError
from services.platform.kafka import create_topics
from services.platform.processes import ProcessError
from services.platform.signals import until_stopped

MARKS: Final = 1_000_000
FEW_MARKS: Final = 40_000
STUDENTS_A_PLACE: Final = 100
INTERRUPTED: Final = 130
_FAILURES: Final = (EmbeddedError, ProcessError, WrongResultError, KafkaError, HTTPError, TimeoutError)


@click.command(context_settings=CONTEXT)
@json_option
@rounds_option
@click.option(
    "--marks",
    default=MARKS,
    show_default=True,
    type=click.IntRange(STUDENTS),
    help=f"About so many: of {STUDENTS:,} students, and of more when that would be over {DAYS} days.",
)
@click.option(
    "--faust-marks",
    default=FEW_MARKS,
    show_default=True,
    type=click.IntRange(STUDENTS),
    help="Those of plain Faust, which needs minutes for what the others do in seconds.",
)
@click.option(
    "--engines", "names", default=",".join(ENGINES), show_default=True, help="Those to measure, parted by commas."
)
@model_option
@click.option(
    "--capacity",
    type=click.IntRange(1),
    help=f"Places a week, with the model.  [default: one for {STUDENTS_A_PLACE} students]",
)
def main(
    out: Path | None,
    rounds: int,
    marks: int,
    faust_marks: int,
    names: str,
    model: Path | None,
    capacity: int | None,
) -> None:
    """Measure marks a second, windows kept and changelogged.

    `firstbell` is our worker with the rules alone, `firstbell_model` with rules and the risk model. `kafka_streams`
    is built here from jars that are fetched once (78 MB, FIRSTBELL_MAVEN_MIRROR names another repository); `quix` runs
    in an environment that uv makes. An engine that cannot be run is left out and named under the table.
    """
    log_quietly()
    engines = [name.strip() for name in names.split(",")]
    if unknown := sorted(set(engines) - set(ENGINES)):
        raise click.BadParameter(f"{', '.join(unknown)} is none of {', '.join(ENGINES)}", param_hint="--engines")
    year = make_year(marks)
    places = capacity or max(1, len(year.pupils) // STUDENTS_A_PLACE)
    scoring = Scoring(model=True, model_file=model.resolve() if model else None, capacity=places)
    try:
        report = asyncio.run(until_stopped(_run(engines, rounds, Plan(year, make_year(faust_marks), scoring))))
    except _FAILURES as error:
        raise CommandError(str(error)) from error
    if report is None:
        sys.exit(INTERRUPTED)
    write_document(out, report)
    click.echo(table(report))
    if any(report["marks_per_second"][mine] is None for mine in OURS if mine in engines):
        sys.exit(1)


async def _run(engines: list[str], rounds: int, plan: Plan) -> Report:
    machine, year = describe_machine(), plan.year
    done: list[Round] = []
    failures: list[str] = []
    say("Starting Kafka and PostgreSQL in a temporary folder")
    async with running_broker() as ground:
        say(f"Publishing {year.marks:,} marks of {len(year.pupils):,} students and {len(year.days)} school days")
        topics = (SINGLE, BATCHED, FEW)
        await create_topics(ground.kafka, partitions=PARTITIONS, replication_factor=1, topics=topics)
        await publish_for_others(ground.kafka, year, plan.few)
        await make_keys(ground, year)
        for number in range(rounds):
            turn = number % len(engines)
            order = engines[turn:] + engines[:turn]
            done.append(await _round(order, ground, plan, number + 1, failures))
    return make_report(year.marks, plan.few.marks, done, failures, machine)


async def _round(engines: list[str], ground: Ground, plan: Plan, number: int, failures: list[str]) -> Round:
    """Measure each engine once. One that fails is said and left out; the rest goes on."""
    result: Round = {}
    for engine in engines:
        try:
            result[engine] = await measure(engine, ground, plan, number)
        except _FAILURES as error:
            failures.append(f"round {number}, {engine}: {error}")
            say(failures[-1])
        else:
            say(f"round {number}: {engine} {result[engine]['marks_per_second']:,.0f} marks/s")
    return result


if __name__ == "__main__":
    main()
