"""The Faust table that holds what a partition knows, written in bulk and with receipts.

Keys are the partition's number and, behind `|`, those of `services.warning.stored`.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

import faust
from aiokafka import AIOKafkaProducer
from aiokafka.producer.message_accumulator import BatchBuilder
from faust.streams import _current_event
from faust.types import TP, EventT


class WindowTable:
    """Reads and writes partitions of a Faust table whose keys and values are bytes."""

    def __init__(self, table: faust.Table[bytes, bytes]) -> None:
        self._table = table

    def read(self, number: int) -> dict[str, bytes]:
        """What was last written of a partition, by key."""
        prefix = f"{number}|"
        return {
            name.removeprefix(prefix): value
            for key, value in self._table.data.items()
            if value and (name := key.decode()).startswith(prefix)
        }

    async def write(
        self, producer: AIOKafkaProducer, number: int, event: EventT, changes: Iterable[tuple[str, bytes | None]]
    ) -> None:
        """Write them; returns when Kafka has acknowledged every change, raises `KafkaError` when it did not.

        `event` is a record of the partition: Faust's store asks which partition is being written.
        """
        items = [(f"{number}|{key}".encode(), value) for key, value in changes]
        _current_event.set(weakref.ref(event))
        for key, value in items:
            if value is None:
                self._table.data.pop(key, None)
            else:
                self._table.data[key] = value
        topic = self._table.changelog_topic_name
        last = -1
        for batch in _batches(producer, items):
            receipt = await (await producer.send_batch(batch, topic, partition=number))
            last = receipt.offset + batch.record_count() - 1
        if last >= 0:
            # What the store holds up to here need not be read from the changelog again.
            self._table.data.set_persisted_offset(TP(topic, number), last)


def _batches(producer: AIOKafkaProducer, items: Iterable[tuple[bytes, bytes | None]]) -> Iterator[BatchBuilder]:
    """The changes as whole batches of Kafka's: a send for each would cost more than all the rest of a write."""
    batch = producer.create_batch()
    for key, value in items:
        if batch.append(key=key, value=value, timestamp=None) is None:
            yield batch
            batch = producer.create_batch()
            batch.append(key=key, value=value, timestamp=None)
    if batch.record_count():
        yield batch


def taken_at(event: EventT) -> float:
    """The record's timestamp, in seconds since the epoch."""
    timestamp = event.message.timestamp
    return float(timestamp) if timestamp else datetime.now(UTC).timestamp()
