"""What lies in a topic of the running system."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from services.contracts.topics import Topic
from services.platform.kafka import make_consumer


class Lying(NamedTuple):
    """One record as it lies in Kafka."""

    partition: int
    value: bytes
    headers: tuple[tuple[str, bytes], ...]


def records_of(bootstrap: str, topic: Topic) -> list[Lying]:
    """All of them up to now, each partition's in order."""
    return asyncio.run(_records(bootstrap, topic))


async def _records(bootstrap: str, topic: Topic) -> list[Lying]:
    consumer = make_consumer(bootstrap, topic.name, group=None)
    await consumer.start()
    try:
        count = sum((await consumer.end_offsets(consumer.assignment())).values())
        found = [await consumer.getone() for _ in range(count)]
    finally:
        await consumer.stop()
    return [Lying(record.partition, record.value, tuple(record.headers)) for record in found]
