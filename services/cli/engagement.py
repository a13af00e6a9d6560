"""`firstbell engagement`: each student's attendance, behaviour and courses: on track, sliding or off track."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Final, NamedTuple

import click
from sqlalchemy.ext.asyncio import AsyncEngine

from models.engagement.judgement import WORST_FIRST, Engagement
from models.engagement.policy import EngagementPolicy, engagement_policy
from services.cli.common import (
    FIRST_DAY_OUT,
    data_dir_option,
    exit_date_option,
    failing,
    load_settings,
    log_quietly,
    mapping_option,
)
from services.cli.database import answering, found_databases
from services.cli.folder_or_live import as_of_option, folder_argument, live_option, require_one
from services.cli.on_record import put_on_record
from services.cli.output import STDOUT, say, write_json
from services.ingest.settings import IngestSettings
from services.lab.engagement.folder import EngagementQuestion, FolderEngagement, engagement_of
from services.lab.engagement.live import LiveEngagement
from services.lab.engagement.readership import Readership
from services.lab.engagement.telling import as_document, as_lines, head
from services.platform.database import make_engine
from services.platform.erasure.copies import require_whole

ACTION: Final = "engagement"
_SERVICES: Final = ("ingest", "casework")
_SHOWN: Final = 5
"""Rejected rows that are named."""
Students = Iterator[tuple[str, Engagement]]


class _Answer(NamedTuple):
    """For whom and as of when, and the students as they are judged."""

    readership: Readership
    as_of: date
    students: Students


@click.command()
@folder_argument
@live_option
@as_of_option("As it was known at the end of this day.")
@click.option("--recipient", metavar="ID", help="Who reads.  [default: the first agency with live attendance]")
@click.option("--purpose", metavar="ID", help="For what.  [default: that reader's first]")
@mapping_option
@exit_date_option
@click.option("--json", "json_target", metavar="OUT", help="Write it as JSON to OUT, `-` for stdout.")
@data_dir_option
def engagement(
    *,
    folder: Path | None,
    live: bool,
    as_of: datetime | None,
    recipient: str | None,
    purpose: str | None,
    mapping: Path | None,
    exit_date: str,
    json_target: str | None,
    data_dir: Path | None,
) -> None:
    """Say of each student whether attendance, behaviour and courses are on track, sliding or off track.

    The level is the worst part's: nothing is weighed or scored. Below it stand the areas in which support could help,
    with dates and what would change them. Thresholds and their sources are in models/policies/engagement.toml.

    FOLDER is a district export set; with --live it is what the running system keeps for an agency's live purpose.
    Shown is what agreement and consents give one reader for one purpose: a kind of records that they do not cover is
    not_shared, one of which nothing is known no_data. The output names students by the district's ids: keep it like the
    district's files. Live, the look is put on record first (`firstbell audit`).

    Exit status: 0 done; 1 failed, the message says why; 2 wrong usage.
    """
    require_one(folder, live=live)
    policy, day = engagement_policy(), None if as_of is None else as_of.date()
    with failing():
        if folder is not None:
            asked = EngagementQuestion(folder, policy, day, recipient, purpose, mapping, exit_date == FIRST_DAY_OUT)
            _tell(_of_folder(asked), policy, json_target)
        else:
            log_quietly()
            settings = load_settings(IngestSettings, data_dir)
            with _of_system(settings, _LiveAsked(policy, day, recipient, purpose)) as answer:
                _tell(answer, policy, json_target)


def _tell(answer: _Answer, policy: EngagementPolicy, json_target: str | None) -> None:
    """Students are told as they come: there may be many."""
    counts: Counter[str | None] = Counter()
    shown = json_target != STDOUT
    if shown:
        click.echo(
            f"As of {answer.as_of}, for {answer.readership.recipient}, for {answer.readership.purpose}.\n{head()}"
        )

    def told() -> Iterator[dict[str, object]]:
        for student, each in answer.students:
            counts[each.level] += 1
            if shown:
                click.echo("\n".join(as_lines(student, each)))
            yield as_document(student, each)

    if json_target is None:
        for _ in told():
            pass
    else:
        document = {
            "as_of": answer.as_of.isoformat(),
            "policy": policy.version,
            "recipient": answer.readership.recipient,
            "purpose": answer.readership.purpose,
            "students": told(),
        }
        write_json(document, json_target)
    if shown:
        of_levels = ", ".join(f"{counts[level]:,} {level.replace('_', ' ')}" for level in WORST_FIRST)
        click.echo(f"Students: {counts.total():,}; {of_levels}, {counts[None]:,} not known.")


def _of_folder(asked: EngagementQuestion) -> _Answer:
    found = engagement_of(asked)
    _tell_of_files(asked.folder, found)
    return _Answer(found.readership, found.as_of, iter(found.students.items()))


def _tell_of_files(folder: Path, found: FolderEngagement) -> None:
    for note in found.notes:
        say(f"{folder.name}: {note}")
    if found.rejected:
        say(f"{folder.name}: {len(found.rejected):,} rows could not be used; the first:")
        for each in found.rejected[:_SHOWN]:
            say(f"  {each.file}:{each.line}: {each.reason}")


@dataclass(frozen=True, slots=True)
class _LiveAsked:
    """What is asked of the running system."""

    policy: EngagementPolicy
    as_of: date | None
    recipient: str | None
    purpose: str | None


@contextmanager
def _of_system(settings: IngestSettings, asked: _LiveAsked) -> Iterator[_Answer]:
    """The students of the running system, asked for batch by batch."""
    with answering(), asyncio.Runner() as runner:
        exits = AsyncExitStack()
        try:
            ingest, casework = runner.run(_connect(exits, settings))
            found = runner.run(LiveEngagement.begin(casework, asked.as_of, asked.recipient, asked.purpose))
            students = _live_students(runner, found, casework, ingest, asked.policy)
            yield _Answer(found.readership, found.day.as_of, students)
        finally:
            runner.run(exits.aclose())


async def _connect(exits: AsyncExitStack, settings: IngestSettings) -> tuple[str, AsyncEngine]:
    """Ingest's URL and casework's engine, of a database that has every erasure."""
    ingest, casework = await exits.enter_async_context(found_databases(settings, *_SERVICES))
    engines = [
        make_engine(url, service=one, pool_size=1) for url, one in zip((ingest, casework), _SERVICES, strict=True)
    ]
    for engine in engines:
        exits.push_async_callback(engine.dispose)
    async with engines[0].connect() as connection:
        await require_whole(connection, settings.ledger_file)
    return ingest, engines[1]


def _live_students(
    runner: asyncio.Runner, found: LiveEngagement, casework: AsyncEngine, ingest: str, policy: EngagementPolicy
) -> Students:
    after = ""
    while batch := runner.run(found.next(casework, policy, after)):
        if batch.students:
            runner.run(put_on_record(ingest, ACTION, batch.pseudonyms))
        yield from batch.students.items()
        after = batch.last
