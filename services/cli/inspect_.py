"""`firstbell inspect`: everything held about one student, for the parent who asks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click

from services.casework.settings import CaseworkSettings
from services.cli.common import CommandError, data_dir_option, failing, load_settings, log_quietly
from services.cli.database import found_databases
from services.cli.on_record import put_on_record, who
from services.cli.output import STDOUT, say
from services.cli.pseudonyms import pseudonymizer
from services.ingest.inspection.opened import Inspection, open_for
from services.ingest.inspection.queries import known_as
from services.ingest.settings import IngestSettings
from services.inspection.document import InspectionDocument, OpenedInspection
from services.inspection.gather import Engines, gather
from services.inspection.page import render
from services.platform.database import make_engine
from services.platform.embedded.endpoints import read_stack
from services.platform.erasure.copies import require_whole
from services.platform.files import PRIVATE, whole_file
from services.platform.identity.trust import as_service
from services.platform.near import near_client

ACTION: Final = "inspection"
SERVICES: Final = ("ingest", "casework", "notify")
TIMEOUT_SECONDS: Final = 5.0
UNKNOWN: Final = (
    "Nothing is held of a student of this id, and nothing was. Look at the id: it is the district's, letter for letter."
)


@click.command("inspect")
@click.argument("student_id")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="The page, an HTML file; replaced.",
)
@click.option("--json", "json_target", metavar="OUT", help="Write the same as JSON to OUT, `-` for stdout.")
@data_dir_option
def inspect(student_id: str, out: Path, json_target: str | None, data_dir: Path | None) -> None:
    """Write everything that is held about the student whom the district knows as STUDENT_ID, for a parent to read.

    The page says in plain words what each part of the system holds, where it comes from and as of when, and everyone
    who was shown some of it; also of a student whose consent was withdrawn. It is one file that loads nothing, to be
    read in a browser or printed, and only its owner may read it (mode 0600). If the worker that counts attendance is
    away the page says so in place of its figures.

    It opens an inspection (34 CFR 99.10): 45 days to show the record, counted down by `firstbell inspections`. While it
    is open nothing of the student is destroyed; a consent may be withdrawn all the same, and ends all access at once.
    An open inspection is used again. The look is put on record first (`firstbell audit`).

    Exit status: 0 done; 1 failed, or nothing is or was held of such a student; 2 wrong usage.
    """
    log_quietly()
    settings = load_settings(IngestSettings, data_dir)
    casework = load_settings(CaseworkSettings, data_dir)
    with failing():
        document = asyncio.run(_inspect(settings, casework, student_id))
        with whole_file(out, mode=PRIVATE) as file:
            file.write(render(document, settings.tz).encode())
        _write_json(document, json_target)
    inspection = document.inspection
    say(f"{out}: show it by {inspection.due_on} (inspection {inspection.id}, asked for on {inspection.opened_on}).")
    say(f"When it was shown: firstbell inspections close {inspection.id}")


def _write_json(document: InspectionDocument, target: str | None) -> None:
    if target is None:
        return
    text = json.dumps(document.model_dump(mode="json"), ensure_ascii=False, indent=1)
    if target == STDOUT:
        click.echo(text)
    else:
        with whole_file(Path(target), mode=PRIVATE) as file:
            file.write(f"{text}\n".encode())


async def _inspect(settings: IngestSettings, casework: CaseworkSettings, student_id: str) -> InspectionDocument:
    digest = pseudonymizer(settings).digest(student_id)
    stack = read_stack(settings.data_dir)
    workers = casework.workers if stack is None else (stack.warning,)
    async with found_databases(settings, *SERVICES) as urls, _connected(urls) as engines:
        async with engines.ingest.connect() as connection:
            await require_whole(connection, settings.ledger_file)
        inspection, pseudonyms = await _open(engines, student_id, digest)
        await put_on_record(urls[0], ACTION, pseudonyms)
        async with near_client(settings, auth=as_service(settings, "inspect"), timeout=TIMEOUT_SECONDS) as client:
            found = await gather(engines, client, workers, student_id, digest)
    if found is None:
        raise CommandError(UNKNOWN)
    return InspectionDocument(
        student_id=student_id,
        made_at=datetime.now(UTC),
        made_by=who(),
        inspection=OpenedInspection(id=inspection.id, opened_on=inspection.opened_on, due_on=inspection.due_on),
        ingest=found.ingest,
        alerts=found.alerts,
        notify=found.notify,
        windows=found.windows,
    )


async def _open(engines: Engines, student_id: str, digest: bytes) -> tuple[Inspection, list[str]]:
    """The inspection, and the pseudonyms under which the student is or was known."""
    async with engines.ingest.begin() as connection:
        pseudonyms = await known_as(connection, student_id, digest)
        if pseudonyms is None:
            raise CommandError(UNKNOWN)
        return await open_for(connection, digest, pseudonyms, who()), pseudonyms


@asynccontextmanager
async def _connected(urls: list[str]) -> AsyncIterator[Engines]:
    async with AsyncExitStack() as stack:
        engines = [make_engine(url, service=service, pool_size=1) for url, service in zip(urls, SERVICES, strict=True)]
        for engine in engines:
            stack.push_async_callback(engine.dispose)
        yield Engines(*engines)
