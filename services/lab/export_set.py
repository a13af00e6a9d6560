"""Writes a simulated world as the district export set: a folder of CSV files."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path

from models.simulation import HEADERS, Row, World
from services.ingest.agreement.reading import FILE as AGREEMENT_FILE

Progress = Callable[[str, int], None]
"""Called with the file's name and the number of rows just written."""

ROWS_AT_A_TIME = 20_000
_TERM_YEARS = 50
_AGREEMENT = """\
# The agreement of a simulated district: nobody in it exists.
id = "{id}"
version = 1
effective_on = {first}-07-01
expires_on = {last}-06-30
destroy_by = {last}-12-31
small_cell = 10

[[party]]
id = "bps"
name = "A simulated district"
role = "district"

[[party]]
id = "{agency}"
name = "Project Hope"
role = "agency"

[[disclosure]]
to = "{agency}"
purpose = "{purpose}"
records = ["attendance", "contact", "demographics", "housing_status"]
schools = [{schools}]
form = "live"
"""


def write_export_set(world: World, out: Path, progress: Progress | None = None) -> dict[str, int]:
    """Write every file of the world into the folder, which is made if missing; files of the same name are replaced.

    With them goes an agreement under which attendance of all its schools flows to one agency. Returns the number of
    rows per file, headers not counted. Raises `OSError` when a file cannot be written.
    """
    out.mkdir(parents=True, exist_ok=True)
    (out / AGREEMENT_FILE).write_text(_agreement(world), encoding="utf-8")
    return {name: _write(out, name, rows, progress) for name, rows in world.files().items()}


def _agreement(world: World) -> str:
    first = world.config.calendar.first_year
    consents = world.config.consents
    return _AGREEMENT.format(
        id=consents.agreement_id,
        agency=consents.recipients,
        purpose=consents.purpose,
        schools=", ".join(f'"{school.school_id}"' for school in world.config.schools),
        first=first,
        last=first + _TERM_YEARS,
    )


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
