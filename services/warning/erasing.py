"""The worker's part in erasures: it has keys once its database knows them all, and lets go of what is erased."""

from __future__ import annotations

import asyncio
from typing import Final

from sqlalchemy.ext.asyncio import AsyncEngine

from services.platform.erasure.confirming import Remove
from services.platform.erasure.erasing import Erasures
from services.platform.keys.ring import KeyRing

SERVICE: Final = "warning"


class Erasing:
    """The ring of keys, and what is asked of the ledger of erasures. `engine` is the service's."""

    def __init__(self, engine: AsyncEngine, ring: KeyRing, bootstrap: str) -> None:
        self._engine = engine
        self._ring = ring
        self._bootstrap = bootstrap

    async def keep(self, remove: Remove) -> None:
        """Open the ring when it may be, then renew its lease and remove what is erased, until cancelled.

        Raises what `Erasures.run` raises, and `MasterKeyLostError`.
        """
        erasures = Erasures(self._engine, self._bootstrap, service=SERVICE, remove=remove)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(erasures.run())
            tasks.create_task(erasures.then(self._renew))

    async def close(self) -> None:
        """Let the database go."""
        await self._engine.dispose()

    async def _renew(self) -> None:
        self._ring.open()
        await self._ring.refresh_forever()
