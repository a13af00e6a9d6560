"""`firstbell train`: a risk model from districts' school years."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter
from typing import Final

import click

from models.training.split import TrainingError
from models.training.train import train as train_model
from services.cli.common import CommandError
from services.cli.learning import (
    describe,
    document,
    fitting,
    folders_argument,
    learning_options,
    read_years,
    source_of,
    write_artifact,
)
from services.cli.output import STDOUT, progress_bar, say, write_json

STUDENTS_PER_PLACE: Final = 250
"""Without `--capacity`: one new alert a week for so many students with a consent."""


@click.command()
@folders_argument
@click.option(
    "--capacity",
    type=click.IntRange(1),
    help="Students the team of one district can newly take on in a week.  [default: 1 for 250 students with a consent]",
)
@learning_options
def train(
    folders: tuple[Path, ...],
    capacity: int | None,
    mapping: Path | None,
    exit_date: str,
    out: Path,
    seed: int,
    json_target: str | None,
    *,
    simulated: bool,
) -> None:
    """Train a risk model on the school years in DIR... and write it as ARTIFACT, a JSON file of plain numbers.

    Each DIR is a district export set with outcomes.csv; with several school years the last one judges. Candidates are
    judged on households and later weeks that they were not trained on, by how many of the places that --capacity gives
    come true. Without a signal the model claims none.

    Exit status: 0 done, also without a signal; 1 failed, the message says why; 2 wrong usage.
    """
    began = perf_counter()
    with progress_bar() as progress:
        years = read_years(folders, progress, mapping, exit_date)
        places = capacity or max(1, round(years.students / len(folders) / STUDENTS_PER_PLACE))
        say(f"{years.students:,} students with a consent; {places} places a week.")
        source = source_of(years, simulated=simulated)
        try:
            artifact = train_model(
                years.examples, source, name=out.stem, capacity=places, seed=seed, progress=fitting(progress)
            )
        except TrainingError as error:
            raise CommandError(str(error)) from error
    write_artifact(artifact, out)
    if json_target != STDOUT:
        click.echo("\n".join(describe(artifact)))
    if json_target is not None:
        write_json(document(artifact, years, perf_counter() - began), json_target)
