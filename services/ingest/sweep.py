"""What the calendar alone brings: consents that end or begin, a week that is over; and what Kafka has not got yet."""

from __future__ import annotations

from dataclasses import dataclass

from services.contracts.topics import RETENTION_DAYS
from services.ingest.consent.settle import settle
from services.ingest.context import IngestContext
from services.ingest.publish.erasures import publish_erasures
from services.ingest.publish.pending import publish_calendars, publish_days, publish_due_week, publish_students
from services.ingest.store import agreements, consents, gate, ledger, pending, students

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep found due."""

    began: tuple[str, ...] = ()
    """The district's ids of students whose consent came into force."""
    ended: int = 0


async def sweep(parts: IngestContext) -> Swept:
    """Settle the consents that are due today, publish all that is pending, and close the last week if that is due."""
    async with parts.engine.begin() as connection:
        await agreements.renew(connection)
        due = await pending.due(connection)
        agreement = await agreements.in_force(connection)
    if agreement is not None:
        await parts.publisher.retain(agreement.retention_days or RETENTION_DAYS)
    swept = Swept()
    while due.consents and (some := await _settle_some(parts)):
        swept = Swept(swept.began + some.began, swept.ended + some.ended)
    if due.consents or due.erasures:
        await publish_erasures(parts)
    if due.consents or due.students:
        await publish_students(parts)
    if due.days:
        await publish_calendars(parts)
        await publish_days(parts)
    await publish_due_week(parts)
    return swept


async def _settle_some(parts: IngestContext) -> Swept | None:
    async with parts.engine.begin() as connection:
        await agreements.hold(connection)
        await ledger.alone(connection)
        due = await students.lock_due(connection, _AT_ONCE)
        if not due:
            return None
        kept = await consents.of(connection, [student.id for student in due])
        agreement, today = await agreements.in_force(connection), await gate.today(connection)
        settled = await settle(connection, parts, due, kept, agreement, today)
    return Swept(tuple(settled.began), settled.ended)
