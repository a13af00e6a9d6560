"""`python -m benchmarks.stream`: marks a second of our worker and of others, on the same marks and broker.

Each round measures every engine once, in another order each time; the figures are medians. Progress is on stderr, the
table on stdout. Exit statuses: 0 measured, 1 when our own worker has no figure, 130 when it was interrupted.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import click
from aiokafka.errors import KafkaError
from httpx import HTTPError

from benchmarks.broker import Ground, running_broker
from benchmarks.engines.ours import Scoring, WrongResultError
from benchmarks.marks import CAPACITY, DAYS, STUDENTS, Year, make_year
from benchmarks.publish import BATCHED, SINGLE, publish_for_others
from benchmarks.report import Report, Round, describe_machine, make_report, table
from benchmarks.rounds import ENGINES, measure
from services.cli.common import CommandError, log_quietly
from services.platform.embedded.errors import EmbeddedError
from services.platform.kafka import create_topics
from services.platform.processes import ProcessError
from services.platform.signals import until_stopped

INTERRUPTED = 130
_FAILURES = (ProcessError, WrongResultError, KafkaError, HTTPError, TimeoutError)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--json", "out", type=click.Path(path_type=Path, dir_okay=False), help="Write the document here.")
@click.option("--rounds", default=3, show_default=True, type=click.IntRange(1), help="Three or more for a figure.")
@click.option(
    "--marks", default=STUDENTS * DAYS, show_default=True, type=click.IntRange(STUDENTS), help="About so many."
)
@click.option(
    "--engines", "names", default=",".join(ENGINES), show_default=True, help="Those to measure, parted by commas."
)
@click.option("--model", type=click.Path(path_type=Path, exists=True), help="A risk model.  [default: what ships]")
@click.option("--capacity", default=CAPACITY, show_default=True, type=click.IntRange(1), help="Places a week.")
def main(out: Path | None, rounds: int, marks: int, names: str, model: Path | None, capacity: int) -> None:
    """Measure marks a second, windows kept and changelogged; `firstbell` scores, `firstbell_rules` does not."""
    log_quietly()
    engines = [name.strip() for name in names.split(",")]
    if unknown := sorted(set(engines) - set(ENGINES)):
        raise click.BadParameter(f"{', '.join(unknown)} is none of {', '.join(ENGINES)}", param_hint="--engines")
    scoring = Scoring(model=True, model_file=model.resolve() if model else None, capacity=capacity)
    try:
        report = asyncio.run(until_stopped(_run(engines, rounds, make_year(marks), scoring)))
    except (EmbeddedError, *_FAILURES) as error:
        raise CommandError(str(error)) from error
    if report is None:
        sys.exit(INTERRUPTED)
    if out is not None:
        out.write_text(json.dumps(report, indent=1) + "\n")
    click.echo(table(report))
    if "firstbell" in engines and report["marks_per_second"]["firstbell"] is None:
        sys.exit(1)


async def _run(engines: list[str], rounds: int, year: Year, scoring: Scoring) -> Report:
    machine = describe_machine()
    done: list[Round] = []
    failures: list[str] = []
    _say("Starting Kafka in a temporary folder")
    async with running_broker() as ground:
        _say(f"Publishing {year.marks:,} marks of {len(year.pupils):,} students and {len(year.days)} school days")
        await create_topics(ground.kafka, partitions=4, replication_factor=1, topics=(SINGLE, BATCHED))
        await publish_for_others(ground.kafka, year)
        for number in range(rounds):
            turn = number % len(engines)
            order = engines[turn:] + engines[:turn]
            done.append(await _round(order, ground, year, number + 1, failures, scoring))
    return make_report(year.marks, done, failures, machine)


async def _round(
    engines: list[str], ground: Ground, year: Year, number: int, failures: list[str], scoring: Scoring
) -> Round:
    """Measure each engine once. One that fails is said and left out; the rest goes on."""
    result: Round = {}
    for engine in engines:
        try:
            result[engine] = await measure(engine, ground, year, number, scoring)
        except _FAILURES as error:
            failures.append(f"round {number}, {engine}: {error}")
            _say(failures[-1])
        else:
            _say(f"round {number}: {engine} {result[engine]['marks_per_second']:,.0f} marks/s")
    return result


def _say(line: str) -> None:
    click.echo(line, err=True)


if __name__ == "__main__":
    main()
