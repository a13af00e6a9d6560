"""Reading a school year with a bar for each file, and what is to be said of its rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from rich.progress import Progress

from services.cli.common import FIRST_DAY_OUT, failing
from services.lab.year import ReadHistory, agencies_of, read_history

_SHOWN: Final = 5
"""Rejected rows that are named."""


def read_year(
    folder: Path, progress: Progress, mapping: Path | None, exit_date: str, agency: str | None = None
) -> ReadHistory:
    """The folder's school year as the agency has it, else the first of the agreement, read as the options say.

    Raises `CommandError`.
    """
    bars: dict[str, Callable[[int, int], None]] = {}

    def reading(what: str, done: int, of: int) -> None:
        if what not in bars:
            bars[what] = bar(progress, f"Reading {what}")
        bars[what](done, of)

    with failing():
        return read_history(folder, reading, agency=agency, mapping=mapping, first_day_out=exit_date == FIRST_DAY_OUT)


def read_agencies(folder: Path, mapping: Path | None) -> tuple[str, ...]:
    """To whom attendance flows by the folder's agreement; raises `CommandError`."""
    with failing():
        return agencies_of(folder, mapping)


def notes(folder: Path, read: ReadHistory) -> Iterator[str]:
    """What the user should know of the files, a line each."""
    yield from (f"{folder.name}: {note}" for note in read.notes)
    if read.rejected:
        yield f"{folder.name}: {len(read.rejected):,} rows could not be used; the first:"
        yield from (f"  {each.file}:{each.line}: {each.reason}" for each in read.rejected[:_SHOWN])


def bar(progress: Progress, what: str) -> Callable[[int, int], None]:
    """Shows how much of how much is done."""
    task = progress.add_task(what, total=None)
    return lambda done, of: progress.update(task, completed=done, total=of)
