"""`firstbell import`: files of a district into the running system."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import click

from services.cli.common import (
    EXIT_INTERRUPTED,
    FIRST_DAY_OUT,
    data_dir_option,
    exit_date_option,
    failing,
    load_settings,
    log_quietly,
    mapping_option,
)
from services.cli.database import answering, known_database
from services.cli.import_lines import describe
from services.cli.output import STDOUT, progress_bar, say, write_json
from services.cli.starting import stack_for
from services.ingest.agreement.folder import FolderAgreement, agreement_of
from services.ingest.agreement.standing import standing_agreement
from services.ingest.classification.classify import Horizon
from services.ingest.formats import Source, open_sources
from services.ingest.imports.dry_run import rehearse
from services.ingest.imports.importer import Importer, Snapshot
from services.ingest.imports.report import Report
from services.ingest.intake import SERVICE, Intake
from services.ingest.patience import Patience
from services.ingest.rows.fields import FieldError, optional_moment
from services.ingest.rows.parse import to_utc
from services.ingest.settings import IngestSettings
from services.ingest.take.snapshot import Limits
from services.platform.signals import until_stopped
from services.rehearsal.settled import caught_up

EXIT_REJECTED = 4
EXIT_REFUSED = 5


class _Command(click.Command):
    """`--snapshot` takes a value by `=` alone: what stands behind it is a path."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        options = args[: args.index("--")] if "--" in args else args
        plain = ["--snapshot=imports" if argument == "--snapshot" else argument for argument in options]
        return super().parse_args(ctx, plain + args[len(options) :])


@click.command("import", cls=_Command)
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@mapping_option
@click.option(
    "--as-of",
    metavar="MOMENT",
    help="As of when rows without recorded_at speak, ISO 8601; without an offset in the district's timezone. "
    "Left out: the moment at which the import begins.",
)
@click.option(
    "--snapshot",
    metavar="[=imports|=all]",
    default=None,
    type=click.Choice(["imports", "all"]),
    help="The files are the whole truth of each school in them, from its first calendar day, else row, to its last "
    "reported date: what earlier imports said there and these do not is taken back. So are rows of the other records, "
    "within the days of which their file speaks. With =all marks by HTTP from before the import, too.",
)
@click.option("--yes", is_flag=True, help="Take back however much a snapshot lacks.")
@exit_date_option
@click.option("--dry-run", is_flag=True, help="Read and judge the files by themselves; send and keep nothing.")
@click.option("--json", "json_target", metavar="OUT", help="Write the report as JSON to OUT, `-` for stdout.")
@click.option("--strict", is_flag=True, help="Exit with 4 when any row was rejected.")
@data_dir_option
def import_(
    *,
    paths: tuple[Path, ...],
    mapping: Path | None,
    as_of: str | None,
    snapshot: str | None,
    yes: bool,
    exit_date: str,
    dry_run: bool,
    json_target: str | None,
    strict: bool,
    data_dir: Path | None,
) -> None:
    """Import PATHS: a district export, Ed-Fi 4.0 or 5.x XML or JSON, OneRoster, or tables with --mapping.

    An export is tables called schools, students (with demographics), enrollments, calendar, attendance, consents,
    terms, programs, eligibility, courses, grades, assessments, suspensions and graduations, as far as they are there.
    Ed-Fi has all of these but consents and eligibility; OneRoster has rosters, courses and grades. Attendance streams;
    the rest is kept in the database, each kind as agreement and consents name it. docs/formats.md says where each is
    found.

    Tables may be .csv, .tsv, .txt or sheets of a workbook, with any usual separator and encoding, also in .gz or .zip.
    What is not read is named.

    A history raises only what stands at each school's last reported date. Bad rows are reported and sent to the dead
    letters, and the rest goes on. An import that was interrupted can be run again: nothing counts twice. It uses
    the stack that runs in the data folder; when none runs, it starts one, waits until everything has caught up,
    and stops it.

    A later import corrects an earlier one: of what is said of a student, school, date and section the latest stands,
    by `recorded_at`, or else by the moment at which the import began.

    The agreement in force decides what is taken in: see `firstbell agreement --help`. One in the folder is not applied,
    and said. A dry run is judged by the one in force where the system runs; where it does not, which is not started for
    it, by the one in the folder, else as if all were shared. It says by which.

    Exit status: 0 done, also with rejected rows; 1 failed, the message says why; 2 wrong usage; 4 rows were rejected
    and --strict was given; 5 a snapshot would take back too much, of which nothing was; 130 interrupted.
    """
    log_quietly()
    with failing():
        source = open_sources(paths, mapping, first_day_out=exit_date == FIRST_DAY_OUT)
        settings = load_settings(IngestSettings, data_dir)
        moment = None if as_of is None else _moment(as_of, settings)
        limits = None if yes else Limits(settings.snapshot_share, settings.snapshot_marks)
        whole = None if snapshot is None else Snapshot(http=snapshot == "all", limits=limits)
        work = _rehearse(source, settings, moment) if dry_run else _import(source, settings, moment, whole)
        report = asyncio.run(until_stopped(work))
    if report is None:
        say("Interrupted. Run it again: what was taken counts once.")
        sys.exit(EXIT_INTERRUPTED)
    if json_target != STDOUT:
        click.echo("\n".join(describe(report, dry_run=dry_run)))
    if json_target is not None:
        write_json(report.document(), json_target)
    if report.refused:
        sys.exit(EXIT_REFUSED)
    if strict and report.rejections:
        sys.exit(EXIT_REJECTED)


