"""The figures of all rounds: medians, ratios, a table."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from statistics import median
from typing import Final, TypedDict

from benchmarks.marks import PARTITIONS
from benchmarks.rounds import ENGINES, Figures

AIMS: Final = {"faust_plain": 10.0, "quix": 2.0, "raw": 0.2}
"""How many times the engine's marks a second ours should reach."""

Round = dict[str, Figures]
"""An engine that failed is not in it."""


class Machine(TypedDict):
    """Where it was measured; the load (1 minute) is from before the first round: others may have been at work."""

    cores: int | None
    python: str
    system: str
    load: float


class Report(TypedDict):
    """The JSON document. An engine that was not measured has null."""

    marks: int
    partitions: int
    marks_per_second: dict[str, float | None]
    ratios: dict[str, float | None]
    rounds: list[Round]
    failures: list[str]
    machine: Machine


def describe_machine() -> Machine:
    """This machine, now."""
    return Machine(
        cores=os.cpu_count(), python=platform.python_version(), system=platform.system(), load=os.getloadavg()[0]
    )


def make_report(marks: int, rounds: Sequence[Round], failures: Sequence[str], machine: Machine) -> Report:
    """Medians over the rounds; a ratio is ours by the other's."""
    medians = {engine: _median(engine, rounds) for engine in ENGINES}
    mine = medians["firstbell"]
    ratios = {
        f"vs_{engine}": mine / other if mine and other else None
        for engine, other in medians.items()
        if engine != "firstbell"
    }
    return Report(
        marks=marks,
        partitions=PARTITIONS,
        marks_per_second=medians,
        ratios=ratios,
        rounds=list(rounds),
        failures=list(failures),
        machine=machine,
    )


def table(report: Report) -> str:
    """For people: an engine a line, and what ours is beside it."""
    lines = [f"{'engine':<12} {'marks/s':>10} {'firstbell is':>13} {'aim':>7}"]
    for engine, speed in report["marks_per_second"].items():
        ratio = report["ratios"].get(f"vs_{engine}")
        aim = f"≥{AIMS[engine]:g}" if engine in AIMS else ""
        shown = f"{speed:,.0f}" if speed else "-"
        lines.append(f"{engine:<12} {shown:>10} {f'{ratio:.2f} times' if ratio else '':>13} {aim:>7}".rstrip())
    return "\n".join(lines)


def _median(engine: str, rounds: Sequence[Round]) -> float | None:
    speeds = [one[engine]["marks_per_second"] for one in rounds if engine in one]
    return median(speeds) if speeds else None
