"""Erasures as ingest begins them, and what the services say of them."""

from __future__ import annotations

from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest.agreement.folder import AGENCY
from tests.integration.running import until

BEGIN = (
    "SELECT pg_advisory_xact_lock(727005)",
    """
    INSERT INTO erasure.ledger
        (id, student, agreement, recipient, kept_for, pseudonym, slot, because, ended_on, at, by, gone)
    SELECT :id, decode('00', 'hex'), 'boston-2016', :agency, '', :pseudonym, 1, 'withdrawn', '2016-12-06', now(),
           'withdraw', coalesce(max(gone), 0) + 1
    FROM erasure.ledger
    """,
    "DELETE FROM erasure.keys WHERE pseudonym = :pseudonym",
    "DELETE FROM ingest.students WHERE pseudonym = :pseudonym",
    "INSERT INTO erasure.awaited (id, service) SELECT :id, unnest(ARRAY['casework', 'notify'])",
)
CONFIRMED = text("SELECT removed FROM erasure.confirmations WHERE id = :id AND service = :service")


async def erase(engine: AsyncEngine, pseudonym: str, erasure: UUID | None = None) -> UUID:
    """The student's key and row are gone, and casework and notify are to erase what they hold: the ledger's entry."""
    erasure = erasure or uuid4()
    given = {"id": erasure, "pseudonym": pseudonym, "agency": AGENCY}
    async with engine.begin() as connection:
        for statement in BEGIN:
            await connection.execute(text(statement), given)
    return erasure


async def removed(engine: AsyncEngine, erasure: UUID, service: str) -> dict[str, int]:
    """What the service says that it has removed, as soon as it does."""
    found: list[dict[str, int]] = []

    async def is_confirmed() -> bool:
        async with engine.connect() as connection:
            rows = await connection.execute(CONFIRMED, {"id": erasure, "service": service})
            found[:] = rows.scalars()
        return bool(found)

    await until(is_confirmed)
    return found[0]


async def holds(engine: AsyncEngine, schema: str, *words: str) -> dict[str, int]:
    """In how many rows of each table of the schema one of the words is, whatever the column."""
    tables = text("SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname = :schema")
    found: dict[str, int] = {}
    async with engine.connect() as connection:
        for table in (await connection.execute(tables, {"schema": schema})).scalars().all():
            rows = text(f"SELECT count(*) FROM {table} AS t WHERE t::text LIKE ANY (CAST(:words AS text[]))")
            number = (await connection.execute(rows, {"words": [f"%{word}%" for word in words]})).scalar_one()
            if number:
                found[table] = number
    return found
