"""Changes as they are kept, for who comes back after a moment and asks what was missed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal
from uuid import UUID

from sqlalchemy import text

from services.platform.database import Transaction
from services.platform.rows import as_json

ChangeKind = Literal["new", "changed", "gone"]
CHANNEL: Final = "firstbell_cases"
"""What the database says to who listens, once a transaction with changes is committed."""

_TELL: Final = text("""
    INSERT INTO casework.changes (case_id, kind, agency, schools)
    SELECT c.id, told.kind, c.agency,
           ARRAY(SELECT DISTINCT a.school_id FROM casework.alerts a WHERE a.case_id = c.id AND a.school_id IS NOT NULL)
    FROM json_to_recordset(CAST(:told AS json)) AS told (id uuid, kind text) JOIN casework.cases c USING (id)
    ORDER BY c.id
""")
_WAKE: Final = text("SELECT pg_notify(:channel, '')")


async def tell(session: Transaction, kinds: Mapping[UUID, ChangeKind]) -> None:
    """Keep that these cases changed, and wake who listens when this is committed."""
    if kinds:
        rows = ({"id": case, "kind": kind} for case, kind in kinds.items())
        await session.execute(_TELL, {"told": as_json(rows)})
        await session.execute(_WAKE, {"channel": CHANNEL})
