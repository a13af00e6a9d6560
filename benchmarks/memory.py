"""`python -m benchmarks.memory`: what a student takes in the worker's memory, and in its table.

The pure core with rules and model, daily marks each with a time of its own, and a flush behind each day's close whose
values are only measured. Everything is handed over in files, so that a fresh process holds nothing but the state: its
resident memory after the last day, less that before the first record (reference records count), by the students. The
peer, in a process of its own, keeps of the same marks a status by date by student in plain dicts. Stored is the sum of
the last value of every key, keys included.
"""

from __future__ import annotations

import tempfile
from itertools import chain
from pathlib import Path
from typing import Final, TypedDict

import click

from benchmarks.command import CONTEXT, json_option, say, write_document
from benchmarks.held import CORE, DICTS, Held, measure_held, write_chunks
from benchmarks.marks import Year, year_of
from benchmarks.publish import SINGLE, our_days, reference_records, single_days
from benchmarks.report import Machine, describe_machine
from services.cli.common import CommandError
from services.platform.processes import ProcessError

STUDENTS: Final = 4_000
DAYS: Final = 180
STUDENTS_A_PLACE: Final = 100


class Report(TypedDict):
    """The JSON document, in bytes; `written_…` is what all flushes together wrote.

    `ratio` is ours by the peer's, null when so few marks left the peer as it was.
    """

    students: int
    days: int
    bytes_per_student: float
    stored_bytes_per_student: float
    written_bytes_per_student: float
    plain_dicts_bytes_per_student: float
    ratio: float | None
    machine: Machine


@click.command(context_settings=CONTEXT)
@json_option
@click.option(
    "--students",
    default=STUDENTS,
    show_default=True,
    type=click.IntRange(100),
    help="With few, what the process holds besides them blurs the figure.",
)
@click.option("--days", default=DAYS, show_default=True, type=click.IntRange(1), help="School days.")
def main(out: Path | None, students: int, days: int) -> None:
    """Measure bytes a student in the worker's core and in its table, beside plain dicts of the same marks."""
    machine, year = describe_machine(), year_of(students, days=days)
    try:
        with tempfile.TemporaryDirectory(prefix="firstbell-benchmark-") as name:
            ours, peer = _measure(year, Path(name))
    except ProcessError as error:
        raise CommandError(str(error)) from error
    report = Report(
        students=students,
        days=days,
        bytes_per_student=ours["grown_bytes"] / students,
        stored_bytes_per_student=ours["stored_bytes"] / students,
        written_bytes_per_student=ours["written_bytes"] / students,
        plain_dicts_bytes_per_student=peer["grown_bytes"] / students,
        ratio=ours["grown_bytes"] / peer["grown_bytes"] if peer["grown_bytes"] > 0 else None,
        machine=machine,
    )
    write_document(out, report)
    click.echo(table(report))


def _measure(year: Year, folder: Path) -> tuple[Held, Held]:
    say(f"Writing {year.marks:,} marks of {len(year.pupils):,} students and {len(year.days)} school days")
    days = ([*day.marks, *day.closes] for day in our_days(year))
    write_chunks(folder / "ours", chain([list(reference_records(year))], days))
    write_chunks(folder / "peer", single_days(year, SINGLE))
    say("Taking them into the core")
    ours = measure_held(CORE, folder / "ours", places=max(1, len(year.pupils) // STUDENTS_A_PLACE))
    say("Taking them into plain dicts")
    return ours, measure_held(DICTS, folder / "peer", places=0)


def table(report: Report) -> str:
    """For people."""
    rows = {
        "in the core's memory": report["bytes_per_student"],
        "in plain dicts": report["plain_dicts_bytes_per_student"],
        "stored in the table": report["stored_bytes_per_student"],
        "written by all flushes": report["written_bytes_per_student"],
    }
    lines = [f"{'bytes a student':<24} {report['days']:>6} days"]
    lines += [f"{name:<24} {value:>11,.0f}" for name, value in rows.items()]
    if report["ratio"] is not None:
        lines.append(f"The core takes {report['ratio']:.2f} times the memory of plain dicts.")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
