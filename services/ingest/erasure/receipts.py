"""Receipts of destruction: what was destroyed, by whom, under which clause; nobody is named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid4

from pydantic import BaseModel
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.proofs.queries import proofs_by_id
from services.ingest.proofs.schemas import ProofState

KEPT: Final = (
    "School calendars, closed days and daily head counts stay: nobody is named in them. The agreement stays, as do the "
    "ledger and the audit, which know pseudonyms alone."
)

_BEGIN: Final = text("""
    WITH begun AS (
        INSERT INTO erasure.receipts (id, agreement, version, clause, by)
        VALUES (:id, :agreement, :version, :clause, :by)
        ON CONFLICT (agreement) WHERE ended_at IS NULL DO NOTHING
        RETURNING id)
    SELECT id FROM begun
    UNION ALL SELECT id FROM erasure.receipts WHERE agreement = :agreement AND ended_at IS NULL
""")
_ADD: Final = text("""
    UPDATE erasure.receipts SET proofs = proofs || CAST(:proofs AS uuid[]) WHERE id = :id
""")
_END: Final = text("""
    UPDATE erasure.receipts
    SET ended_at = clock_timestamp(),
        removed = CASE WHEN :consents > 0 THEN jsonb_build_object('ingest.consents', CAST(:consents AS integer))
                  ELSE '{}' END
    WHERE id = :id
""")
_RECEIPTS: Final = "SELECT id, agreement, clause, by, begun_at, ended_at, proofs, removed FROM erasure.receipts"
_ALL: Final = text(f"{_RECEIPTS} ORDER BY begun_at DESC, id")
_ONE: Final = text(f"{_RECEIPTS} WHERE id = :id")
_COUNTS: Final = text("""
    SELECT count(DISTINCT student) FILTER (WHERE id = ANY (CAST(:proofs AS uuid[]))),
           count(*) FILTER (WHERE held AND (id = ANY (CAST(:proofs AS uuid[])) OR agreement = :agreement)),
           count(*) FILTER (WHERE NOT held AND agreement = :agreement AND at < :begun_at)
    FROM erasure.ledger WHERE pseudonym IS NOT NULL
""")


class DestructionReceipt(BaseModel):
    """What was destroyed."""

    id: UUID
    state: ProofState
    """Pending until every service has confirmed; held: some waits for an inspection to close."""
    what: dict[str, int]
    """How many of what, by place."""
    students: int
    held: int
    """How many feeds wait for an inspection to close, also from before; nobody is shown anything of them."""
    where: list[str]
    """The schemas that something was removed from."""
    before: int
    """How many feeds under the same agreement had been erased before, as their consents ended: they have proofs."""
    begun_at: datetime
    ended_at: datetime | None
    by: str
    clause: str
    proofs: list[UUID]
    kept: str = KEPT


async def begin(
    connection: AsyncConnection, *, by: str, clause: str, agreement: str | None = None, version: int | None = None
) -> UUID:
    """A new receipt, or for an agreement the one that was begun and interrupted."""
    given = {"id": uuid4(), "agreement": agreement, "version": version, "clause": clause, "by": by}
    found: UUID = (await connection.execute(_BEGIN, given)).scalar_one()
    return found


async def add(connection: AsyncConnection, receipt: UUID, proofs: Collection[UUID]) -> None:
    """These were erased."""
    await connection.execute(_ADD, {"id": receipt, "proofs": list(proofs)})


async def end(connection: AsyncConnection, receipt: UUID, consents: int = 0) -> None:
    """All is erased; so many consents went beside, of students who are kept under another agreement."""
    await connection.execute(_END, {"id": receipt, "consents": consents})


async def receipts(connection: AsyncConnection) -> list[DestructionReceipt]:
    """All receipts, the latest first."""
    return [await _receipt(connection, row) for row in (await connection.execute(_ALL)).all()]


async def receipt(connection: AsyncConnection, id_: UUID) -> DestructionReceipt:
    """The receipt as it stands now; raises `NoResultFound`."""
    return await _receipt(connection, (await connection.execute(_ONE, {"id": id_})).one())


async def _receipt(connection: AsyncConnection, row: Row[*tuple[Any, ...]]) -> DestructionReceipt:
    proofs = await proofs_by_id(connection, row.proofs)
    given = {"proofs": row.proofs, "agreement": row.agreement, "begun_at": row.begun_at}
    students, held, before = (await connection.execute(_COUNTS, given)).one()
    what = Counter[str](row.removed)
    for proof in proofs:
        what.update(proof.removed)
    pending = row.ended_at is None or any(proof.state == "pending" for proof in proofs)
    return DestructionReceipt(
        id=row.id,
        state="pending" if pending else "held" if held else "complete",
        what=dict(sorted(what.items())),
        students=students,
        held=held,
        before=before,
        where=sorted({place.partition(".")[0] for place in what}),
        begun_at=row.begun_at,
        ended_at=row.ended_at,
        by=row.by,
        clause=row.clause,
        proofs=row.proofs,
    )
