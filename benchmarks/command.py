"""What the benchmarks' commands share: options, progress on stderr, the document."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import click

from models.artifact import Artifact, ArtifactError, default_artifact, load_artifact
from services.cli.common import CommandError

CONTEXT: Final = {"help_option_names": ["-h", "--help"]}

json_option = click.option(
    "--json", "out", type=click.Path(path_type=Path, dir_okay=False), help="Write the document here."
)
rounds_option = click.option(
    "--rounds", default=3, show_default=True, type=click.IntRange(1), help="Three or more for a figure."
)
model_option = click.option(
    "--model", type=click.Path(path_type=Path, exists=True), help="A risk model.  [default: what ships]"
)


def read_model(model: Path | None) -> Artifact:
    """This model, or the one that ships; raises `CommandError` when it cannot be used."""
    try:
        return load_artifact(model) if model else default_artifact()
    except ArtifactError as error:
        raise CommandError(str(error)) from error


def write_document(out: Path | None, report: Mapping[str, object]) -> None:
    """The report as JSON, when a file was named."""
    if out is not None:
        out.write_text(json.dumps(report, indent=1) + "\n")


def say(line: str) -> None:
    """Progress, on stderr."""
    click.echo(line, err=True)
