"""A round of a pull: every resource's changes up to one change version, in the order in which they need each other."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from services.ingest.formats import edfi, edfi_courses
from services.ingest.formats.mapping import Mapping
from services.ingest.intake import Intake
from services.ingest.pull.attendance import AttendanceStep
from services.ingest.pull.client import NotOfferedError, OdsClient, OdsError
from services.ingest.pull.reading import Reading
from services.ingest.pull.records import (
    ASSESSMENTS_STEP,
    GRADES_STEP,
    GRADUATIONS_STEP,
    PROGRAMS_STEP,
    SUSPENSIONS_STEP,
    CoursesStep,
    DemographicsStep,
)
from services.ingest.pull.report import PullReport
from services.ingest.pull.rosters import EnrollmentsStep, PlainStep, PullStep
from services.ingest.pull.windows import Available, available
from services.ingest.store.pulls import PullState

_TERMS: Final = next(one for one in edfi_courses.TERMS if one.collection == "gradingPeriods")

STEPS: Final[tuple[PullStep, ...]] = (
    PlainStep(edfi.SCHOOLS[0], lambda reading: reading.intake.take_schools),
    PlainStep(edfi.STUDENTS[0], lambda reading: reading.intake.take_students),
    EnrollmentsStep(),
    AttendanceStep(),
    PlainStep(_TERMS, lambda reading: lambda rows: reading.intake.take_terms(rows, reading.said)),
    DemographicsStep(),
    PROGRAMS_STEP,
    CoursesStep(),
    GRADES_STEP,
    ASSESSMENTS_STEP,
    SUSPENSIONS_STEP,
    GRADUATIONS_STEP,
)
"""In the order in which they are taken: who is where comes before what was done there."""
RESOURCES: Final = tuple(dict.fromkeys(name for step in STEPS for name in sorted(step.counts | step.looks_at)))

Progress = Callable[[str, int, int], None]
"""Called with a resource, how many of its rows were read and how many there are."""


async def pull_round(
    client: OdsClient, intake: Intake, mapping: Mapping, *, anew: bool = False, progress: Progress = lambda *_: None
) -> PullReport:
    """Take all that changed since the last round; `anew`: all that there is.

    Raises `OdsError` when the API does not answer or is none; what was done counts, and the next round goes on there.
    """
    began, report = time.monotonic(), PullReport()
    state = await intake.pulled.begin(client.url, RESOURCES)
    versions = await _versions(client, max(state.done.values()))
    state = await _state(client, intake, state, versions, report, anew=anew)
    moment = await _moment(client, intake, state)
    reading = Reading(client, intake, mapping, state, versions.newest, moment, report, progress)
    left = Counter(name for step in STEPS for name in step.counts | step.looks_at)
    for name in RESOURCES:
        report.resources[name].change_version = state.done[name]
    for step in STEPS:
        mine = step.counts | step.looks_at
        if any(not reading.window(name).is_empty for name in mine):
            reading.counted = step.counts
            await step.take(reading)
        left.subtract(mine)
        await _done(reading, [name for name in sorted(mine) if not left[name]])
    await intake.sweep()
    await intake.end_import(_fingerprint(client))
    report.seconds = time.monotonic() - began
    return report


async def _moment(client: OdsClient, intake: Intake, state: PullState) -> datetime:
    """As of when the round speaks: of one that reads something for the first time and was killed, when that began.

    What a file of records says first is history, which is known from its own days on.
    """
    if all(state.done.values()):
        return datetime.now(UTC)
    return await intake.begin_import(_fingerprint(client), None)


def _fingerprint(client: OdsClient) -> str:
    return f"pull {client.url}"


async def _done(reading: Reading, names: list[str]) -> None:
    """These count as read, when nothing is left to be done with their rows."""
    new = {name: reading.newest for name in names if name not in reading.refused}
    if new:
        await reading.intake.pulled.done(reading.client.url, new)
    for name in new:
        reading.report.resources[name].change_version = reading.newest


async def _versions(client: OdsClient, last: int) -> Available:
    """Those of the API's snapshot, where it offers one with anything new; else of what stands now."""
    client.use_snapshot = True
    found = await _of_snapshot(client)
    if found is not None and found.newest > last:
        return found
    client.use_snapshot = False
    try:
        return await available(client)
    except NotOfferedError as error:
        raise OdsError(f"The API at {client.url} has no change queries. Ask who hosts it to turn them on.") from error


async def _of_snapshot(client: OdsClient) -> Available | None:
    """None where the API offers no snapshot, as most do not."""
    try:
        return await available(client) if (await client.changes("snapshots")).body else None
    except NotOfferedError:
        return None


async def _state(
    client: OdsClient, intake: Intake, state: PullState, versions: Available, report: PullReport, *, anew: bool
) -> PullState:
    """The state of the source, in which is reset what must be read anew."""
    lost = [name for name, done in state.done.items() if 0 < done < versions.oldest - 1]
    if versions.newest < max(state.done.values()):
        report.note("The API has gone back behind what was read of it, as one that was restored: all is read anew.")
        await intake.pulled.read_anew(client.url, RESOURCES, "restored")
    elif lost:
        report.note("The API does not know any more all that was deleted since the last round: that is read anew.")
        await intake.pulled.read_anew(client.url, lost, "asked")
    if anew:
        await intake.pulled.read_anew(client.url, RESOURCES, "asked")
    return await intake.pulled.begin(client.url, RESOURCES)
