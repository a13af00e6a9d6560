"""At the start: a database that was restored learns of every erasure since, before anything is shown or taken in."""

from __future__ import annotations

import asyncio
import logging

from services.ingest.context import IngestContext
from services.ingest.erasure.erase import apply_entry
from services.ingest.store import ledger
from services.platform.erasure.copies import missing, read_file, read_topic

log = logging.getLogger(__name__)


async def catch_up(parts: IngestContext) -> int:
    """Do again what the ledger's copies know and the database does not; how many erasures those are.

    What one of the copies lacks is published to it anew. Raises `KafkaError`, and `SettingsError` when the file cannot
    be read.
    """
    async with parts.engine.begin() as connection:
        await ledger.put_origin(connection, parts.names.origin)
    in_topic = await read_topic(parts.publisher.bootstrap, parts.names.origin)
    in_file = await asyncio.to_thread(read_file, parts.ledger_file)
    copies = dict(sorted((in_topic | in_file).items(), key=lambda item: item[1].at))
    copies |= {id_: one for each in (in_topic, in_file) for id_, one in each.items() if not one.held}
    async with parts.engine.begin() as connection:
        await ledger.alone(connection)
        behind = await missing(connection, copies)
        for entry in behind:
            await apply_entry(connection, entry)
        await ledger.unpublish_others(connection, in_topic.keys() & in_file.keys())
    if behind:
        log.warning("the database lacked %d erasures that the ledger's copies have: they were done again", len(behind))
    return len(behind)
