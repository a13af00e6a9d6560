"""`python -m benchmarks.records`: what an import of grades costs, and whether its memory stays as it is.

Of students whose consents and enrollments were imported before (`people`), the grades alone are imported into an
embedded Kafka and PostgreSQL, all new, then the same again; every student has 20 of them, of four terms. The peer is a
plain `COPY` of the rows into a table of the same columns that has neither key nor index. A tenth of the rows comes
first, of other students: what the process holds at most may hardly be more with all of them. Progress is on stderr, the
table on stdout.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple, TypedDict

import click
import psutil
from psycopg import AsyncConnection

from benchmarks.command import CONTEXT, json_option, say, write_document
from benchmarks.report import Machine, describe_machine
from services.cli.common import failing, log_quietly
from services.ingest.agreement.document import assumed
from services.ingest.agreement.folder import AGENCY, PURPOSE
from services.ingest.agreement.standing import apply_agreement
from services.ingest.formats import open_sources
from services.ingest.imports.importer import Importer
from services.ingest.intake import SERVICE, Intake
from services.ingest.settings import IngestSettings
from services.platform.embedded.endpoints import Stack, stack_database
from services.platform.embedded.stack import running_stack
from services.platform.memory import collect_rarely
from services.platform.signals import until_stopped
from services.registry import SERVICES

INTERRUPTED: Final = 130
EACH: Final = 20
"""Grades of one student."""
_TERMS: Final = ("T1", "T2", "T3", "T4")
_STARTS: Final = (("2025-09-02", "2025-11-07"), ("2025-11-10", "2026-01-30"), ("2026-02-02", "2026-04-10"))
_DAYS: Final = (*_STARTS, ("2026-04-13", "2026-06-19"))
_MARKS: Final = ("A", "B+", "B", "C-", "93.5", "87")
_CONSENTS: Final = "student_id,agreement_id,signed_by,relationship,signed_on,method,records,purpose,recipients"
_CONSENT: Final = "a,A. Guardian,parent,2025-08-01,paper,grades,homelessness-prevention,project-hope"


class Imported(NamedTuple):
    """What an import took, and the most that the process held during it."""

    seconds: float
    cpu_seconds: float
    held_bytes: int


class Report(TypedDict):
    """The JSON document: seconds, and the most that the process held (bytes) during a tenth of the grades and all."""

    grades: int
    seconds: dict[str, float]
    cpu_microseconds_per_row: float
    ratio_to_copy: float
    held_bytes_tenth: int
    held_bytes_all: int
    machine: Machine


@click.command(context_settings=CONTEXT)
@json_option
@click.option("--grades", default=1_000_000, show_default=True, type=click.IntRange(10 * EACH), help="About so many.")
def main(out: Path | None, grades: int) -> None:
    """Measure an import of grades, the same again, and a plain COPY beside it; and the memory of a tenth and of all."""
    log_quietly()
    collect_rarely()
    with failing():
        report = asyncio.run(until_stopped(_run(grades)))
    if report is None:
        sys.exit(INTERRUPTED)
    write_document(out, report)
    click.echo(table(report))


async def _run(grades: int) -> Report:
    machine, students = describe_machine(), grades // EACH
    with tempfile.TemporaryDirectory(prefix="firstbell-benchmark-", ignore_cleanup_errors=True) as name:
        settings = IngestSettings(data_dir=Path(name) / "data", kafka=None, database=None, smtp=None)
        async with running_stack(settings, SERVICES, run=(), say=say) as stack:
            await apply_agreement(stack.database, assumed(AGENCY, PURPOSE))
            people, tenth, whole = Path(name) / "people", Path(name) / "tenth", Path(name) / "whole"
            ours = [f"a{number:06}" for number in range(students)]
            others = [f"b{number:06}" for number in range(students // 10)]
            write_people(people, [*ours, *others])
            write_grades(tenth, others)
            rows = write_grades(whole, ours)
            folders = {"people": people, "tenth": tenth, "import": whole, "import_again": whole}
            done = {name: await _import(settings, stack, folder) for name, folder in folders.items()}
            copied = await _copy(stack, whole / "grades.csv")
    return Report(
        grades=rows,
        seconds={**{name: one.seconds for name, one in done.items()}, "copy": copied},
        cpu_microseconds_per_row=1e6 * done["import"].cpu_seconds / rows,
        ratio_to_copy=done["import"].seconds / copied,
        held_bytes_tenth=done["tenth"].held_bytes,
        held_bytes_all=done["import"].held_bytes,
        machine=machine,
    )


def write_people(folder: Path, students: Sequence[str]) -> None:
    """Consents to grades, and enrollments in one school."""
    folder.mkdir()
    _write(folder / "consents.csv", _CONSENTS, ((student, *_CONSENT.split(",")) for student in students))
    spans = ((student, "0455", "2025-09-01") for student in students)
    _write(folder / "enrollments.csv", "student_id,school_id,entry_date", spans)
    terms = ((term, start, end, "100") for term, (start, end) in zip(_TERMS, _DAYS, strict=True))
    _write(folder / "terms.csv", "term,start_date,end_date,grade_scale_max", terms)


def write_grades(folder: Path, students: Sequence[str]) -> int:
    """`EACH` grades of each student, term by term as a district exports them; returns how many."""
    folder.mkdir()
    rows = (
        (student, f"C{course}", term, _MARKS[(place + course) % len(_MARKS)], "1")
        for term in _TERMS
        for place, student in enumerate(students)
        for course in range(EACH // len(_TERMS))
    )
    _write(folder / "grades.csv", "student_id,course,term,grade,credits", rows)
    return EACH * len(students)


def _write(path: Path, header: str, rows: Iterator[Sequence[str]]) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(f"{header}\n")
        file.writelines(f"{','.join(row)}\n" for row in rows)


async def _import(settings: IngestSettings, stack: Stack, folder: Path) -> Imported:
    process, held = psutil.Process(), [0]

    def look(_: int) -> None:
        held[0] = max(held[0], process.memory_info().rss)

    source, started, cpu = open_sources([folder]), time.perf_counter(), time.process_time()
    async with Intake.open(settings.on(stack.kafka, stack_database(stack, SERVICE))) as intake:
        await intake.start()
        report = await Importer(intake, source, look).run()
    done = Imported(time.perf_counter() - started, time.process_time() - cpu, held[0])
    accepted = sum(counts["accepted"] for counts in report.kinds().values())
    say(f"{folder.name}: {accepted:,} accepted, {done.seconds:.1f} s, {done.held_bytes / 1e6:.0f} MB at most")
    return done


async def _copy(stack: Stack, path: Path) -> float:
    rows = [tuple(line.rstrip("\n").split(",")) for line in path.open(encoding="utf-8")][1:]
    address = stack.database.replace("postgresql+psycopg", "postgresql")
    started = time.perf_counter()
    async with await AsyncConnection.connect(address) as connection:
        await connection.execute(
            "CREATE TABLE public.copied (student text, course text, term text, grade text, credits text)"
        )
        async with connection.cursor().copy("COPY public.copied FROM STDIN") as copy:
            for row in rows:
                await copy.write_row(row)
    return time.perf_counter() - started


def table(report: Report) -> str:
    """For people."""
    lines = [f"{'seconds':<24} {report['grades']:>10,} grades"]
    lines += [f"{name.replace('_', ' '):<24} {seconds:>10,.1f}" for name, seconds in report["seconds"].items()]
    lines.append(
        f"An import takes {report['ratio_to_copy']:.1f} times as long as a plain COPY, and "
        f"{report['cpu_microseconds_per_row']:.0f} µs of CPU a row beside PostgreSQL's; it held at most "
        f"{report['held_bytes_all'] / 1e6:,.0f} MB, {report['held_bytes_tenth'] / 1e6:,.0f} with a tenth of the rows."
    )
    machine = report["machine"]
    lines.append(
        f"{machine['cores']} cores, Python {machine['python']}, {machine['system']}, load {machine['load']:.1f}"
    )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
