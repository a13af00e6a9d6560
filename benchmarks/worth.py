"""What rules and model are worth on simulated districts that nobody tuned on: the table of the README.

    uv run python -m benchmarks.worth --json OUT

For each seed an earlier and a later year are simulated (other children, another calendar); the later one is walked
with the model that ships and with one trained on the earlier year. A world without any signal comes last.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

SEEDS = (71, 72, 73, 74, 75)
"""None of them was looked at before the model was final."""
EARLIER, LATER = 2026, 2027
NO_SIGNAL = "no_signal"
SMALLEST = 100
Figures = Mapping[str, Any]


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--students", type=int, default=10_000, help="in each district (default 10,000)")
    parser.add_argument("--capacity", type=int, help="places a week (default one for 400 students)")
    parser.add_argument("--json", type=Path, metavar="OUT")
    options = parser.parse_args()
    capacity = options.capacity or max(1, options.students // 400)
    rows = list(_rows(options.students, capacity))
    if options.json is not None:
        options.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    print("\n".join(_table(rows)))


def _rows(students: int, capacity: int) -> Iterator[Figures]:
    for world, seed in [*(("default", seed) for seed in SEEDS), (NO_SIGNAL, SEEDS[0])]:
        with tempfile.TemporaryDirectory(prefix="firstbell-worth-") as name:
            folder = Path(name)
            for year, its_seed in ((EARLIER, 1000 + seed), (LATER, seed)):
                chosen = () if world == "default" else ("--world", world)
                size = ("--students", str(students), "--year", str(year), "--seed", str(its_seed))
                _firstbell("simulate", *chosen, *size, "--out", str(folder / str(year)))
            trained = folder / "trained.json"
            places = ("--capacity", str(capacity))
            _firstbell("train", str(folder / str(EARLIER)), *places, "--simulated", "--out", str(trained))
            for model in (None, trained):
                out = folder / "out.json"
                which = () if model is None else ("--model", str(model))
                _firstbell("backtest", str(folder / str(LATER)), *places, *which, "--json", str(out))
                document = json.loads(out.read_text(encoding="utf-8"))
                yield document | {"world": world, "seed": seed, "with": "shipped" if model is None else "trained"}


def _firstbell(*arguments: str) -> None:
    print("firstbell", arguments[0], *arguments[1:4], file=sys.stderr)
    command = [sys.executable, "-m", "services.cli.main", *arguments]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _table(rows: list[Figures]) -> list[str]:
    head = (
        "| world, seed | model | precision at capacity | 10% rule | best other ranking | alerts/K | over the 10% rule "
        "| ECE | top 1%: score, true | widest gap of groups, under the 10% rule |"
    )
    return [head, "|---|---|---|---|---|---|---|---|---|---|", *map(_line, rows)]


def _line(row: Figures) -> str:
    strategies = row["strategies"]
    both, top = strategies["both"], strategies["both"]["top_percent"]
    others = ("streak_3", "rate_to_date", "absences_20")
    best = max(others, key=lambda name: strategies[name]["precision_at_capacity"]["mean"] or 0)
    cells = (
        f"{row['world']}, {row['seed']}",
        row["with"],
        _share(both),
        _share(strategies["ten_percent"]),
        f"{_share(strategies[best])} ({best})",
        f"{both['alerts_per_week'] / row['capacity']:.2f}",
        f"{both['lead_over_ten_percent']['median'] or 0:.0f} days",
        f"{both['calibration_error']:.4f}",
        f"{top['score']:.1%}, {top['observed']:.1%}",
        f"{_gap(both):.1f}, {_gap(strategies['ten_percent']):.1f} points",
    )
    return f"| {' | '.join(cells)} |"


def _gap(strategy: Figures) -> float:
    """The widest difference of false-alert rates between values of a group with at least 100 students, in points."""
    rates = [
        [found["rate"] for found in values.values() if found["n"] >= SMALLEST]
        for values in strategy["false_alert_rate"].values()
    ]
    return 100 * max((max(each) - min(each) for each in rates if each), default=0.0)


def _share(strategy: Figures) -> str:
    found = strategy["precision_at_capacity"]
    if found["mean"] is None:
        return "-"
    return f"{found['mean']:.1%} ({found['low']:.1%}-{found['high']:.1%})"


if __name__ == "__main__":
    main()
