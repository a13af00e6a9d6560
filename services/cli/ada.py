"""`firstbell ada`: average daily attendance by school, grade and month."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Final

import click

from services.cli.common import (
    FIRST_DAY_OUT,
    data_dir_option,
    exit_date_option,
    failing,
    load_settings,
    log_quietly,
    mapping_option,
)
from services.cli.database import found_engine
from services.cli.folder_or_live import as_of_option, folder_argument, live_option, require_one
from services.cli.on_record import put_on_record
from services.cli.output import STDOUT, say, write_json
from services.ingest.ada.reading import AdaQuestion, average_daily_attendance
from services.ingest.ada.schemas import AverageAttendance, AverageDailyAttendance
from services.ingest.intake import SERVICE
from services.ingest.settings import IngestSettings
from services.lab.ada import averages_of
from services.platform.erasure.copies import require_whole

ACTION: Final = "ada"


@click.command()
@folder_argument
@live_option
@as_of_option("The last day that counts, of its school year.")
@mapping_option
@exit_date_option
@click.option("--json", "json_target", metavar="OUT", help="Write it as JSON to OUT, `-` for stdout.")
@data_dir_option
def ada(
    *,
    folder: Path | None,
    live: bool,
    as_of: datetime | None,
    mapping: Path | None,
    exit_date: str,
    json_target: str | None,
    data_dir: Path | None,
) -> None:
    """Average daily attendance by school, grade and month of a school year to date.

    Attended student-days by the days on which school was held, over the attendance of every disclosure, live or not: of
    the students whose consent is in force, each once. A day counts once the school has reported it; of a school that
    reported nothing there is nothing here. Tardies, early departures and partial days count as attended.

    FOLDER is a district export set, counted by its own agreement and consents; with --live it is what the running
    system keeps, and the look is put on record (`firstbell audit`). Averages of fewer students than the agreement's
    small_cell are not shown, and there are no totals by which they could be found again.

    Exit status: 0 done; 1 failed, the message says why; 2 wrong usage.
    """
    require_one(folder, live=live)
    last = None if as_of is None else as_of.date()
    with failing():
        if folder is not None:
            found = _of_folder(folder, last, mapping, first_day_out=exit_date == FIRST_DAY_OUT)
        else:
            log_quietly()
            found = asyncio.run(_of_system(load_settings(IngestSettings, data_dir), last))
    if json_target != STDOUT:
        click.echo("\n".join(_lines(found)))
    if json_target is not None:
        write_json(found.model_dump(mode="json"), json_target)


def _of_folder(folder: Path, last: date | None, mapping: Path | None, *, first_day_out: bool) -> AverageDailyAttendance:
    found = averages_of(folder, last, mapping, first_day_out=first_day_out)
    for note in found.notes:
        say(f"{folder.name}: {note}")
    if found.rejected:
        say(f"{folder.name}: {len(found.rejected):,} rows could not be used; `firstbell import --dry-run` names them.")
    return AverageDailyAttendance.of(found.averages)


async def _of_system(settings: IngestSettings, last: date | None) -> AverageDailyAttendance:
    async with found_engine(settings, SERVICE) as (engine, url):
        async with engine.connect() as connection:
            await require_whole(connection, settings.ledger_file)
        await put_on_record(url, ACTION, [])
        return AverageDailyAttendance.of(await average_daily_attendance(engine, AdaQuestion(last)))


def _lines(found: AverageDailyAttendance) -> Iterator[str]:
    yield f"Average daily attendance, {found.first} to {found.last}."
    yield f"{'school':<24} {'grade':<6} {'month':<8} {'days':>4} {'students':>8} {'ADM':>9} {'ADA':>9} {'rate':>7}"
    yield from map(_line, found.averages)
    hidden = sum(one.suppressed for one in found.averages)
    if hidden:
        yield f"Not shown: {hidden}, of fewer than {found.small_cell} students each."
    for school in found.assumed_calendars:
        yield f"School {school} has neither calendar nor sessions: its weekdays are taken for days of school."
    for school in found.no_data:
        yield f"School {school}: no data."
    if not found.averages:
        yield "No school in scope has reported a day with a student whose consent is in force."


def _line(one: AverageAttendance) -> str:
    figures = [one.average_daily_membership, one.average_daily_attendance]
    shown = " ".join("".rjust(9) if each is None else f"{each:>9,.1f}" for each in figures)
    rate = "" if one.attendance_rate is None else f"{one.attendance_rate:.1%}"
    students = "few" if one.students is None else f"{one.students:,}"
    place = f"{one.school_id:<24} {one.grade or '-':<6} {one.month:<8} {one.school_days:>4}"
    return f"{place} {students:>8} {shown} {rate:>7}".rstrip()
