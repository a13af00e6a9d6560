"""Who may pass now: those whose consents were looked at under the agreement in force."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.agreement.document import Agreement, FeedId
from services.ingest.consent.settle import settle
from services.ingest.context import IngestContext
from services.ingest.identity.consented import ConsentedStudent
from services.ingest.store import consents, gate, ledger, students


async def passing(
    connection: AsyncConnection,
    parts: IngestContext,
    agreement: Agreement,
    feed: FeedId,
    student_ids: Collection[str],
) -> dict[str, ConsentedStudent]:
    """Those of the students whose consent for the feed is in force, by the district's id.

    Those that a new version of the agreement, or the day, makes due are settled first: nobody waits for the sweep.
    """
    if await students.any_due_of(connection, feed, student_ids):
        await ledger.alone(connection)
        due = await students.lock_due_of(connection, feed, student_ids)
        kept = await consents.of(connection, [student.id for student in due])
        await settle(connection, parts, due, kept, agreement, await gate.today(connection))
    return await gate.in_force(connection, feed, student_ids)
