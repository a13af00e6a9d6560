"""Everywhere where something about a student may lie outside the database: Kafka's topics and the worker's stores."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from aiokafka import TopicPartition
from rocksdict import AccessType, Options, Rdict
from tenacity import Retrying, stop_after_attempt, wait_fixed

from services.contracts.topics import ERASURES, TOPICS, WINDOWS_CHANGELOG
from services.platform.erasure.searching import Search
from services.platform.errors import OperatorError
from services.platform.kafka import make_admin, make_consumer

SEARCHED: Final = tuple(topic.name for topic in (*TOPICS, WINDOWS_CHANGELOG) if topic != ERASURES)
"""The ledger names whom it is about on purpose: it is what keeps them erased."""
STORES: Final = "rocksdb"
"""As what the worker's local stores are told."""
SILENT_SECONDS: Final = 60.0
OPENINGS: Final = 5

Told = Callable[[int, int], None]
"""Told how many of how many records were looked at."""


async def search_topics(bootstrap: str, search: Search, told: Told) -> None:
    """Look at every record of every topic, from its beginning to the end that it has now.

    It makes no group and commits nothing. Raises `KafkaError`, and `OperatorError` when a partition is silent.
    """
    places = await _partitions(bootstrap)
    for topic in SEARCHED:
        search.begin(topic)
    if not places:
        return
    consumer = make_consumer(bootstrap, group=None)
    await consumer.start()
    try:
        consumer.assign(places)
        begins, ends = await consumer.beginning_offsets(places), await consumer.end_offsets(places)
        for place in places:
            consumer.seek(place, begins[place])
        total, left = sum(ends[place] - begins[place] for place in places), set(places)
        async with asyncio.timeout(SILENT_SECONDS) as silence:
            while True:
                # What lies before the end may be a transaction's marker: it moves the position alone.
                missing = {place: ends[place] - await consumer.position(place) for place in left}
                left = {place for place, number in missing.items() if number > 0}
                told(total - sum(missing[place] for place in left), total)
                if not left:
                    break
                for place, records in (await consumer.getmany(*left, timeout_ms=200)).items():
                    silence.reschedule(asyncio.get_running_loop().time() + SILENT_SECONDS)
                    for record in records:
                        if record.offset < ends[place]:
                            search.take(place.topic, place.topic, record.key, record.value)
    except TimeoutError as error:
        behind = ", ".join(sorted({place.topic for place in left}))
        raise OperatorError(
            f"Kafka gave nothing for {SILENT_SECONDS:.0f} s before the end of {behind}. Look at `firstbell doctor`."
        ) from error
    finally:
        await consumer.stop()


async def _partitions(bootstrap: str) -> list[TopicPartition]:
    admin = make_admin(bootstrap)
    await admin.start()
    try:
        return [
            TopicPartition(topic["topic"], partition["partition"])
            for topic in await admin.describe_topics()
            if topic["topic"] in SEARCHED
            for partition in topic["partitions"]
        ]
    finally:
        await admin.close()


def stores(folder: Path) -> list[Path]:
    """The RocksDB stores below the worker's folder."""
    return sorted(found.parent for found in folder.rglob("CURRENT"))


def search_stores(folder: Path, search: Search) -> None:
    """Look at every item of the worker's local stores, which are opened beside it for reading.

    Raises `OperatorError` when one cannot be opened.
    """
    found = stores(folder)
    if found:
        search.begin(STORES)
    for path in found:
        for key, value in _items(path):
            search.take(STORES, WINDOWS_CHANGELOG.name, key, value)


def _items(path: Path) -> Iterator[tuple[bytes, bytes]]:
    with tempfile.TemporaryDirectory() as logs:
        options = Options(raw_mode=True)
        options.set_db_log_dir(logs)
        # The worker may put files together while they are opened.
        opening = Retrying(stop=stop_after_attempt(OPENINGS), wait=wait_fixed(0.2), reraise=True)
        try:
            store = opening(Rdict, str(path), options=options, access_type=AccessType.read_only())
        except Exception as error:  # rocksdict has no narrower one
            raise OperatorError(f"The worker's store {path} cannot be read: {error}") from error
        try:
            yield from store.items()
        finally:
            store.close()