def _moment(text: str, settings: IngestSettings) -> datetime:
    try:
        moment = optional_moment({"--as-of": text}, "--as-of")
    except FieldError as error:
        raise click.BadParameter(str(error).partition(": ")[2], param_hint="--as-of") from error
    if moment is None:
        raise click.BadParameter("expected a moment", param_hint="--as-of")
    utc = to_utc(moment, settings.tz)
    if Horizon.of(settings.wall_today(), settings.tz).refuses(date.min, utc):
        raise click.BadParameter("expected a moment that has come", param_hint="--as-of")
    return utc


async def _import(
    source: Source, settings: IngestSettings, as_of: datetime | None, snapshot: Snapshot | None
) -> Report:
    async with stack_for(settings, "import") as (pointed, started):
        with progress_bar() as progress:
            task = progress.add_task("Importing", total=source.size())
            patience = Patience(pointed.import_patience_seconds, say)
            async with Intake.open(pointed, patience) as intake:
                await intake.start()
                await intake.agreement()
                importer = Importer(intake, source, lambda done: progress.update(task, completed=done))
                report = await importer.run(as_of, snapshot)
        report.notes += [
            f"{path.name} was not applied: an import never does. `firstbell agreement apply` puts one in force."
            for path in source.readers.agreements
        ]
        if started is not None:
            say("Waiting until every group has caught up …")
            await caught_up(started.kafka)
    return report


async def _rehearse(source: Source, settings: IngestSettings, as_of: datetime | None) -> Report:
    moment = as_of or datetime.now(UTC)
    agreement, note = await _judge(source, settings)
    say(note)
    with progress_bar() as progress:
        task = progress.add_task("Reading", total=source.size())
        return rehearse(source, agreement, settings, moment, lambda done: progress.update(task, completed=done))


async def _judge(source: Source, settings: IngestSettings) -> FolderAgreement:
    """The agreement in force in what runs, else the folder's; raises `CommandError` and as `agreement_of` does."""
    url = known_database(settings, SERVICE)
    if url is None:
        agreement, note = agreement_of(source)
        return FolderAgreement(agreement, f"{note} Nothing runs here: what is in force was not asked.")
    with answering():
        standing = await standing_agreement(url)
    if standing is None or not standing.in_force:
        agreement, note = agreement_of(source)
        return FolderAgreement(agreement, f"{note} None is in force here: an import would take nothing in.")
    found = standing.agreement
    return FolderAgreement(found, f"The agreement is {found.id}, version {found.version}, which is in force here.")
