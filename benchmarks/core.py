"""`python -m benchmarks.core`: what a mark costs in the pure core of the worker, with the risk model and without.

No Kafka, no table: the records of `benchmarks.publish` (batches of up to 300 marks, closes of days and weeks) are
handed to the partitions as the worker does it, decoding and alerts included. Variants take turns; the figures are
medians. `--profile` tells where the time goes instead.
"""

from __future__ import annotations

import cProfile
import gc
import json
import pstats
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Final, TypedDict

import click

from benchmarks.marks import CAPACITY, DAYS, PARTITIONS, STUDENTS, Year, make_year
from benchmarks.publish import our_records, reference_records
from benchmarks.report import Machine, describe_machine
from models.artifact import Artifact, ArtifactError, default_artifact, load_artifact
from models.policy import default_policy
from services.cli.common import CommandError
from services.contracts.risk import WeekCounted
from services.contracts.topics import RISK_WEEKS, THRESHOLDS
from services.ingest.batches import Record
from services.warning import records
from services.warning.partition import Partition
from services.warning.steering import OWNER, Steering

SHOWN: Final = 40
"""Lines of a profile."""


class Figures(TypedDict):
    """Microseconds per mark: in all, and of it in batches, and in the closes of days and weeks."""

    all: float
    batches: float
    closes: float


class Report(TypedDict):
    """The JSON document: medians, and how many times as much a mark costs with the model."""

    marks: int
    microseconds_per_mark: dict[str, Figures]
    ratio: float
    rounds: list[dict[str, Figures]]
    machine: Machine


class Core:
    """The partitions of a worker."""

    def __init__(self, artifact: Artifact | None, capacity: int | None) -> None:
        policy = default_policy()
        self._partitions = [Partition(policy, Steering(artifact, capacity)) for _ in range(PARTITIONS)]

    def take(self, record: Record) -> None:
        """One record, and what a week's close has the partitions tell each other."""
        partition = self._partitions[record.partition]
        place = records.Place(record.partition, PARTITIONS)
        records.take(partition, place, record.topic, record.key.encode(), record.value, time.time())
        while partition.evaluate():
            pass
        for student in list(partition.telling):
            partition.told(student, len(student.pending))
        while partition.outbox:
            event = partition.outbox.pop(0)
            value = event.model_dump_json().encode()
            if isinstance(event, WeekCounted):
                self.take(Record(RISK_WEEKS.name, OWNER, "", value))
            else:
                for number in range(PARTITIONS):
                    self.take(Record(THRESHOLDS.name, number, "", value))


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--json", "out", type=click.Path(path_type=Path, dir_okay=False), help="Write the document here.")
@click.option("--rounds", default=3, show_default=True, type=click.IntRange(1), help="Three or more for a figure.")
@click.option(
    "--marks", default=STUDENTS * DAYS, show_default=True, type=click.IntRange(STUDENTS), help="About so many."
)
@click.option("--model", type=click.Path(path_type=Path, exists=True), help="A risk model.  [default: what ships]")
@click.option("--capacity", default=CAPACITY, show_default=True, type=click.IntRange(1), help="Places a week.")
@click.option("--profile", is_flag=True, help="Tell where the time goes with the model, and measure nothing.")
def main(out: Path | None, rounds: int, marks: int, model: Path | None, capacity: int, profile: bool) -> None:
    """Measure microseconds per mark, with the risk model and without."""
    try:
        artifact = load_artifact(model) if model else default_artifact()
    except ArtifactError as error:
        raise CommandError(str(error)) from error
    gc.set_threshold(100_000, 50, 100)  # as the worker
    machine, year = describe_machine(), make_year(marks)
    _say(f"Making {year.marks:,} marks of {len(year.pupils):,} students and {len(year.days)} school days")
    before, given = list(reference_records(year)), list(our_records(year, []))
    variants = {"rules": (None, None), "model": (artifact, capacity)}
    if profile:
        _profile(Core(artifact, capacity), before, given)
        return
    done: list[dict[str, Figures]] = []
    for number in range(rounds):
        order = list(variants) if number % 2 == 0 else list(reversed(variants))
        done.append({name: _measure(Core(*variants[name]), before, given, year) for name in order})
        _say(f"round {number + 1}: " + ", ".join(f"{name} {done[-1][name]['all']:.1f} µs" for name in variants))
    report = _report(year, list(variants), done, machine)
    if out is not None:
        out.write_text(json.dumps(report, indent=1) + "\n")
    click.echo(table(report))


def _measure(core: Core, before: Sequence[Record], given: Sequence[Record], year: Year) -> Figures:
    for record in before:
        core.take(record)
    gc.collect()
    seconds = {"marks": 0.0, "closes": 0.0}
    for record in given:
        kind = "marks" if b'"marks":' in (record.value or b"") else "closes"
        started = time.perf_counter()
        core.take(record)
        seconds[kind] += time.perf_counter() - started
    batches, closes = (1e6 * seconds[kind] / year.marks for kind in ("marks", "closes"))
    return Figures(all=batches + closes, batches=batches, closes=closes)


def _profile(core: Core, before: Sequence[Record], given: Sequence[Record]) -> None:
    for record in before:
        core.take(record)
    with cProfile.Profile() as profile:
        for record in given:
            core.take(record)
    pstats.Stats(profile).sort_stats("tottime").print_stats(SHOWN)


def _report(year: Year, variants: Sequence[str], rounds: list[dict[str, Figures]], machine: Machine) -> Report:
    medians = {name: _medians([one[name] for one in rounds]) for name in variants}
    return Report(
        marks=year.marks,
        microseconds_per_mark=medians,
        ratio=medians["model"]["all"] / medians["rules"]["all"],
        rounds=rounds,
        machine=machine,
    )


def _medians(rounds: Sequence[Figures]) -> Figures:
    return Figures(
        all=median(one["all"] for one in rounds),
        batches=median(one["batches"] for one in rounds),
        closes=median(one["closes"] for one in rounds),
    )


def table(report: Report) -> str:
    """For people: a variant a line."""
    lines = [f"{'µs per mark':<12} {'in all':>8} {'batches':>8} {'closes':>8}"]
    figures: Mapping[str, Figures] = report["microseconds_per_mark"]
    for name, of in figures.items():
        lines.append(f"{name:<12} {of['all']:>8.1f} {of['batches']:>8.1f} {of['closes']:>8.1f}")
    return "\n".join([*lines, f"With the model a mark costs {report['ratio']:.2f} times as much."])


def _say(line: str) -> None:
    click.echo(line, err=True)


if __name__ == "__main__":
    main()
