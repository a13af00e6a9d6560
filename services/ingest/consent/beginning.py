"""Students of whom something is kept from now on: under a name that they never had, and with a key."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.agreement.document import FeedId
from services.ingest.context import IngestContext
from services.ingest.store import ledger, students
from services.ingest.store.students import NewStudent, StudentRecord


async def begin(
    connection: AsyncConnection, parts: IngestContext, feed: FeedId, given: Collection[NewStudent]
) -> dict[str, StudentRecord]:
    """Keep these students for the feed, locked; by the district's id. Take `ledger.alone` before."""
    if not given:
        return {}
    digests = {one.student_id: parts.names.digest(one.student_id) for one in given}
    erased = await ledger.generations(connection, feed, digests.values())
    named = {
        parts.names.student(str(feed), one.student_id, erased.get(digests[one.student_id], 0)): one for one in given
    }
    await students.add(connection, parts.masters, feed, named)
    return await students.lock(connection, feed, digests)
