"""`firstbell simulate`: a made-up district and school year as a folder of CSV files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from models.simulation import World, WorldConfig
from models.simulation import simulate as make_world
from services.cli.common import CommandError, print_json
from services.cli.export_set import Progress as Written
from services.cli.export_set import write_export_set

MOST_STUDENTS = 1_000_000


@click.command()
@click.option("--students", type=click.IntRange(1, MOST_STUDENTS), default=2000, show_default=True)
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="The same seed, the same files.")
@click.option("--year", type=click.IntRange(1990, 2100), default=2025, show_default=True, help="When the year begins.")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="The folder; it is made if missing."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout: rows per file, and seconds.")
def simulate(students: int, seed: int, year: int, out: Path, as_json: bool) -> None:
    """Write a simulated school year as the district export set, outcomes included.

    Nobody in it exists. Files of the same name in the folder are replaced.
    """
    began = perf_counter()
    console = Console(stderr=True)
    with console.status(f"Simulating {students:,} students"):
        world = make_world(WorldConfig.of_size(students, first_year=year), seed)
    try:
        with _bar(console, world) as written:
            rows = write_export_set(world, out, written)
    except OSError as error:
        raise CommandError(f"Cannot write to {out}: {error.strerror}. Choose another folder with --out.") from error
    seconds = round(perf_counter() - began, 2)
    if as_json:
        print_json({"students": students, "seed": seed, "out": str(out), "rows": rows, "seconds": seconds})
    else:
        console.print(f"{sum(rows.values()):,} rows in {len(rows)} files in {out}, {seconds} s.", highlight=False)


@contextmanager
def _bar(console: Console, world: World) -> Iterator[Written]:
    """A progress bar over the attendance rows, which are nearly all there are."""
    columns = (TextColumn("attendance.csv"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("attendance", total=world.attendance_count)

        def written(name: str, rows: int) -> None:
            if name == "attendance.csv":
                progress.advance(task, rows)

        yield written
