"""What lies in a topic of the running system."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, NamedTuple

from pydantic import SecretStr

from services.contracts.alerts import AlertEvent
from services.contracts.topics import Topic
from services.platform.embedded.endpoints import Stack, stack_database
from services.platform.kafka import make_consumer
from services.platform.settings import Settings
from services.rehearsal.new_alerts import alert_events


class Lying(NamedTuple):
    """One record as it lies in Kafka."""

    partition: int
    value: bytes
    headers: tuple[tuple[str, bytes], ...]


def records_of(bootstrap: str, topic: Topic) -> list[Lying]:
    """All of them up to now, each partition's in order."""
    return asyncio.run(_records(bootstrap, topic))


def alerts_of(where: Mapping[str, Any]) -> list[AlertEvent]:
    """The alerts of the running system that `where` describes, opened; those of one alert in order."""
    stack = Stack.model_validate(where)
    database = SecretStr(stack_database(stack, "ingest"))
    return asyncio.run(_alerts(Settings(data_dir=stack.data_dir, kafka=stack.kafka, database=database)))


async def _alerts(settings: Settings) -> list[AlertEvent]:
    return [alert async for alert in alert_events(settings)]


async def _records(bootstrap: str, topic: Topic) -> list[Lying]:
    consumer = make_consumer(bootstrap, topic.name, group=None)
    await consumer.start()
    try:
        count = sum((await consumer.end_offsets(consumer.assignment())).values())
        found = [await consumer.getone() for _ in range(count)]
    finally:
        await consumer.stop()
    return [Lying(record.partition, record.value, tuple(record.headers)) for record in found]
