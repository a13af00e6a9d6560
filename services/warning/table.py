"""The Faust table that holds what a partition knows, written in bulk and with receipts.

Keys are `partition|s|student`, `partition|c|school` (a school is known in every partition) and `partition|r|`, the
partition's steering of the capacity.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

import faust
import msgspec
from aiokafka import AIOKafkaProducer
from aiokafka.producer.message_accumulator import BatchBuilder
from faust.streams import _current_event
from faust.types import TP, EventT

from models.policy import Policy
from models.school import School
from services.warning.loading import load_partition
from services.warning.partition import Partition
from services.warning.steering import Steering
from services.warning.stored_school import dump_school
from services.warning.student import Student, dump


class WindowTable:
    """Reads and writes partitions of a Faust table whose keys and values are bytes."""

    def __init__(self, table: faust.Table[bytes, bytes]) -> None:
        self._table = table

    def read(self, number: int, policy: Policy, steering: Steering) -> Partition:
        """The partition as it was last written."""
        prefix = f"{number}|".encode()
        found = ((key, value) for key, value in self._table.data.items() if key.startswith(prefix) and value)
        return load_partition({key[len(prefix) :].decode(): value for key, value in found}, policy, steering)

    async def write(
        self,
        producer: AIOKafkaProducer,
        number: int,
        event: EventT,
        students: Iterable[Student],
        schools: Iterable[tuple[str, School]],
        steering: Steering | None = None,
    ) -> None:
        """Write them; returns when Kafka has acknowledged every change, raises `KafkaError` when it did not.

        `event` is a record of the partition: Faust's store asks which partition is being written.
        The state is read before the first await, so later changes belong to the next write.
        """
        items = [(f"{number}|s|{s.pseudonym}".encode(), dump(s)) for s in students]
        items += [(f"{number}|c|{name}".encode(), dump_school(school)) for name, school in schools]
        if steering is not None and steering.steers:
            items.append((f"{number}|r|".encode(), msgspec.msgpack.encode(steering.dump())))
        _current_event.set(weakref.ref(event))
        for key, value in items:
            self._table.data[key] = value
        topic = self._table.changelog_topic_name
        last = -1
        for batch in _batches(producer, items):
            receipt = await (await producer.send_batch(batch, topic, partition=number))
            last = receipt.offset + batch.record_count() - 1
        if last >= 0:
            # What the store holds up to here need not be read from the changelog again.
            self._table.data.set_persisted_offset(TP(topic, number), last)


def _batches(producer: AIOKafkaProducer, items: Iterable[tuple[bytes, bytes]]) -> Iterator[BatchBuilder]:
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
