"""What `/metrics` says of erasures that wait for a confirmation: more than none overdue is an alarm."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from prometheus_client import Gauge
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest.proofs.queries import pending
from services.platform.consent import DATABASE_AWAY

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 5.0

PENDING: Final = Gauge("firstbell_erasures_pending", "Erasures that not every service has confirmed; none is held")
OVERDUE: Final = Gauge("firstbell_erasures_overdue", "Of these, pending for more than a minute: an alarm")
OLDEST: Final = Gauge("firstbell_erasures_oldest_seconds", "How long the oldest of these has been pending")


async def look(engine: AsyncEngine) -> None:
    """Set the gauges to what the database says now."""
    async with engine.connect() as connection:
        found = await pending(connection)
    PENDING.set(found.pending)
    OVERDUE.set(found.overdue)
    OLDEST.set(found.oldest_seconds)


async def watch_forever(engine: AsyncEngine) -> None:
    """Look every few seconds, until cancelled; while the database is away the gauges keep what they had."""
    while True:
        try:
            await look(engine)
        except DATABASE_AWAY as error:
            log.warning("erasures that wait are not counted: %s", type(error).__name__)
        await asyncio.sleep(LOOK_SECONDS)
