"""`python -m benchmarks.backtest`: a year of 50,000 students through `firstbell backtest`, and its features in pandas.

Each is a process of its own, measured from start to exit, in turns, in another order each round. The peer counts what
the model's features are made of and no more: what it leaves out is in `benchmarks.engines.pandas_features`. It is
measured both as pandas' documentation would write it and as quick as plain pandas gets. Progress is on stderr, the
table on stdout. Exit statuses: 0 measured, 1 when a process failed or read other rows, 130 when it was interrupted.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Final, TypedDict

import click

from benchmarks.command import CONTEXT, json_option, model_option, rounds_option, say, write_document
from benchmarks.environments import PANDAS, isolated
from benchmarks.report import Machine, describe_machine
from benchmarks.whole_process import Cost, run_whole
from services.cli.common import CommandError
from services.platform.processes import ProcessError

STUDENTS: Final = 50_000
CAPACITY: Final = 200
SEED: Final = 21
AIM_SECONDS: Final = 60.0
AIM_BYTES: Final = 6_000_000_000
INTERRUPTED: Final = 130
FIRSTBELL: Final = (sys.executable, "-m", "services.cli.main")

Engine = Callable[[Path, Path], list[str]]
"""The command that reads a folder and writes its JSON to a file."""


class Report(TypedDict):
    """The JSON document: medians over the rounds, and how many times as long as ours each peer took."""

    students: int
    marks: int
    days: int
    seconds: dict[str, float]
    peak_bytes: dict[str, int]
    ratios: dict[str, float]
    rounds: list[dict[str, Cost]]
    machine: Machine


@click.command(context_settings=CONTEXT)
@json_option
@rounds_option
@click.option("--students", default=STUDENTS, show_default=True, type=click.IntRange(100), help="Of a simulated year.")
@click.option("--capacity", default=CAPACITY, show_default=True, type=click.IntRange(1), help="New alerts a week.")
@model_option
@click.option(
    "--history",
    type=click.Path(path_type=Path, file_okay=False),
    help="Keep the simulated year in this folder, and take it from there the next time.  [default: a temporary one]",
)
def main(out: Path | None, rounds: int, students: int, capacity: int, model: Path | None, history: Path | None) -> None:
    """Measure `firstbell backtest` beside plain pandas, on the same year."""
    machine = describe_machine()
    engines: dict[str, Engine] = {
        "firstbell": lambda folder, result: _ours(folder, result, capacity, model),
        "pandas_totals": lambda folder, result: _pandas(folder, result, "totals"),
        "pandas_rolling": lambda folder, result: _pandas(folder, result, "rolling"),
    }
    try:
        with ExitStack() as exits:
            scratch = Path(exits.enter_context(tempfile.TemporaryDirectory(prefix="firstbell-benchmark-")))
            folder = history or scratch / "history"
            _make_history(folder, students)
            run_whole(isolated(PANDAS, "-c", "import pandas"))  # makes the environment, outside of the clock
            done = [_round(engines, folder, scratch, number) for number in range(rounds)]
            report = _report(done, json.loads((scratch / "firstbell.json").read_text()), machine)
    except (ProcessError, OSError) as error:
        raise CommandError(str(error)) from error
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    write_document(out, report)
    click.echo(table(report))


def _make_history(folder: Path, students: int) -> None:
    """Simulate the year, unless the folder holds it already."""
    made_for = folder / "made_for.json"
    wanted = {"students": students, "seed": SEED}
    if made_for.exists() and json.loads(made_for.read_text()) == wanted:
        say(f"The year is in {folder} already")
        return
    say(f"Simulating a year of {students:,} students")
    run_whole([*FIRSTBELL, "simulate", "--students", str(students), "--seed", str(SEED), "--out", str(folder)])
    made_for.write_text(json.dumps(wanted))


def _ours(folder: Path, result: Path, capacity: int, model: Path | None) -> list[str]:
    chosen = ["--model", str(model)] if model else []
    return [*FIRSTBELL, "backtest", str(folder), "--capacity", str(capacity), "--json", str(result), *chosen]


def _pandas(folder: Path, result: Path, way: str) -> list[str]:
    file = folder / "attendance.csv"
    return isolated(PANDAS, "-m", "benchmarks.engines.pandas_features", str(file), str(result), way)


def _round(engines: Mapping[str, Engine], folder: Path, scratch: Path, number: int) -> dict[str, Cost]:
    """Each engine once; raises `ProcessError` when one fails, or has not read the rows that ours has."""
    names = list(engines)
    turn = number % len(names)
    costs: dict[str, Cost] = {}
    for name in names[turn:] + names[:turn]:
        costs[name] = cost = run_whole(engines[name](folder, scratch / f"{name}.json"))
        say(f"round {number + 1}: {name} {cost['seconds']:.1f} s, {cost['peak_bytes'] / 1e9:.2f} GB")
    documents = {name: json.loads((scratch / f"{name}.json").read_text()) for name in names}
    rows = {name: document["marks" if name == "firstbell" else "rows"] for name, document in documents.items()}
    if len(set(rows.values())) > 1:
        raise ProcessError(f"the engines have read different rows: {rows}")
    return costs


def _report(rounds: list[dict[str, Cost]], ours: Mapping[str, int], machine: Machine) -> Report:
    seconds = {name: median(one[name]["seconds"] for one in rounds) for name in rounds[0]}
    return Report(
        students=ours["students"],
        marks=ours["marks"],
        days=ours["days"],
        seconds=seconds,
        peak_bytes={name: max(one[name]["peak_bytes"] for one in rounds) for name in seconds},
        ratios={f"vs_{name}": taken / seconds["firstbell"] for name, taken in seconds.items() if name != "firstbell"},
        rounds=rounds,
        machine=machine,
    )


def table(report: Report) -> str:
    """For people: an engine a line, and how many times as long as ours it takes."""
    lines = [
        f"{report['marks']:,} marks, {report['students']:,} students with a consent, {report['days']} days",
        f"{'engine':<15} {'seconds':>8} {'peak GB':>8} {'takes':>12}   aim",
    ]
    for name in ("firstbell", "pandas_totals", "pandas_rolling"):
        ratio = report["ratios"].get(f"vs_{name}")
        aim = "" if ratio else f"≤{AIM_SECONDS:g} s on 2 cores, <{AIM_BYTES / 1e9:g} GB"
        shown = f"{ratio:.2f} times" if ratio else ""
        seconds, peak = report["seconds"][name], report["peak_bytes"][name] / 1e9
        lines.append(f"{name:<15} {seconds:>8.1f} {peak:>8.2f} {shown:>12}   {aim}".rstrip())
    return "\n".join(lines)


if __name__ == "__main__":
    main()
