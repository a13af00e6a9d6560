"""What is kept and Kafka has not got yet: sent, acknowledged, and then noted.

The database changes first, and hides at once; what a crash or a broker that is away leaves unsent is
pending there, and the next call of any process sends it. One process at a time sends, so that an
older state of a student never follows a newer one.
"""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID, uuid4

from services.ingest.parts import Parts
from services.ingest.state_records import close_records, day_records, student_records
from services.ingest.store import days, pending

_STUDENTS = 1_000
_DAYS = 1_500


async def publish_students(parts: Parts) -> None:
    """Send every pending consent and enrollment; raises `UnavailableError` when Kafka stays away."""
    while await _some_students(parts):
        pass


async def publish_days(parts: Parts) -> UUID | None:
    """Send every pending school-day and close; returns the token of the last closes, None without any."""
    token: UUID | None = None
    more = True
    while more:
        more, sent = await _some_days(parts)
        token = sent or token
    return token


async def publish_token(parts: Parts) -> UUID:
    """Send a token alone: it is answered when all that went before it is evaluated."""
    token = uuid4()
    await parts.publisher.send(close_records([], await parts.publisher.partitions(), token, datetime.now(UTC)))
    return token


async def _some_students(parts: Parts) -> bool:
    async with parts.engine.begin() as connection:
        if not (await pending.due(connection)).students:
            return False
        await pending.alone(connection)
        states = await pending.students(connection, _STUDENTS)
        if states:
            partitions = len(await parts.publisher.partitions())
            await parts.publisher.send(student_records(states, partitions))
            await pending.sent(connection, states)
    return len(states) == _STUDENTS


async def _some_days(parts: Parts) -> tuple[bool, UUID | None]:
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
