"""Makes the risk model that ships: simulated districts with quite different assumptions, and `firstbell train` on them.

    uv run python deploy/train_default.py     # some ten minutes on two cores

What holds across worlds counts: the worlds differ in how much housing trouble shows, in how, and in all else that keeps
children from school. One without any signal, and two of other base rates, are left out: a model for all of them at once
would be calibrated for none.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

ARTIFACT = Path(__file__).parents[1] / "models" / "artifacts" / "default.json"
STUDENTS = 6000
YEAR = 2024
FIRST_SEED = 1000
WORLDS = (
    *("default", "default", "weak_signal", "strong_signal", "rural", "late_reporting", "sections", "high_absence"),
    *("low_absence", "short_lead", "long_lead", "tardy_led", "excused_led", "flu_year", "biased_groups"),
)
"""`default` stands for no other world."""
CAPACITY = 16
"""New alerts a week in each of them: one for every 250 students whose parents consented."""


def main() -> None:
    """Simulate, train, and put the artifact in its place."""
    with tempfile.TemporaryDirectory(prefix="firstbell-worlds-") as folder:
        districts = [
            _simulated(Path(folder) / f"{number:02}-{world}", world, FIRST_SEED + number)
            for number, world in enumerate(WORLDS)
        ]
        ARTIFACT.parent.mkdir(exist_ok=True)
        _firstbell(
            "train", *districts, "--simulated", "--capacity", str(CAPACITY), "--seed", "1", "--out", str(ARTIFACT)
        )


def _simulated(folder: Path, world: str, seed: int) -> str:
    chosen = () if world == "default" else ("--world", world)
    size = ("--students", str(STUDENTS), "--year", str(YEAR), "--seed", str(seed))
    _firstbell("simulate", *chosen, *size, "--out", str(folder))
    return str(folder)


def _firstbell(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "services.cli.main", *arguments], check=True)  # noqa: S603 - our own command


if __name__ == "__main__":
    main()
