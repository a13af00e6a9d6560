"""What commands share that look at a folder of files, or at the running system."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from services.cli.common import Command

folder_argument = click.argument(
    "folder", metavar="[FOLDER]", required=False, type=click.Path(path_type=Path, exists=True, file_okay=False)
)
live_option = click.option("--live", is_flag=True, help="Of the running system in place of a folder.")


def as_of_option(meaning: str) -> Callable[[Command], Command]:
    """`--as-of`, a day; the meaning says what it does."""
    return click.option(
        "--as-of",
        metavar="DATE",
        type=click.DateTime(["%Y-%m-%d"]),
        help=f"{meaning}  [default: the last day that a school reported; live, today]",
    )


def require_one(folder: Path | None, *, live: bool) -> None:
    """Raise `click.UsageError` unless one of both is asked about."""
    if live == (folder is not None):
        raise click.UsageError("Give a FOLDER, or --live.")
