"""The agreement in a database, for those who have no intake open."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.agreement.document import Agreement
from services.ingest.store import agreements
from services.platform.database import make_engine


@dataclass(frozen=True, slots=True)
class StandingAgreement:
    """What holds now, else the version that was applied last."""

    agreement: Agreement
    in_force: bool


async def standing_agreement(database: str) -> StandingAgreement | None:
    """What holds now in the migrated database at this URL; None when no version was ever applied."""
    async with _connected(database) as connection:
        now = await agreements.in_force(connection)
        if now is not None:
            return StandingAgreement(now, in_force=True)
        last = await agreements.last_applied(connection)
    return None if last is None else StandingAgreement(last, in_force=False)


async def apply_agreement(database: str, agreement: Agreement) -> bool:
    """Keep a version in the migrated database at this URL; whether it is new. The next sweep brings it about.

    Raises `VersionError`.
    """
    async with _connected(database) as connection:
        return await agreements.apply(connection, agreement)


@asynccontextmanager
async def _connected(database: str) -> AsyncIterator[AsyncConnection]:
    engine = make_engine(database, service="ingest", pool_size=1)
    try:
        async with engine.begin() as connection:
            yield connection
    finally:
        await engine.dispose()
