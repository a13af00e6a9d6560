"""`python -m benchmarks.intake`: what an import costs, by reader alone and whole, into Kafka and PostgreSQL.

The reader is measured on a table and on Ed-Fi XML of the same marks, nothing else done; the whole is the importer of
`firstbell import` on an embedded Kafka and PostgreSQL, first with rows that are all new, then the same files again.
The peer is a plain `COPY` of the rows into a table of the same columns. Progress is on stderr, the table on stdout.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from statistics import median
from typing import Final, TypedDict

import click
from psycopg import AsyncConnection

from benchmarks.command import CONTEXT, json_option, rounds_option, say, write_document
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
STUDENTS: Final = 2_000
FIRST: Final = date(2025, 9, 1)
_STATUSES: Final = ("present", "present", "present", "absent", "tardy")
_CATEGORIES: Final = {"present": "In Attendance", "absent": "Unexcused Absence", "tardy": "Tardy"}
_CONSENTS: Final = "student_id,agreement_id,signed_by,relationship,signed_on,method,records,purpose,recipients"
_CONSENT: Final = "a,A. Guardian,parent,2025-08-01,paper,attendance,homelessness-prevention,project-hope"

Rates = dict[str, float]
"""Rows a second, by what was measured."""


class Report(TypedDict):
    """The JSON document: medians, and how many times as long as a plain COPY a new import takes."""

    marks: int
    rows_per_second: Rates
    cpu_microseconds_per_row: float
    ratio_to_copy: float
    rounds: list[Rates]
    machine: Machine


@click.command(context_settings=CONTEXT)
@json_option
@rounds_option
@click.option("--marks", default=200_000, show_default=True, type=click.IntRange(STUDENTS), help="About so many.")
def main(out: Path | None, rounds: int, marks: int) -> None:
    """Measure rows a second: readers alone, an import whole, the same import again, and a plain COPY beside it."""
    log_quietly()
    collect_rarely()
    with failing():
        report = asyncio.run(until_stopped(_run(rounds, marks)))
    if report is None:
        sys.exit(INTERRUPTED)
    write_document(out, report)
    click.echo(table(report))


async def _run(rounds: int, marks: int) -> Report:
    machine, done, cpu = describe_machine(), [], []
    with tempfile.TemporaryDirectory(prefix="firstbell-benchmark-", ignore_cleanup_errors=True) as name:
        settings = IngestSettings(data_dir=Path(name) / "data", kafka=None, database=None, smtp=None)
        async with running_stack(settings, SERVICES, run=(), say=say) as stack:
            await apply_agreement(stack.database, assumed(AGENCY, PURPOSE))
            for number in range(rounds):
                folder = Path(name) / str(number)
                rows = write_folder(folder, f"r{number}-", marks)
                rates = {"csv_reader": _read(folder / "attendance.csv"), "xml_reader": _read(write_xml(folder, rows))}
                started = time.process_time()
                rates["import"] = await _import(settings, stack, folder)
                cpu.append(1e6 * (time.process_time() - started) / len(rows))
                rates["import_again"] = await _import(settings, stack, folder)
                rates["copy"] = await _copy(stack, rows)
                done.append(rates)
                say(f"round {number + 1}: " + ", ".join(f"{one} {rate:,.0f}/s" for one, rate in rates.items()))
    medians = {name: median(one[name] for one in done) for name in done[0]}
    return Report(
        marks=len(rows),
        rows_per_second=medians,
        cpu_microseconds_per_row=median(cpu),
        ratio_to_copy=medians["copy"] / medians["import"],
        rounds=done,
        machine=machine,
    )


def write_folder(folder: Path, prefix: str, marks: int) -> list[Sequence[str]]:
    """A district whose every row is new and consented; returns its attendance."""
    folder.mkdir()
    students = [f"{prefix}{number:05}" for number in range(STUDENTS)]
    days = _weekdays(max(1, marks // STUDENTS))
    _write(folder / "consents.csv", _CONSENTS, _consents(students))
    spans = ((student, "0455", FIRST.isoformat()) for student in students)
    _write(folder / "enrollments.csv", "student_id,school_id,entry_date", spans)
    calendar = (("0455", day, "true") for day in days)
    _write(folder / "calendar.csv", "school_id,date,instructional", calendar)
    rows: list[Sequence[str]] = [
        (student, "0455", day, _STATUSES[(place + number) % len(_STATUSES)], f"{day}T09:{place % 60:02}:00")
        for number, day in enumerate(days)
        for place, student in enumerate(students)
    ]
    _write(folder / "attendance.csv", "student_id,school_id,date,status,recorded_at", rows)
    return rows


def write_xml(folder: Path, rows: Sequence[Sequence[str]]) -> Path:
    """The same marks as an Ed-Fi interchange, outside the folder that is imported."""
    path = folder.with_suffix(".xml")
    with path.open("w", encoding="utf-8") as file:
        file.write('<InterchangeStudentAttendance xmlns="http://ed-fi.org/5.2.0">')
        file.writelines(_event(row) for row in rows)
        file.write("</InterchangeStudentAttendance>")
    return path


def _event(row: Sequence[str]) -> str:
    student, school, day, status, _ = row
    return (
        f"<StudentSchoolAttendanceEvent>\n<AttendanceEvent><EventDate>{day}</EventDate><AttendanceEventCategory>"
        f"uri://ed-fi.org/AttendanceEventCategoryDescriptor#{_CATEGORIES[status]}</AttendanceEventCategory>"
        "</AttendanceEvent><StudentReference><StudentIdentity><StudentUniqueId>"
        f"{student}</StudentUniqueId></StudentIdentity></StudentReference><SchoolReference><SchoolIdentity><SchoolId>"
        f"{school}</SchoolId></SchoolIdentity></SchoolReference></StudentSchoolAttendanceEvent>\n"
    )


def _weekdays(number: int) -> list[str]:
    days = (FIRST + timedelta(days=place) for place in range(2 * number + 7))
    return [day.isoformat() for day in days if day.weekday() < 5][:number]  # noqa: PLR2004 - Monday to Friday


def _consents(students: Sequence[str]) -> Iterator[Sequence[str]]:
    return ((student, *_CONSENT.split(",")) for student in students)


def _write(path: Path, header: str, rows: Iterator[Sequence[str]] | Sequence[Sequence[str]]) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(f"{header}\n")
        file.writelines(f"{','.join(row)}\n" for row in rows)


def _read(path: Path) -> float:
    started = time.perf_counter()
    rows = sum(1 for _ in open_sources([path]).attendance())
    return rows / (time.perf_counter() - started)


async def _import(settings: IngestSettings, stack: Stack, folder: Path) -> float:
    source, started = open_sources([folder]), time.perf_counter()
    async with Intake.open(settings.on(stack.kafka, stack_database(stack, SERVICE))) as intake:
        await intake.start()
        report = await Importer(intake, source, lambda _: None).run()
    return report.read / (time.perf_counter() - started)


async def _copy(stack: Stack, rows: Sequence[Sequence[str]]) -> float:
    address = stack.database.replace("postgresql+psycopg", "postgresql")
    started = time.perf_counter()
    async with await AsyncConnection.connect(address) as connection:
        await connection.execute(
            "CREATE TEMPORARY TABLE copied (student text, school text, day date, status text, at text)"
        )
        async with connection.cursor().copy("COPY copied FROM STDIN") as copy:
            async for row in _each(rows):
                await copy.write_row(row)
    return len(rows) / (time.perf_counter() - started)


async def _each(rows: Sequence[Sequence[str]]) -> AsyncIterator[Sequence[str]]:
    for row in rows:
        yield row


def table(report: Report) -> str:
    """For people."""
    lines = [f"{'rows a second':<24} {report['marks']:>10,} marks"]
    lines += [f"{name.replace('_', ' '):<24} {rate:>10,.0f}" for name, rate in report["rows_per_second"].items()]
    lines.append(
        f"A new import takes {report['ratio_to_copy']:.1f} times as long as a plain COPY, and "
        f"{report['cpu_microseconds_per_row']:.0f} µs of CPU a row beside Kafka's and PostgreSQL's."
    )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
