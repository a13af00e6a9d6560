"""What each service does for erasures: remove what it holds, confirm it, and begin only when its database knows all."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple
from uuid import UUID

from prometheus_client import Counter
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.platform.consent import DATABASE_AWAY
from services.platform.erasure.entry import Removed

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 1.0
AT_ONCE: Final = 200
ERASED: Final = Counter("firstbell_erasures_confirmed", "Erasures that this service has confirmed")

_LOCK: Final = text("SELECT pg_advisory_xact_lock(727008, hashtext(:service))")
_LOCK_SHARED: Final = text("SELECT pg_advisory_xact_lock_shared(727008, hashtext(:service))")

_AWAITED: Final = text("""
    SELECT l.id, l.pseudonym, l.slot, l.gone FROM erasure.awaited a JOIN erasure.ledger l USING (id)
    WHERE a.service = :service AND l.gone > :after ORDER BY l.gone LIMIT :limit
""")

_CONFIRM: Final = text("""
    WITH done AS (DELETE FROM erasure.awaited WHERE service = :service AND id = :id RETURNING id)
    INSERT INTO erasure.confirmations (id, service, removed)
    SELECT id, :service, CAST(:removed AS jsonb) FROM done
    ON CONFLICT DO NOTHING
""")


class Erasure(NamedTuple):
    """A student of whom a service is to hold nothing any more; the key is gone already."""

    id: UUID
    pseudonym: str
    slot: int


Remove = Callable[[AsyncConnection, Erasure], Awaitable[Removed | None]]
"""Removes all that the service holds, in the transaction; None when it cannot be said yet: it is asked again."""


async def while_keys_hold(connection: AsyncConnection, service: str) -> None:
    """Until the transaction ends no erasure of the service begins: keys that it read stay those of the moment.

    To be called before keys are read for what the transaction then keeps. So nothing is kept after it was erased.
    """
    await connection.execute(_LOCK_SHARED, {"service": service})


async def while_nothing_is_written(connection: AsyncConnection, service: str) -> None:
    """Until the transaction ends nothing is kept by `while_keys_hold`; waits for those who began before."""
    await connection.execute(_LOCK, {"service": service})


async def awaited(connection: AsyncConnection, service: str, after: int) -> list[tuple[int, Erasure]]:
    """The next erasures that the service has not confirmed, each with its place; those `after` a place."""
    rows = await connection.execute(_AWAITED, {"service": service, "after": after, "limit": AT_ONCE})
    return [(gone, Erasure(id_, pseudonym, slot)) for id_, pseudonym, slot, gone in rows]


async def confirm(connection: AsyncConnection, service: str, erasure: Erasure, removed: Removed) -> None:
    """Put on record that the service holds nothing of it any more; places without any are left out."""
    given = {
        "service": service,
        "id": erasure.id,
        "removed": json.dumps({place: n for place, n in removed.items() if n}),
    }
    await connection.execute(_CONFIRM, given)


async def erase_awaited(engine: AsyncEngine, service: str, remove: Remove) -> int:
    """Remove and confirm all that is awaited now; how many erasures there were. A crash leaves the rest awaited."""
    number = after = 0
    while True:
        async with engine.connect() as connection:
            due = await awaited(connection, service, after)
        for _, erasure in due:
            await _erase(engine, service, erasure, remove)
        number += len(due)
        if len(due) < AT_ONCE:
            return number
        after = due[-1][0]


async def _erase(engine: AsyncEngine, service: str, erasure: Erasure, remove: Remove) -> None:
    async with engine.begin() as connection:
        await connection.execute(_LOCK, {"service": service})
        removed = await remove(connection, erasure)
        if removed is not None:
            await confirm(connection, service, erasure, removed)
            ERASED.inc()


async def erase_forever(
    engine: AsyncEngine, service: str, remove: Remove, after: Callable[[], None] = lambda: None
) -> None:
    """Look for erasures each second, until cancelled; `after` is called when there were some."""
    while True:
        try:
            if await erase_awaited(engine, service, remove):
                after()
        except DATABASE_AWAY as error:
            log.warning("erasures wait for the database: %s", type(error).__name__)
        await asyncio.sleep(LOOK_SECONDS)
