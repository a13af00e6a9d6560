"""The figures of all rounds: medians, ratios, a table."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Final, TypedDict

from benchmarks.marks import PARTITIONS
from benchmarks.rounds import ENGINES, PEERS, Figures

AIMS: Final = {"quix": 3.0, "raw": 0.25, "faust_plain": 10.0}
"""How many times the engine's marks a second ours should reach with the rules alone."""
AIMS_MODEL: Final = {"raw": 0.18}
"""And with rules and model."""

WARM: Final = "kafka_streams_warm"
"""Kafka Streams after its first fifth of the marks: without what a JVM takes to compile what it runs."""

Round = dict[str, Figures]
"""An engine that failed is not in it."""


class Machine(TypedDict):
    """Where it was measured; the load (1 minute) is from before the first round: others may have been at work."""

    cores: int | None
    python: str
    system: str
    load: float


class Report(TypedDict):
    """The JSON document. An engine that was not measured has null.

    `firstbell` and `ratios` are our worker with the rules alone, `firstbell_model` and `ratios_model` with the risk
    model and a capacity.
    """

    marks: int
    marks_faust_plain: int
    partitions: int
    marks_per_second: dict[str, float | None]
    ratios: dict[str, float | None]
    ratios_model: dict[str, float | None]
    rounds: list[Round]
    failures: list[str]
    machine: Machine


def describe_machine() -> Machine:
    """This machine, now."""
    return Machine(
        cores=os.cpu_count(), python=platform.python_version(), system=platform.system(), load=os.getloadavg()[0]
    )


def make_report(marks: int, few: int, rounds: Sequence[Round], failures: Sequence[str], machine: Machine) -> Report:
    """Medians over the rounds; a ratio is ours by the other's. Plain Faust had only so `few` marks."""
    medians = {engine: _median(engine, rounds) for engine in ENGINES}
    medians[WARM] = _median("kafka_streams", rounds, "warm_marks_per_second")
    return Report(
        marks=marks,
        marks_faust_plain=few,
        partitions=PARTITIONS,
        marks_per_second=medians,
        ratios=_ratios("firstbell", medians),
        ratios_model=_ratios("firstbell_model", medians),
        rounds=list(rounds),
        failures=list(failures),
        machine=machine,
    )


def table(report: Report) -> str:
    """For people: an engine a line, and what ours is beside it."""
    lines = [f"{'engine':<18} {'marks/s':>10} {'with rules ours is':>19} {'aim':>6} {'and with model':>15} {'aim':>6}"]
    for engine, speed in report["marks_per_second"].items():
        shown = f"{speed:,.0f}" if speed else "-"
        rules = _beside(engine, report["ratios"], AIMS)
        model = _beside(engine, report["ratios_model"], AIMS_MODEL)
        lines.append(f"{engine:<18} {shown:>10} {rules[0]:>19} {rules[1]:>6} {model[0]:>15} {model[1]:>6}".rstrip())
    return "\n".join([*lines, *(f"Not measured: {failure}" for failure in report["failures"])])


def _beside(engine: str, ratios: Mapping[str, float | None], aims: Mapping[str, float]) -> tuple[str, str]:
    ratio = ratios.get(f"vs_{engine}")
    return f"{ratio:.2f} times" if ratio else "", f"≥{aims[engine]:g}" if engine in aims else ""


def _ratios(mine: str, medians: Mapping[str, float | None]) -> dict[str, float | None]:
    speed = medians[mine]
    return {f"vs_{peer}": speed / other if speed and (other := medians[peer]) else None for peer in (*PEERS, WARM)}


def _median(engine: str, rounds: Sequence[Round], figure: str = "marks_per_second") -> float | None:
    speeds = [one[engine][figure] for one in rounds if engine in one]
    return median(speeds) if speeds else None
