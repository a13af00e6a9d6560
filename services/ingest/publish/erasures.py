"""The copies of the ledger: each entry is sent to Kafka and appended to a file before that is noted in the database.

After a crash between, it is sent again: of each entry the copies hold the last word.
"""

from __future__ import annotations

import asyncio
import logging
from itertools import chain

from services.contracts.ids import Slot, partition_of
from services.contracts.topics import CONSENTS, ENROLLMENTS, ERASURES
from services.ingest.context import IngestContext
from services.ingest.patience import UnavailableError
from services.ingest.publish.batches import Record
from services.ingest.store import ledger, pending
from services.platform.erasure.confirming import Erasure, confirm
from services.platform.erasure.copies import append_file, topic_key
from services.platform.erasure.entry import LedgerEntry

log = logging.getLogger(__name__)

_AT_ONCE = 500


async def publish_erasures(parts: IngestContext) -> None:
    """Send every entry of the ledger that its copies lack; raises `UnavailableError` when Kafka or the file is away."""
    while await _some(parts):
        pass


async def _some(parts: IngestContext) -> bool:
    async with parts.engine.begin() as connection:
        if not (await pending.due(connection)).erasures:
            return False
        await pending.alone(connection)
        found = await ledger.unpublished(connection, _AT_ONCE)
        if found:
            entries = [entry for entry, _ in found]
            partitions = len(await parts.publisher.partitions())
            records = [_records(entry, parts.names.origin, partitions) for entry in entries]
            await parts.publisher.send(chain.from_iterable(records))
            await _append(parts, entries)
            await ledger.published(connection, [entry.id for entry in entries])
            for entry, removed in found:
                erasure = _erasure(entry)
                if erasure is not None:
                    await confirm(connection, "ingest", erasure, removed)
    return len(found) == _AT_ONCE


def _records(entry: LedgerEntry, origin: str, partitions: int) -> list[Record]:
    """The entry, and tombstones of what flowed; of one that is held only access has ended."""
    records = [Record(ERASURES.name, 0, topic_key(origin, entry.id), entry.model_dump_json().encode())]
    erasure = _erasure(entry)
    if erasure is not None and not entry.kept_for:
        partition = partition_of(Slot(erasure.slot), partitions)
        records += [Record(topic.name, partition, erasure.pseudonym, None) for topic in (CONSENTS, ENROLLMENTS)]
    return records


def _erasure(entry: LedgerEntry) -> Erasure | None:
    if entry.held or entry.pseudonym is None or entry.slot is None:
        return None
    return Erasure(entry.id, entry.pseudonym, entry.slot)


async def _append(parts: IngestContext, entries: list[LedgerEntry]) -> None:
    try:
        await asyncio.to_thread(append_file, parts.ledger_file, entries)
    except OSError as error:
        log.warning("the ledger of erasures is not written to %s: %s", parts.ledger_file, type(error).__name__)
        raise UnavailableError("The file of the ledger of erasures") from error
