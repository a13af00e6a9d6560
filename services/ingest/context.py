"""What every intake step works with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Set
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest.identity.pseudonyms import Pseudonymizer
from services.ingest.patience import Patience
from services.ingest.publish.publisher import Publisher
from services.ingest.reporting.head_counts import HeadCounts
from services.platform.keys.master import MasterKeys


class Claims:
    """Students whose marks this process is taking in: two batches never take one student's at once.

    So a mark that comes twice at the same moment is taken once, and a student's order is kept.
    """

    def __init__(self) -> None:
        self._held: set[int] = set()
        self._released = asyncio.Condition()

    @asynccontextmanager
    async def hold(self, heads: Set[int]) -> AsyncIterator[None]:
        """Wait until none of them is held, and hold them."""
        async with self._released:
            await self._released.wait_for(lambda: self._held.isdisjoint(heads))
            self._held |= heads
        try:
            yield
        finally:
            self._held -= heads
            async with self._released:
                self._released.notify_all()


@dataclass(frozen=True, slots=True)
class IngestContext:
    """One process's connections, key and counts."""

    engine: AsyncEngine
    publisher: Publisher
    names: Pseudonymizer
    masters: MasterKeys
    ledger_file: Path
    """A copy of the ledger of erasures that no dump of the database holds."""
    timezone: ZoneInfo
    patience: Patience
    room: asyncio.Semaphore
    claims: Claims = field(default_factory=Claims)
    with_calendar: set[tuple[str, int]] = field(default_factory=set)
    """Schools, and school years of which they gave a calendar; others may have, too."""
    counts: HeadCounts = field(default_factory=lambda: HeadCounts(fresh=False))
    """What the process counts over its whole life; an import brings its own."""
