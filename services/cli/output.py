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
    """Write the document (UTF-8, indented) to a file, or to stdout for `-`; raises `click.FileError`.

    A value that is an iterator becomes an array, written item by item.
    """
    if target == STDOUT:
        for text in _json(document):
            click.echo(text, nl=False)
        return
    try:
        with Path(target).open("w", encoding="utf-8") as file:
            file.writelines(_json(document))
    except OSError as error:
        raise click.FileError(target, error.strerror or "cannot be written") from error


def _json(document: Mapping[str, object]) -> Iterator[str]:
    before = "{\n"
    for name, value in document.items():
        yield f"{before} {json.dumps(name)}: "
        if isinstance(value, Iterator):
            yield from _array(value)
        else:
            yield json.dumps(value, ensure_ascii=False, indent=1).replace("\n", "\n ")
        before = ",\n"
    yield "\n}\n"


def _array(items: Iterator[object]) -> Iterator[str]:
    before = "["
    for item in items:
        yield f"{before}\n  {json.dumps(item, ensure_ascii=False)}"
        before = ","
    yield "[]" if before == "[" else "\n ]"


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
