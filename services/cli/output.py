"""Where a command's document goes, and progress on stderr."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

STDOUT = "-"


def write_json(document: Mapping[str, object], target: str) -> None:
    """Write the document (UTF-8, indented) to a file, or to stdout for `-`; raises `click.FileError`."""
    text = json.dumps(document, ensure_ascii=False, indent=1) + "\n"
    if target == STDOUT:
        click.echo(text, nl=False)
        return
    try:
        Path(target).write_text(text, encoding="utf-8")
    except OSError as error:
        raise click.FileError(target, error.strerror or "cannot be written") from error


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """A progress display on stderr, which shows only on a terminal."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        yield progress


def say(text: str) -> None:
    """A line for the person at the terminal, on stderr."""
    click.echo(text, err=True)
