"""Where a command's document goes, progress on stderr, and where a stack is."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from services.platform.embedded.endpoints import Stack

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


def describe(stack: Stack) -> list[str]:
    """Where everything is, one line each; without the database's password."""
    rows = [
        ("ingest", f"{stack.ingest}/docs"),
        ("console", stack.console),
        ("casework", f"{stack.casework}/docs"),
        ("warning", f"{stack.warning}/readyz"),
        ("notify", f"{stack.notify}/readyz"),
        ("kafka", stack.kafka),
        ("postgres", stack.database.rpartition("@")[2]),
        ("smtp", stack.smtp),
        *([("mails", str(stack.mail_dir))] if stack.mail_dir else []),
        ("issuer", stack.issuer),
        ("data", str(stack.data_dir)),
        ("logs", str(stack.data_dir / "logs")),
    ]
    return ["First Bell is up. Ctrl-C stops it.", *(f"  {name:<10}{where}" for name, where in rows)]
