"""Removes of cases what is of a student who was erased: all of a case of nobody else, else whatever may name them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework.cases.follow import follow_again
from services.casework.changes.kept import tell
from services.platform.erasure.entry import Removed

_LEFT: Final = """
    EXISTS (SELECT FROM casework.alerts a WHERE a.case_id = c.id AND a.level IS NOT NULL)
"""
_EMPTIED: Final = text(f"""
    UPDATE casework.cases c
    SET family = NULL, school_id = NULL, level = NULL, state = 'withdrawn', owner = NULL, waiting_since = NULL,
        ended_on = coalesce(ended_on, ingest.today()), outcome = NULL, due_on = NULL, contact_by = NULL,
        taken_on = NULL, first_contact_at = NULL, last_contact_on = NULL, snoozed_until = NULL, until_worse = false,
        snoozed_level = NULL, referred_to = NULL, referred_by = NULL, referral_expires_on = NULL,
        referral_accepted = false, returned = NULL, version = version + 1, updated_at = clock_timestamp()
    WHERE id = ANY (CAST(:cases AS uuid[])) AND NOT {_LEFT}
    RETURNING id
""")  # noqa: S608 -- our own text
_DELETE: Final = text("DELETE FROM casework.case_actions WHERE case_id = ANY (CAST(:cases AS uuid[]))")
_SILENCE: Final = text("""
    UPDATE casework.case_actions SET given = given - 'note' - 'reason'
    WHERE case_id = ANY (CAST(:cases AS uuid[])) AND given ?| ARRAY['note', 'reason']
""")


async def remove_from_cases(connection: AsyncConnection, cases: Collection[UUID]) -> Removed:
    """After the student's alerts were emptied; what was written about a household may name any child of it."""
    emptied = (await connection.execute(_EMPTIED, {"cases": list(cases)})).scalars().all()
    removed = {"casework.cases": len(emptied)}
    removed["casework.case_actions"] = (await connection.execute(_DELETE, {"cases": emptied})).rowcount
    left = [case for case in cases if case not in set(emptied)]
    removed["casework.case_actions"] += (await connection.execute(_SILENCE, {"cases": left})).rowcount
    for case in left:
        await follow_again(connection, case)
    await tell(connection, dict.fromkeys(cases, "gone"))
    return removed
