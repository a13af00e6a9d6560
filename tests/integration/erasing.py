"""What the services say of erasures, and what they hold."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.integration.running import until

CONFIRMED = text("SELECT removed FROM erasure.confirmations WHERE id = :id AND service = :service")


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
