"""Who may pass now: those whose consents were looked at under the agreement in force."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.agreement.document import Agreement, FeedId
from services.ingest.consent.settle import settle
from services.ingest.identity.consented import ConsentedStudent
from services.ingest.store import consents, gate, students


async def passing(
    connection: AsyncConnection, agreement: Agreement, feed: FeedId, student_ids: Collection[str]
) -> dict[str, ConsentedStudent]:
    """Those of the students whose consent for the feed is in force, by the district's id.

    Those that a new version of the agreement, or the day, makes due are settled first: nobody waits for the sweep.
    """
    due = await students.lock_due_of(connection, feed, student_ids)
    if due:
        kept = await consents.of(connection, [student.id for student in due])
        await settle(connection, due, kept, agreement, await gate.today(connection))
    return await gate.in_force(connection, feed, student_ids)
