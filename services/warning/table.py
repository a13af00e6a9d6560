"""The Faust table that holds what a partition knows, written in bulk and with receipts.

Its keys are the partition's own behind its number: `3|s|student`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import faust
from aiokafka import AIOKafkaProducer
from aiokafka.producer.message_accumulator import BatchBuilder
from faust.types import TP

from services.warning.checkpoint import Change

Item = tuple[bytes, bytes | None]


class WindowTable:
    """Reads and writes partitions of a Faust table whose keys and values are bytes."""

    def __init__(self, table: faust.Table[bytes, bytes]) -> None:
        self._table = table
        self._producer: AIOKafkaProducer

    def connect(self, producer: AIOKafkaProducer) -> None:
        """Write by this producer."""
        self._producer = producer

    def read(self, number: int) -> dict[str, bytes]:
        """The partition's items as they were last written."""
        prefix = f"{number}|".encode()
        return {
            key[len(prefix) :].decode(): value
            for key, value in self._table.data.items()
            if key.startswith(prefix) and value
        }

    async def write(self, number: int, changes: Sequence[Change]) -> None:
        """Write them; returns when Kafka has acknowledged every change, raises `KafkaError` when it did not.

        The store beside the changelog follows it, so that what it holds after a crash was written by somebody.
        """
        topic = self._table.changelog_topic_name
        for items in _batches(self._producer, [(f"{number}|{key}".encode(), value) for key, value in changes]):
            receipt = await (await self._producer.send_batch(items.batch, topic, partition=number))
            self._table.apply_changelog_batch(_written(TP(topic, number), receipt.offset, items.items))


class _Batch(NamedTuple):
    batch: BatchBuilder
    items: Sequence[Item]


def _batches(producer: AIOKafkaProducer, items: Sequence[Item]) -> Iterator[_Batch]:
    """The changes as whole batches of Kafka's: a send for each would cost more than all the rest of a write."""
    first = 0
    while first < len(items):
        batch, last = producer.create_batch(), first
        while last < len(items):
            key, value = items[last]
            if batch.append(key=key, value=value, timestamp=None) is None:
                break
            last += 1
        yield _Batch(batch, items[first:last])
        first = last


class _Message(NamedTuple):
    """As much of a changelog record as Faust's stores look at."""

    tp: TP
    partition: int
    offset: int
    key: bytes
    value: bytes | None


class _Event(NamedTuple):
    message: _Message
    key: bytes
    value: bytes | None


def _written(tp: TP, first: int, items: Sequence[Item]) -> list[_Event]:
    """The items as records of the changelog from this offset on."""
    return [
        _Event(_Message(tp, tp.partition, offset, key, value), key, value)
        for offset, (key, value) in enumerate(items, start=first)
    ]
