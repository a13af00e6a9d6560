"""`python -m benchmarks.orders`: what it costs when the same records come in another order of their topics.

In the pure core, with the risk model and a capacity, as a worker in a backlog. The good order is consents, enrollments
and calendar first, then marks and closes day by day, each week's threshold behind its close. All orders have the very
same records, thresholds included, which a first run finds. When a worker is killed during an import, topics come to
its successor in any order. Figures are CPU by the CPU of the good order in the same round, medians over the rounds.
After each order the alerts that stand are compared with those of the good order: `alerts_differ` names the orders
after which they were others, which is no error of the measurement.
"""

from __future__ import annotations

import gc
import time
from pathlib import Path
from statistics import median
from typing import Final, TypedDict

import click

from benchmarks.command import CONTEXT, json_option, model_option, read_model, rounds_option, say, write_document
from benchmarks.core_driver import BACKLOG, Core
from benchmarks.marks import year_of
from benchmarks.report import Machine, describe_machine
from benchmarks.topic_orders import SHUFFLED_WITHIN, Records, good_order, make_orders
from models.artifact import Artifact
from services.platform.memory import collect_rarely

STUDENTS: Final = 2_000
DAYS: Final = 60
STUDENTS_A_PLACE: Final = 100
AIM: Final = 2.0
AIM_SHUFFLED_WITHIN: Final = 4.0


class Report(TypedDict):
    """The JSON document: how many times the CPU of the good order each took, and that CPU."""

    students: int
    days: int
    marks: int
    evaluated_every: int
    good_cpu_seconds: float
    orders: dict[str, float]
    alerts_differ: list[str]
    rounds: list[dict[str, float]]
    machine: Machine


@click.command(context_settings=CONTEXT)
@json_option
@rounds_option
@click.option("--students", default=STUDENTS, show_default=True, type=click.IntRange(20), help="In six schools.")
@click.option("--days", default=DAYS, show_default=True, type=click.IntRange(2), help="School days.")
@click.option("--orders", "names", help="Those to measure, such as calendar_last,topics_shuffled.  [default: all]")
@click.option(
    "--every", default=BACKLOG, show_default=True, type=click.IntRange(1), help="Records taken between two evaluations."
)
@model_option
def main(
    out: Path | None, rounds: int, students: int, days: int, names: str | None, every: int, model: Path | None
) -> None:
    """Measure the CPU of taking the same records in other orders of their topics, by that of the good order."""
    artifact, machine = read_model(model), describe_machine()
    collect_rarely()  # as the worker
    say(f"Making the records of {students:,} students and {days} school days, in the good order once")
    year, places = year_of(students, days=days), max(1, students // STUDENTS_A_PLACE)
    good = good_order(year, lambda: Core(artifact, places))
    orders = _chosen(make_orders(good), names)
    run = _Runs(artifact, places, every)
    done: list[dict[str, float]] = []
    for number in range(rounds):
        cpu = {"good": run.measure("good", good)} | {name: run.measure(name, given) for name, given in orders.items()}
        done.append(cpu)
        say(f"round {number + 1}: good order {cpu['good']:.1f} s of CPU")
    report = Report(
        students=students,
        days=days,
        marks=year.marks,
        evaluated_every=every,
        good_cpu_seconds=median(one["good"] for one in done),
        orders={name: median(one[name] / one["good"] for one in done) for name in orders},
        alerts_differ=sorted(run.differing),
        rounds=done,
        machine=machine,
    )
    write_document(out, report)
    click.echo(table(report))


class _Runs:
    """Measures orders with fresh cores, and compares the alerts that each leaves."""

    def __init__(self, artifact: Artifact, places: int, every: int) -> None:
        self._artifact, self._places, self._every = artifact, places, every
        self._standing: object = None
        self.differing: set[str] = set()

    def measure(self, name: str, given: Records) -> float:
        """Seconds of CPU."""
        core = Core(self._artifact, self._places, every=self._every, hears_itself=False)
        gc.collect()
        started = time.process_time()
        core.take_all(given)
        used = time.process_time() - started
        standing = core.standing()
        if name == "good":
            self._standing = standing
        elif standing != self._standing:
            self.differing.add(name)
        say(f"  {name}: {used:.1f} s")
        return used


def _chosen(orders: dict[str, Records], names: str | None) -> dict[str, Records]:
    if names is None:
        return orders
    wanted = [name.strip() for name in names.split(",")]
    if unknown := sorted(set(wanted) - set(orders)):
        raise click.BadParameter(f"{', '.join(unknown)} is none of {', '.join(orders)}", param_hint="--orders")
    return {name: orders[name] for name in wanted}


def table(report: Report) -> str:
    """For people: an order a line."""
    lines = [f"{report['marks']:,} marks; the good order takes {report['good_cpu_seconds']:.1f} s of CPU"]
    lines.append(f"{'order':<26} {'times its CPU':>14} {'aim':>6}")
    for name, ratio in report["orders"].items():
        aim = AIM_SHUFFLED_WITHIN if name == SHUFFLED_WITHIN else AIM
        differs = "   other alerts" if name in report["alerts_differ"] else ""
        lines.append(f"{name:<26} {ratio:>14.2f} {f'≤{aim:g}':>6}{differs}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
