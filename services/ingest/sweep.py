"""Consents that end or begin by the calendar alone, and what Kafka has not got yet."""

from __future__ import annotations

from dataclasses import dataclass

from services.ingest.parts import Parts
from services.ingest.publish_pending import publish_days, publish_students
from services.ingest.store import consents, gate, pending, students
from services.ingest.take.settle import settle

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep found due."""

    began: tuple[str, ...] = ()
    """The district's ids of students whose consent came into force."""
    ended: int = 0


async def sweep(parts: Parts) -> Swept:
    """Settle the consents that are due today and publish all that is pending; one look when nothing is."""
    async with parts.engine.connect() as connection:
        due = await pending.due(connection)
    swept = Swept()
    while due.consents and (some := await _settle_some(parts)):
        swept = Swept(swept.began + some.began, swept.ended + some.ended)
    if due.consents or due.students:
        await publish_students(parts)
    if due.days:
        await publish_days(parts)
    return swept


async def _settle_some(parts: Parts) -> Swept | None:
    async with parts.engine.begin() as connection:
        due = await students.lock_due(connection, _AT_ONCE)
        if not due:
            return None
        kept = await consents.of(connection, [student.id for student in due])
        settled = await settle(connection, due, kept, parts.policy, await gate.today(connection))
    return Swept(tuple(settled.began), settled.ended)
