"""`firstbell engagement`: each student's attendance, behaviour and courses: on track, sliding or off track."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from models.engagement.policy import engagement_policy
from services.cli.common import FIRST_DAY_OUT, exit_date_option, failing, mapping_option
from services.cli.output import STDOUT, say, write_json
from services.lab.engagement.folder import EngagementQuestion, FolderEngagement, engagement_of
from services.lab.engagement.telling import as_document, as_lines

_SHOWN = 5
"""Rejected rows that are named."""


@click.command()
@click.argument("folder", metavar="FOLDER", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--as-of",
    metavar="DATE",
    type=click.DateTime(["%Y-%m-%d"]),
    help="As it was known at the end of this day.  [default: the last day that a school reported]",
)
@click.option("--recipient", metavar="ID", help="Who reads.  [default: the first agency with live attendance]")
@click.option("--purpose", metavar="ID", help="For what.  [default: that reader's first]")
@mapping_option
@exit_date_option
@click.option("--json", "json_target", metavar="OUT", help="Write it as JSON to OUT, `-` for stdout.")
def engagement(
    folder: Path,
    as_of: datetime | None,
    recipient: str | None,
    purpose: str | None,
    mapping: Path | None,
    exit_date: str,
    json_target: str | None,
) -> None:
    """Say of each student whether attendance, behaviour and courses are on track, sliding or off track.

    The level is the worst part's: nothing is weighed or scored. Below it stand the areas in which support could help,
    with dates and what would change them. Thresholds and their sources are in models/policies/engagement.toml.

    FOLDER is a district export set. Shown is what its agreement and its consents give one reader for one purpose; a
    kind of records that they do not cover is not_shared, one of which nothing is known no_data. The output names
    students by the district's ids: keep it like the district's files.

    Exit status: 0 done; 1 failed, the message says why; 2 wrong usage.
    """
    asked = EngagementQuestion(
        folder,
        engagement_policy(),
        None if as_of is None else as_of.date(),
        recipient,
        purpose,
        mapping,
        exit_date == FIRST_DAY_OUT,
    )
    with failing():
        found = engagement_of(asked)
    _tell_of_files(folder, found)
    if json_target != STDOUT:
        reader = f"{found.readership.recipient}, for {found.readership.purpose}"
        click.echo(f"As of {found.as_of.isoformat()}, for {reader}; students: {len(found.students):,}.")
        for line in as_lines(found.students.items()):
            click.echo(line)
    if json_target is not None:
        write_json(_document(asked, found), json_target)


def _document(asked: EngagementQuestion, found: FolderEngagement) -> dict[str, object]:
    return {
        "as_of": found.as_of.isoformat(),
        "policy": asked.policy.version,
        "recipient": found.readership.recipient,
        "purpose": found.readership.purpose,
        "students": (as_document(student, each) for student, each in found.students.items()),
    }


def _tell_of_files(folder: Path, found: FolderEngagement) -> None:
    for note in found.notes:
        say(f"{folder.name}: {note}")
    if found.rejected:
        say(f"{folder.name}: {len(found.rejected):,} rows could not be used; the first:")
        for each in found.rejected[:_SHOWN]:
            say(f"  {each.file}:{each.line}: {each.reason}")
