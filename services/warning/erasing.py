"""The worker's part in erasures: it has keys once its database knows them all, and lets go of what is erased."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from aiokafka.errors import KafkaError
from sqlalchemy.ext.asyncio import AsyncEngine

from services.platform.consent import DATABASE_AWAY
from services.platform.erasure.confirming import Remove, erase_forever
from services.platform.erasure.copies import RETRY_SECONDS, until_ledger_is_whole
from services.platform.keys.ring import KeyRing
from services.platform.roles import require_role

log = logging.getLogger(__name__)

SERVICE: Final = "warning"


class Erasing:
    """The ring of keys, and what is asked of the ledger of erasures. `engine` is the service's."""

    def __init__(self, engine: AsyncEngine, ring: KeyRing, bootstrap: str) -> None:
        self._engine = engine
        self._ring = ring
        self._bootstrap = bootstrap

    async def keep(self, remove: Remove) -> None:
        """Open the ring when it may be, then renew its lease and remove what is erased, until cancelled.

        Raises `RolesError` when the database would give the worker nothing.
        """
        await self._until_open()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._ring.refresh_forever())
            tasks.create_task(erase_forever(self._engine, SERVICE, remove))

    async def close(self) -> None:
        """Let the database go."""
        await self._engine.dispose()

    async def _until_open(self) -> None:
        while True:
            try:
                async with self._engine.connect() as connection:
                    await require_role(connection, SERVICE)
                await until_ledger_is_whole(self._engine, self._bootstrap)
            except (*DATABASE_AWAY, KafkaError) as error:
                log.warning("the ledger of erasures cannot be compared yet: %s", type(error).__name__)
                await asyncio.sleep(RETRY_SECONDS)
            else:
                self._ring.open()
                return
