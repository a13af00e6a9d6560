"""What is kept and Kafka has not got yet: sent, acknowledged, and then noted.

The database changes first, and hides at once; what a crash or a broker that is away leaves unsent is
pending there, and the next call of any process sends it. One process at a time sends, so that an
older state of a student never follows a newer one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, date, datetime
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from services.contracts.ids import week_token
from services.ingest.context import IngestContext
from services.ingest.publish.state_records import (
    calendar_records,
    close_records,
    day_records,
    student_records,
    week_records,
)
from services.ingest.store import agreements, calendars, days, pending, weeks
from services.ingest.store.pending import StudentState
from services.platform.audit.entry import FEED_OF_ENROLLMENTS, AuditEntry, fed
from services.platform.audit.log import write_entries
from services.platform.keys.feed_keys import find_keys

_STUDENTS = 1_000
_DAYS = 1_500


async def publish_students(parts: IngestContext) -> None:
    """Send every pending consent and enrollment; raises `UnavailableError` when Kafka stays away."""
    while await _some_students(parts):
        pass


async def publish_days(parts: IngestContext) -> UUID | None:
    """Send every pending school-day and close; returns the token of the last closes, None without any."""
    token: UUID | None = None
    more = True
    while more:
        more, sent = await _some_days(parts)
        token = sent or token
    return token


async def publish_calendars(parts: IngestContext) -> None:
    """Send every pending day of a calendar that only some students follow."""
    while await _some_calendar_days(parts):
        pass


async def publish_token(parts: IngestContext) -> UUID:
    """Send a token alone: it is answered when all that went before it is evaluated."""
    token = uuid4()
    await parts.publisher.send(close_records([], await parts.publisher.partitions(), token, datetime.now(UTC)))
    return token


async def publish_week(parts: IngestContext, week: date) -> UUID | None:
    """Send that the week of this Monday is over, behind its closes; returns the token, None when it had no school."""
    async with parts.engine.begin() as connection:
        if not await weeks.had_school(connection, week):
            return None
        await _send_week(connection, parts, week)
    return week_token(week)


async def publish_due_week(parts: IngestContext) -> None:
    """Send, once, that the last complete week is over.

    Earlier weeks are not caught up with: after the import of a history, or when nothing ran for long, the last one
    alone gives the present week its threshold. A crash between Kafka's acknowledgement and the note of it sends it
    again, which is harmless: the token is the same, and so is the threshold that was found.
    """
    async with parts.engine.connect() as connection:
        if await weeks.due(connection) is None:
            return
    async with parts.engine.begin() as connection:
        await pending.alone(connection)
        week = await weeks.due(connection)  # another process may have sent it, or closes may have come, meanwhile
        if week is not None:
            await _send_week(connection, parts, week)


async def _send_week(connection: AsyncConnection, parts: IngestContext, week: date) -> None:
    await parts.publisher.send(week_records(week, await parts.publisher.partitions(), datetime.now(UTC)))
    await weeks.sent(connection, week)


async def _some_students(parts: IngestContext) -> bool:
    async with parts.engine.begin() as connection:
        if not (await pending.due(connection)).students:
            return False
        await agreements.hold(connection)
        await pending.alone(connection)
        states = await pending.students(connection, await agreements.in_force(connection), _STUDENTS)
        if states:
            partitions = len(await parts.publisher.partitions())
            found = await find_keys(connection, parts.masters, {state.pseudonym for state in states})
            living = [state for state in states if state.pseudonym not in found.gone]
            await parts.publisher.send(student_records(living, partitions, found.ciphers()))
            await pending.sent(connection, living)
            await write_entries(connection, _flows(living))
    return len(states) == _STUDENTS


def _flows(states: Sequence[StudentState]) -> list[AuditEntry]:
    """What the audit keeps of enrollments that went to agencies."""
    by_agency: defaultdict[str, dict[str, date | None]] = defaultdict(dict)
    for state in states:
        if state.enrollment_pending:
            by_agency[state.agency][state.pseudonym] = state.run.start
    return [fed(agency, FEED_OF_ENROLLMENTS, students) for agency, students in by_agency.items()]


async def _some_calendar_days(parts: IngestContext) -> bool:
    async with parts.engine.begin() as connection:
        if not (await pending.due(connection)).days:
            return False
        await pending.alone(connection)
        states = await calendars.pending(connection, _DAYS)
        if states:
            await parts.publisher.send(calendar_records(states, await parts.publisher.partitions()))
            await calendars.sent(connection, states)
    return len(states) == _DAYS


async def _some_days(parts: IngestContext) -> tuple[bool, UUID | None]:
    async with parts.engine.begin() as connection:
        if not (await pending.due(connection)).days:
            return False, None
        await pending.alone(connection)
        states = await days.pending(connection, _DAYS)
        token = uuid4() if any(state.close_pending for state in states) else None
        if states:
            partitions = await parts.publisher.partitions()
            closes = close_records(states, partitions, token, datetime.now(UTC)) if token else []
            await parts.publisher.send([*day_records(states, partitions), *closes])
            await days.sent(connection, states)
    return len(states) == _DAYS, token
