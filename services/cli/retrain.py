"""`firstbell retrain`: a new risk model, if it is no worse than the one in use and as even between groups."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Final

import click

from models.artifact import Artifact, ArtifactError, load_artifact
from models.training.retrain import Decision
from models.training.retrain import retrain as retrain_model
from models.training.split import TrainingError
from services.cli.common import CommandError
from services.cli.learning import (
    SchoolYears,
    document,
    fitting,
    folders_argument,
    learning_options,
    read_years,
    source_of,
    write_artifact,
)
from services.cli.output import STDOUT, progress_bar, say, write_json

REFUSED: Final = 4
"""Exit status."""


@click.command()
@folders_argument
@click.option(
    "--current",
    "current_file",
    metavar="ARTIFACT",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="The model in use.",
)
@click.option(
    "--capacity",
    type=click.IntRange(1),
    help="Students the team of one district can newly take on in a week.  [default: as many a student as --current]",
)
@learning_options
def retrain(
    folders: tuple[Path, ...],
    current_file: Path,
    capacity: int | None,
    mapping: Path | None,
    exit_date: str,
    out: Path,
    seed: int,
    json_target: str | None,
    *,
    simulated: bool,
) -> None:
    """Train on the school years in DIR..., compare with the model in use on the latest weeks, and write what to use.

    The new model learns from all but the latest weeks and is refused when on these weeks fewer of its places come
    true, the false-alert rates of two groups lie further apart, or its scores are less true than those of --current.
    Accepted, ARTIFACT is the new model, learned from all weeks; refused, it is --current. In both cases the file says
    what was decided, when and why. Closed cases become labels as rows of outcomes.csv (`firstbell outcomes`).

    Exit status: 0 accepted; 4 refused; 1 failed, the message says why; 2 wrong usage.
    """
    began = perf_counter()
    try:
        current = load_artifact(current_file)
    except ArtifactError as error:
        raise CommandError(str(error)) from error
    with progress_bar() as progress:
        years = read_years(folders, progress, mapping, exit_date)
        places = capacity or _places(current, years.students / len(folders))
        say(f"{years.students:,} students with a consent; {places} places a week.")
        try:
            decision = retrain_model(
                years.examples,
                current,
                source_of(years, simulated=simulated),
                name=out.stem,
                capacity=places,
                seed=seed,
                on=datetime.now(UTC).date(),
                progress=fitting(progress),
            )
        except TrainingError as error:
            raise CommandError(str(error)) from error
    write_artifact(decision.artifact, out)
    if json_target != STDOUT:
        click.echo(decision.reason)
    if json_target is not None:
        write_json(_document(decision, years, perf_counter() - began), json_target)
    if not decision.accepted:
        raise SystemExit(REFUSED)


def _places(current: Artifact, students: float) -> int:
    """As many places a student as the model in use was chosen for."""
    return max(1, round(current.capacity * students / max(current.training.students, 1)))


def _document(decision: Decision, years: SchoolYears, seconds: float) -> dict[str, object]:
    decided = {"accepted": decision.accepted, "reason": decision.reason, "figures": decision.figures}
    return decided | document(decision.artifact, years, seconds)
