"""Writes a simulated world as the district export set: a folder of CSV files."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path

from models.simulation import HEADERS, Row, World

Progress = Callable[[str, int], None]
"""Called with the file's name and the number of rows just written."""

ROWS_AT_A_TIME = 20_000


def write_export_set(world: World, out: Path, progress: Progress | None = None) -> dict[str, int]:
    """Write every file of the world into the folder, which is made if missing; files of the same name are replaced.

    Returns the number of rows per file, headers not counted. Raises `OSError` when a file cannot be written.
    """
    out.mkdir(parents=True, exist_ok=True)
    return {name: _write(out, name, rows, progress) for name, rows in world.files().items()}


def _write(out: Path, name: str, rows: Iterable[Row], progress: Progress | None) -> int:
    """A file appears under its name only when it is whole."""
    part = out / f"{name}.part"
    written = 0
    with part.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADERS[name])
        for chunk in _chunks(iter(rows)):
            writer.writerows(chunk)
            written += len(chunk)
            if progress is not None:
                progress(name, len(chunk))
    part.replace(out / name)
    return written


def _chunks(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while chunk := list(islice(rows, ROWS_AT_A_TIME)):
        yield chunk
