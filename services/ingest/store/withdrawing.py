"""What a withdrawal by hand is about: the feeds for which a student is kept, and the agreements that are meant."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.store import agreements

_FEEDS: Final = text(
    "SELECT pseudonym FROM ingest.students WHERE student_id = :student AND NOT held ORDER BY pseudonym"
)
_AGREEMENTS: Final = text("""
    SELECT agreement_id FROM ingest.students s JOIN ingest.consents c ON c.student = s.id
    WHERE s.student_id = :student AND NOT s.held AND agreement_id <> ''
    UNION SELECT id FROM ingest.agreements WHERE effective_on > ingest.today()
""")
_RECIPIENTS: Final = text("""
    SELECT unnest(c.recipients) FROM ingest.students s JOIN ingest.consents c ON c.student = s.id
    WHERE s.student_id = :student
    UNION SELECT jsonb_path_query(document, '$.party[*].id') #>> '{}' FROM ingest.agreements
""")
_COUNTS_STILL: Final = text("""
    SELECT EXISTS (
        SELECT FROM ingest.students s JOIN ingest.consents c ON c.student = s.id
        WHERE s.student_id = :student AND NOT s.held AND s.agency = coalesce(CAST(:recipient AS text), s.agency)
          AND c.agreement_id = ANY (CAST(:agreements AS text[])) AND c.signed_on = :day
          AND (c.revoked_on IS NULL OR c.revoked_on > c.signed_on))
""")


async def pseudonyms_of(connection: AsyncConnection, student_id: str) -> Sequence[str]:
    """Under which the student is kept."""
    return (await connection.execute(_FEEDS, {"student": student_id})).scalars().all()


async def agreements_of(connection: AsyncConnection, student_id: str) -> list[str]:
    """Each that the student's consents name, and those in force or to come: no export must bring the student back."""
    named = set((await connection.execute(_AGREEMENTS, {"student": student_id})).scalars())
    in_force = await agreements.in_force(connection)
    return sorted(named if in_force is None else named | {in_force.id})


async def recipients_of(connection: AsyncConnection, student_id: str) -> set[str]:
    """From whom a consent can be withdrawn: who is named in the student's, and the parties of every agreement."""
    return set((await connection.execute(_RECIPIENTS, {"student": student_id})).scalars())


async def counts_still(
    connection: AsyncConnection, student_id: str, recipient: str | None, agreement_ids: Sequence[str], day: date
) -> bool:
    """Whether a consent counts that was signed on the day of the withdrawal, and handed in after it was first made."""
    given = {"student": student_id, "recipient": recipient, "agreements": list(agreement_ids), "day": day}
    return bool(await connection.scalar(_COUNTS_STILL, given))
