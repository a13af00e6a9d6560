"""`--model` and `--capacity` of commands that start a stack of their own: what the worker is given."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from models.artifact import ArtifactError, default_artifact, load_artifact
from services.cli.common import CommandError, load_settings
from services.warning.settings import WarningSettings

Command = TypeVar("Command", bound=Callable[..., Any])

model_option = click.option(
    "--model",
    "model_file",
    metavar="ARTIFACT",
    type=click.Path(path_type=Path),
    help="A risk model.  [default: FIRSTBELL_MODEL_FILE or the one that ships]",
)


def capacity_option(
    default: str = "FIRSTBELL_CAPACITY; without one the rules' levels hold",
) -> Callable[[Command], Command]:
    """Add `--capacity`; its value is None when it was not given, and then the default is what this says."""
    text = f"Students the team can newly take on in a week.  [default: {default}]"
    return click.option("--capacity", type=click.IntRange(1), help=text)


def model_environment(model_file: Path | None, capacity: int | None) -> dict[str, str]:
    """The worker's environment for what was given."""
    given = {
        "FIRSTBELL_MODEL_FILE": None if model_file is None else str(model_file.absolute()),
        "FIRSTBELL_CAPACITY": None if capacity is None else str(capacity),
    }
    return {name: value for name, value in given.items() if value is not None}


def require_model(model_file: Path | None, data_dir: Path | None) -> None:
    """Raises `CommandError` when the model that was given, or else the settings', cannot be used."""
    chosen = model_file or load_settings(WarningSettings, data_dir).model_file
    try:
        _ = default_artifact() if chosen is None else load_artifact(chosen)
    except ArtifactError as error:
        raise CommandError(str(error)) from error
