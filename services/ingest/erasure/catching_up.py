"""At the start: a database that was restored learns of every erasure since, before anything is shown or taken in."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest.erasure.erase import apply_entry
from services.ingest.store import ledger
from services.platform.erasure.copies import missing, read_file, read_topic

log = logging.getLogger(__name__)


async def catch_up(engine: AsyncEngine, bootstrap: str, file: Path, origin: str) -> int:
    """Do again what the ledger's copies know and the database does not; how many erasures those are.

    What one of the copies lacks is published to it anew. Raises `KafkaError`, and `SettingsError` when the file cannot
    be read.
    """
    async with engine.begin() as connection:
        await ledger.put_origin(connection, origin)
    in_topic, in_file = await read_topic(bootstrap, origin), await asyncio.to_thread(read_file, file)
    copies = dict(sorted((in_topic | in_file).items(), key=lambda item: item[1].at))
    copies |= {id_: one for each in (in_topic, in_file) for id_, one in each.items() if not one.held}
    async with engine.begin() as connection:
        await ledger.alone(connection)
        behind = await missing(connection, copies)
        for entry in behind:
            await apply_entry(connection, entry)
        await ledger.unpublish_others(connection, in_topic.keys() & in_file.keys())
    if behind:
        log.warning("the database lacked %d erasures that the ledger's copies have: they were done again", len(behind))
    return len(behind)
