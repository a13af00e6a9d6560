"""What `firstbell train` and `firstbell retrain` share: school years as examples, and the artifact's file."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any, TypeVar

import click
import numpy as np
from rich.progress import Progress

from models.artifact import Artifact
from models.policy import default_policy
from models.training.examples import Examples, joined
from models.training.selection import NONE
from models.training.train import DataSource, chosen_of
from models.training.walked import examples_of
from services.cli.common import CommandError, exit_date_option, mapping_option
from services.cli.output import say
from services.cli.reading import bar, notes, read_year
from services.platform.files import whole_file

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class SchoolYears:
    """The folders' school years, to learn from."""

    examples: Examples
    marks: int
    students: int
    """With a consent; counted in each folder."""
    data_sha256: str


def folders_argument(command: Command) -> Command:
    """Add the folders."""
    folder = click.Path(path_type=Path, exists=True, file_okay=False)
    return click.argument("folders", metavar="DIR...", type=folder, nargs=-1, required=True)(command)


def learning_options(command: Command) -> Command:
    """Add `--mapping`, `--exit-date`, `--out`, `--seed`, `--simulated` and `--json`."""
    options = (
        mapping_option,
        exit_date_option,
        click.option("--out", metavar="ARTIFACT", type=click.Path(path_type=Path, dir_okay=False), required=True),
        click.option(
            "--seed", type=click.IntRange(0, 2**32 - 1), default=1, show_default=True, help="Same seed, same file."
        ),
        click.option("--simulated", is_flag=True, help="No real child is in the data: every score will say so."),
        click.option("--json", "json_target", metavar="OUT", help="Write the figures as JSON to OUT, `-` for stdout."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def read_years(folders: Sequence[Path], progress: Progress, mapping: Path | None, exit_date: str) -> SchoolYears:
    """Walk every folder's school year; says what cannot be used. Raises `CommandError`."""
    parts, marks, students, files = [], 0, 0, {}
    for folder in folders:
        read = read_year(folder, progress, mapping, exit_date)
        for note in notes(folder, read):
            say(note)
        parts.append(examples_of(read.history, default_policy(), bar(progress, "Walking")))
        marks += read.history.rows
        students += len(read.history.student_ids)
        files[folder] = read.files
    try:
        digest = data_sha256(files)
    except OSError as error:
        raise CommandError(f"A file cannot be read: {error.strerror}.") from error
    return SchoolYears(joined(parts), marks, students, digest)


def fitting(progress: Progress) -> Callable[[int, int], None]:
    """Shows how far training has come."""
    return bar(progress, "Learning")


def data_sha256(folders: Mapping[Path, Collection[str]]) -> str:
    """The hash of the folders' CSV files and the others that are named, wherever the folders are, in any order."""
    return sha256("".join(sorted(_folder_sha256(*each) for each in folders.items())).encode()).hexdigest()


def source_of(years: SchoolYears, *, simulated: bool) -> DataSource:
    """What the artifact says of where the examples are from."""
    return DataSource(simulated=simulated, students=years.students, data_sha256=years.data_sha256)


def write_artifact(artifact: Artifact, out: Path) -> None:
    """Write the file whole or not at all; one of that name is replaced. Raises `CommandError`."""
    try:
        with whole_file(out) as file:
            file.write(artifact.dump().encode())
    except OSError as error:
        raise CommandError(f"Cannot write {out}: {error.strerror}. Choose another place with --out.") from error


def document(artifact: Artifact, years: SchoolYears, seconds: float) -> dict[str, object]:
    """What `--json` says of an artifact and its training."""
    return {
        "name": artifact.name,
        "kind": artifact.kind,
        "signal": artifact.signal,
        "chosen": chosen_of(artifact),
        "capacity": artifact.capacity,
        "base_rate": artifact.base_rate,
        "candidates": artifact.metrics,
        "training": artifact.training.model_dump(mode="json"),
        "marks": years.marks,
        "students": years.students,
        "data_sha256": years.data_sha256,
        "rows": int(np.count_nonzero(years.examples.judgeable)),
        "seconds": round(seconds, 1),
    }


def describe(artifact: Artifact) -> Iterator[str]:
    """The candidates for people."""
    yield f"{'On other households and later weeks':<44}{'precision at capacity':>22}{'calibration error':>19}"
    for name, figures in artifact.metrics.items():
        shown = "the same score for all" if name == NONE else name
        mark = "*" if figures.get("chosen") else " "
        precision, error = figures["precision_at_capacity"] or 0.0, figures["calibration_error"] or 0.0
        yield f"{mark} {shown:<42}{precision:>22.1%}{error:>19.4f}"
    if not artifact.signal:
        yield "The history shows no signal, so the model claims none: with it, the rules decide."


def _folder_sha256(folder: Path, named: Collection[str]) -> str:
    found = sha256()
    for path in sorted(folder.iterdir(), key=lambda path: path.name.lower()):
        if path.is_file() and (path.suffix.lower() == ".csv" or path.name in named):
            with path.open("rb") as file:
                found.update(f"{path.name.lower()} {file_digest(file, 'sha256').hexdigest()}\n".encode())
    return found.hexdigest()
