"""The table's changelog as this worker writes it: whoever owned a partition before cannot write it any more.

A worker that was stopped for longer than its session, and goes on, still holds what it knew. Written over its
successor's newer values that would be lost marks: a compacted changelog keeps the last value of a key. So each term of
ownership has a producer of its own, whose first record, the fence, shuts out those of earlier terms
(`services/platform/fencing.py`). The fence is written before the table is recovered up to the changelog's end: what
came before it is read, and nothing else can come.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import uuid4

from aiokafka import AIOKafkaProducer
from aiokafka.errors import ProducerFenced
from aiokafka.producer.message_accumulator import BatchBuilder
from prometheus_client import Counter

from services.warning.owned import PartitionLostError

log = logging.getLogger(__name__)

FENCED = Counter("firstbell_warning_fenced_total", "Writes refused since another worker writes the partition now")

RENEW_SECONDS = 6 * 60 * 60
TRUST_SECONDS = 2 * RENEW_SECONDS
"""Kafka forgets a fence that was not renewed (the first after a day): a term so long without is not trusted."""

FENCE = "f|"
"""Key of the record that begins a term; its value names the term."""

Change = tuple[str, bytes | None]
"""A key of the partition's, and its new value; None deletes it."""
Item = tuple[bytes, bytes | None]


class FencedError(Exception):
    """Another worker writes the partition now: this one must begin anew, and what it still held is dropped."""


class Written(NamedTuple):
    """Records that Kafka has acknowledged, from this offset on."""

    offset: int
    items: Sequence[Item]


@dataclass(eq=False)
class _Term:
    """This worker's writing of a partition, from one rebalance to the next."""

    topic: str
    number: int
    producer: AIOKafkaProducer
    trusted_until: float
    end: int = 0
    """The offset after the last record written."""
    name: str = field(default_factory=lambda: uuid4().hex)
    writing: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def write(self, changes: Sequence[Change]) -> list[Written]:
        """Write them, or without any the fence: whoever goes on must have been able to write. Raises `FencedError`."""
        prefixed = [(f"{self.number}|{key}".encode(), value) for key, value in changes or [(FENCE, self.name.encode())]]
        written = []
        for batch, items in _batches(self.producer, prefixed):
            try:
                receipt = await (await self.producer.send_batch(batch, self.topic, partition=self.number))
            except ProducerFenced as error:
                raise fenced(self.number, "another worker has taken it over") from error
            self.end = receipt.offset + len(items)
            written.append(Written(receipt.offset, items))
        return written


class Changelog:
    """Writes the partitions of a changelog topic that this worker owns."""

    def __init__(
        self, open_producer: Callable[[str], Awaitable[AIOKafkaProducer]], clock: Callable[[], float] = time.time
    ) -> None:
        self._open = open_producer
        self._clock = clock
        self._terms: dict[int, _Term] = {}
        self._retiring: set[asyncio.Task[None]] = set()

    async def take_over(self, topic: str, numbers: Collection[int]) -> dict[int, Written]:
        """End all terms and begin one for each of these partitions; returns the fences, which are written by then."""
        for term in self._terms.values():
            self._retire(term)
        self._terms = {}
        begun = await asyncio.gather(*(self._begin(topic, number) for number in numbers))
        self._terms = {term.number: term for term, _ in begun}
        return {term.number: fence for term, fence in begun}

    async def write(self, number: int, changes: Sequence[Change]) -> list[Written]:
        """Write them; returns when Kafka has acknowledged every one.

        Raises `FencedError`, or `PartitionLostError` when the term has ended meanwhile, or `KafkaError`.
        """
        term = self._terms.get(number)
        if term is None:
            raise PartitionLostError
        async with term.writing:
            if self._clock() > term.trusted_until:
                raise fenced(number, "its fence was not renewed in time")
            written = await term.write(changes)
        if self._terms.get(number) is not term:
            raise PartitionLostError
        return written

    async def keep(self) -> None:
        """Renew the fences, for ever."""
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            await self.renew()

    async def renew(self) -> None:
        """Begin every term anew, before Kafka forgets its fence. Raises `FencedError` when another wrote meanwhile."""
        for number, term in list(self._terms.items()):
            async with term.writing:
                if self._terms.get(number) is not term:
                    continue
                fresh, fence = await self._begin(term.topic, number)
                if fence.offset != term.end:
                    self._retire(fresh)
                    raise fenced(number, "another worker has written there")
                if self._terms.get(number) is not term:
                    self._retire(fresh)
                    continue
                self._retire(term)
                term.producer, term.end, term.trusted_until = fresh.producer, fresh.end, fresh.trusted_until

    async def close(self) -> None:
        """End all terms; returns when every producer has stopped."""
        await self.take_over("", ())
        await asyncio.gather(*self._retiring)

    async def _begin(self, topic: str, number: int) -> tuple[_Term, Written]:
        until = self._clock() + TRUST_SECONDS
        term = _Term(topic, number, await self._open(f"{topic}-{number}"), until)
        try:
            (fence,) = await term.write([])
        except BaseException:
            self._retire(term)
            raise
        return term, fence

    def _retire(self, term: _Term) -> None:
        task = asyncio.create_task(term.producer.stop())
        self._retiring.add(task)
        task.add_done_callback(self._retiring.discard)


def fenced(number: int, why: str) -> FencedError:
    """The error that ends a term, counted and logged."""
    FENCED.inc()
    log.warning("partition %d was fenced off: %s; nothing more is written, emitted or acknowledged for it", number, why)
    return FencedError(f"partition {number} was fenced off: {why}")


def _batches(producer: AIOKafkaProducer, items: Sequence[Item]) -> Iterator[tuple[BatchBuilder, Sequence[Item]]]:
    """The items as whole batches of Kafka's: a send for each would cost more than all the rest of a write."""
    first = 0
    while first < len(items):
        batch, last = producer.create_batch(), first
        while last < len(items):
            key, value = items[last]
            if batch.append(key=key, value=value, timestamp=None) is None:
                break
            last += 1
        yield batch, items[first:last]
        first = last
