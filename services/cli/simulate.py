"""`firstbell simulate`: a made-up district and school year as a folder of CSV files."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from models.simulation import World, WorldConfig
from models.simulation import simulate as make_world
from models.simulation.worlds import WORLDS
from services.cli.common import CommandError, failing, print_json
from services.lab.export_set import Progress as Written
from services.lab.export_set import write_export_set
from services.lab.world_file import WorldFile, read_changes, to_toml, with_file

MOST_STUDENTS = 1_000_000
EPILOG = "\b\nWorlds:\n" + "\n".join(f"  {name:15} {inspect.getdoc(make)}" for name, make in WORLDS.items())


@click.command(epilog=EPILOG)
@click.option("--students", type=click.IntRange(1, MOST_STUDENTS), help="How many.  [default: 2000]")
@click.option("--seed", type=click.IntRange(min=0), help="The same seed, the same files.  [default: 1]")
@click.option("--year", type=click.IntRange(1990, 2100), help="When the school year begins.  [default: 2025]")
@click.option("--world", type=click.Choice(tuple(WORLDS)), metavar="NAME", help="Another world than the default.")
@click.option(
    "--config",
    "file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="A TOML file with the parameters that differ from the world's; the options above win over it.",
)
@click.option("--show-config", is_flag=True, help="Print the whole config as TOML, to begin a file from, and stop.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="The folder; it is made if missing.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout: rows per file, and seconds.")
def simulate(
    *,
    students: int | None,
    seed: int | None,
    year: int | None,
    world: str | None,
    file: Path | None,
    show_config: bool,
    out: Path | None,
    as_json: bool,
) -> None:
    """Write a simulated school year as the district export set, outcomes included.

    Nobody in it exists. Files of the same name in the folder are replaced.
    """
    with failing():
        config = _config(students, seed, year, world, file)
    if show_config:
        click.echo(to_toml(config), nl=False)
    elif out is None:
        raise click.UsageError("Say where to write to with --out, or ask for --show-config.")
    else:
        _write(config, out, as_json=as_json)


def _config(
    students: int | None, seed: int | None, year: int | None, world: str | None, file: Path | None
) -> WorldFile:
    """The default or named world, with what the file changes, with what the options change."""
    options = {"students": students, "seed": seed, "calendar": None if year is None else {"first_year": year}}
    given = {name: value for name, value in options.items() if value is not None}
    changes = {} if file is None else read_changes(file)
    # How many students and which year decide what schools and calendar the world has, before the file changes them.
    wanted = WorldFile() if file is None else with_file(WorldFile(), changes, file)
    wanted = wanted.changed(given)
    base = WorldConfig.of_size(wanted.students, first_year=wanted.calendar.first_year)
    chosen = WorldFile.model_validate((base if world is None else WORLDS[world](base)).model_dump())
    return (chosen if file is None else with_file(chosen, changes, file)).changed(given)


def _write(config: WorldFile, out: Path, *, as_json: bool) -> None:
    began = perf_counter()
    console = Console(stderr=True)
    with console.status(f"Simulating {config.students:,} students"):
        world = make_world(config, config.seed)
    try:
        with _bar(console, world) as written:
            rows = write_export_set(world, out, written)
    except OSError as error:
        raise CommandError(f"Cannot write to {out}: {error.strerror}. Choose another folder with --out.") from error
    seconds = round(perf_counter() - began, 2)
    if as_json:
        said = {"students": config.students, "seed": config.seed, "out": str(out), "rows": rows, "seconds": seconds}
        print_json(said)
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
