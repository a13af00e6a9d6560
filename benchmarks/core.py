"""`python -m benchmarks.core`: what a mark costs in the pure core of the worker, with the risk model and without.

No Kafka, no table: the records of `benchmarks.publish` are handed to the partitions as the worker does it, decoding
and alerts included: batches of up to 300 marks and the closes of days and weeks, and the same again with one mark a
record. Variants take turns; the figures are medians. `--profile` tells where the time goes instead.
"""

from __future__ import annotations

import cProfile
import gc
import pstats
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Final, TypedDict

import click

from benchmarks.command import CONTEXT, json_option, model_option, read_model, rounds_option, say, write_document
from benchmarks.core_driver import BACKLOG, Core
from benchmarks.marks import CAPACITY, DAYS, STUDENTS, Year, make_year
from benchmarks.publish import Day, our_days, reference_records
from benchmarks.report import Machine, describe_machine
from services.ingest.publish.batches import Record
from services.platform.memory import collect_rarely

SHOWN: Final = 40
"""Lines of a profile."""
SINGLE: Final = "_one_mark_a_record"


class Figures(TypedDict):
    """Microseconds per mark: in all, and of it in records of marks, and in the closes of days and weeks."""

    all: float
    batches: float
    closes: float


class Report(TypedDict):
    """The JSON document: medians, how many times as much a mark costs with the model, and alone in its record."""

    marks: int
    evaluated_every: int
    microseconds_per_mark: dict[str, Figures]
    ratio: float
    ratios_one_mark_a_record: dict[str, float]
    rounds: list[dict[str, Figures]]
    machine: Machine


@click.command(context_settings=CONTEXT)
@json_option
@rounds_option
@click.option(
    "--marks", default=STUDENTS * DAYS, show_default=True, type=click.IntRange(STUDENTS), help="About so many."
)
@model_option
@click.option("--capacity", default=CAPACITY, show_default=True, type=click.IntRange(1), help="Places a week.")
@click.option(
    "--every",
    default=1,
    show_default=True,
    type=click.IntRange(1),
    help=f"Records taken between two evaluations: 1 is a worker that keeps up, {BACKLOG} one in a backlog.",
)
@click.option("--profile", is_flag=True, help="Tell where the time goes with the model, and measure nothing.")
def main(
    out: Path | None, rounds: int, marks: int, model: Path | None, capacity: int, every: int, profile: bool
) -> None:
    """Measure microseconds per mark, with the risk model and without, in batches and alone."""
    artifact = read_model(model)
    collect_rarely()  # as the worker
    machine, year = describe_machine(), make_year(marks)
    say(f"Making {year.marks:,} marks of {len(year.pupils):,} students and {len(year.days)} school days")
    before, batches = list(reference_records(year)), list(our_days(year))
    makers: dict[str, Callable[[], Core]] = {
        "rules": lambda: Core(None, None, every=every),
        "model": lambda: Core(artifact, capacity, every=every),
    }
    if profile:
        _profile(makers["model"](), before, batches)
        return
    singles = list(our_days(year, one_mark_a_record=True))
    variants = [
        (name + ending, make, days)
        for ending, days in (("", batches), (SINGLE, singles))
        for name, make in makers.items()
    ]
    done: list[dict[str, Figures]] = []
    for number in range(rounds):
        order = variants if number % 2 == 0 else variants[::-1]
        done.append({name: _measure(make(), before, days, year) for name, make, days in order})
        say(f"round {number + 1}: " + ", ".join(f"{name} {done[-1][name]['all']:.1f} µs" for name, _, _ in variants))
    report = _report(year, every, [name for name, _, _ in variants], done, machine)
    write_document(out, report)
    click.echo(table(report))


def _measure(core: Core, before: Sequence[Record], days: Sequence[Day], year: Year) -> Figures:
    core.take_all(before)
    gc.collect()
    marks = closes = 0.0
    for day in days:
        marks += _seconds(core, day.marks)
        closes += _seconds(core, day.closes)
    started = time.perf_counter()
    core.settle()
    closes += time.perf_counter() - started
    return Figures(
        all=1e6 * (marks + closes) / year.marks, batches=1e6 * marks / year.marks, closes=1e6 * closes / year.marks
    )


def _seconds(core: Core, records: Sequence[Record]) -> float:
    started = time.perf_counter()
    for record in records:
        core.take(record)
    return time.perf_counter() - started


def _profile(core: Core, before: Sequence[Record], days: Sequence[Day]) -> None:
    core.take_all(before)
    with cProfile.Profile() as profile:
        for day in days:
            core.take_all((*day.marks, *day.closes))
    pstats.Stats(profile).sort_stats("tottime").print_stats(SHOWN)


def _report(
    year: Year, every: int, variants: Sequence[str], rounds: list[dict[str, Figures]], machine: Machine
) -> Report:
    medians = {name: _medians([one[name] for one in rounds]) for name in variants}
    return Report(
        marks=year.marks,
        evaluated_every=every,
        microseconds_per_mark=medians,
        ratio=medians["model"]["all"] / medians["rules"]["all"],
        ratios_one_mark_a_record={
            name: medians[name + SINGLE]["all"] / medians[name]["all"] for name in ("rules", "model")
        },
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
    lines = [f"{'µs per mark':<24} {'in all':>8} {'marks':>8} {'closes':>8}"]
    figures: Mapping[str, Figures] = report["microseconds_per_mark"]
    for name, of in figures.items():
        shown = name.replace("_", " ")
        lines.append(f"{shown:<24} {of['all']:>8.1f} {of['batches']:>8.1f} {of['closes']:>8.1f}")
    alone = report["ratios_one_mark_a_record"]
    return "\n".join(
        [
            *lines,
            f"With the model a mark costs {report['ratio']:.2f} times as much; alone in its record "
            f"{alone['rules']:.2f} times with the rules, {alone['model']:.2f} with the model.",
        ]
    )


if __name__ == "__main__":
    main()
