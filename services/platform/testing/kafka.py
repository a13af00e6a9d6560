"""Kafka's producers in memory: the test decides what becomes of every request, and when.

`MemoryKafka.producer()` is made in place of `make_producer`, and `MemoryKafka.open` is awaited in place of
`start_fencing_producer`. While `holds` is set, a batch waits in `requests` until the test acknowledges it, refuses it,
or loses the answer; else Kafka acknowledges at once. A batch of a producer whose name was taken by another is refused
from that one's first record on, partition by partition, as the broker does.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from aiokafka.errors import KafkaError, ProducerClosed, ProducerFenced


class LogRecord(NamedTuple):
    """One record of a batch."""

    key: bytes | None
    value: bytes | None


class LogPlace(NamedTuple):
    """A partition of a topic."""

    topic: str
    partition: int


class Receipt(NamedTuple):
    """As much of aiokafka's answer as is looked at."""

    offset: int


@dataclass(eq=False)
class Request:
    """A batch on its way to Kafka."""

    kafka: MemoryKafka
    producer: MemoryProducer
    place: LogPlace
    records: Sequence[LogRecord]
    answer: asyncio.Future[Receipt]

    def acknowledge(self) -> None:
        """Kafka takes it, or refuses it when the producer was fenced off, and says so."""
        try:
            receipt = self.kafka.take(self)
        except KafkaError as error:
            self.refuse(error)
        else:
            self._leave()
            if not self.answer.done():
                self.answer.set_result(receipt)

    def refuse(self, error: KafkaError) -> None:
        """Kafka does not take it."""
        self._leave()
        if not self.answer.done():
            self.answer.set_exception(error)

    def lose_answer(self) -> None:
        """Kafka takes it, if it may, but the sender never hears of it."""
        with contextlib.suppress(ProducerFenced):
            self.kafka.take(self)
        self._leave()

    def lose(self) -> None:
        """It never arrives."""
        self._leave()

    def _leave(self) -> None:
        self.kafka.requests.remove(self)


@dataclass(eq=False)
class MemoryKafka:
    """What Kafka holds, and what is on its way there."""

    holds: bool = False
    requests: list[Request] = field(default_factory=list)
    """In the order in which they were sent."""
    logs: defaultdict[LogPlace, list[LogRecord]] = field(default_factory=lambda: defaultdict(list))
    _epochs: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    _seen: dict[tuple[LogPlace, str], int] = field(default_factory=dict)

    def producer(self) -> MemoryProducer:
        """A producer that nobody can fence off."""
        return MemoryProducer(self, None, 0)

    async def open(self, name: str) -> MemoryProducer:
        """A producer that fences off those of this name before it."""
        self._epochs[name] += 1
        return MemoryProducer(self, name, self._epochs[name])

    def latest(self, topic: str, partition: int) -> dict[bytes, bytes]:
        """The values that compaction would keep."""
        found: dict[bytes, bytes] = {}
        for key, value in self.logs[LogPlace(topic, partition)]:
            if key is not None:
                found.pop(key, None)
            if key is not None and value is not None:
                found[key] = value
        return found

    def answerable(self) -> list[Request]:
        """The requests that Kafka may answer next: a producer's come to a partition in the order of their sending."""
        first: dict[tuple[MemoryProducer, LogPlace], Request] = {}
        for request in self.requests:
            first.setdefault((request.producer, request.place), request)
        return list(first.values())

    def send(self, producer: MemoryProducer, place: LogPlace, records: Sequence[LogRecord]) -> asyncio.Future[Receipt]:
        """Put a batch on its way."""
        request = Request(self, producer, place, records, asyncio.get_running_loop().create_future())
        self.requests.append(request)
        if not self.holds:
            request.acknowledge()
        return request.answer

    def take(self, request: Request) -> Receipt:
        """Append a batch; raises `ProducerFenced`."""
        producer, log = request.producer, self.logs[request.place]
        if producer.name is not None:
            seen = self._seen.get((request.place, producer.name), 0)
            if producer.epoch < seen:
                raise ProducerFenced
            self._seen[request.place, producer.name] = producer.epoch
        log.extend(request.records)
        return Receipt(len(log) - len(request.records))


class MemoryBatch:
    """A batch that is being filled; it takes `size` records."""

    def __init__(self, size: int) -> None:
        self.records: list[LogRecord] = []
        self._size = size

    def append(self, *, timestamp: int | None, key: bytes | None, value: bytes | None) -> LogRecord | None:  # noqa: ARG002
        """Add a record; None when the batch is full."""
        if len(self.records) == self._size:
            return None
        self.records.append(LogRecord(key, value))
        return self.records[-1]


@dataclass(eq=False)
class MemoryProducer:
    """As much of `AIOKafkaProducer` as our code calls."""

    kafka: MemoryKafka
    name: str | None
    epoch: int
    batch_size: int = 100
    closed: bool = False

    async def send(
        self,
        topic: str,
        value: bytes | None = None,
        key: bytes | None = None,
        partition: int | None = None,
        headers: Sequence[tuple[str, bytes]] = (),  # noqa: ARG002 - nothing that is decided depends on them
    ) -> asyncio.Future[Receipt]:
        """Put one record on its way; without a partition it goes to the first."""
        return self._send(LogPlace(topic, partition or 0), [LogRecord(key, value)])

    async def send_and_wait(
        self, topic: str, value: bytes | None = None, key: bytes | None = None, partition: int | None = None
    ) -> Receipt:
        """Send one record and wait for the answer."""
        return await (await self.send(topic, value, key, partition))

    def create_batch(self) -> MemoryBatch:
        """An empty batch."""
        return MemoryBatch(self.batch_size)

    async def send_batch(self, batch: MemoryBatch, topic: str, *, partition: int) -> asyncio.Future[Receipt]:
        """Put a batch on its way."""
        return self._send(LogPlace(topic, partition), batch.records)

    async def start(self) -> None:
        """Nothing is to be connected."""

    async def stop(self) -> None:
        """Take nothing more, and wait for what is on its way, as aiokafka does."""
        self.closed = True
        waiting = [request.answer for request in self.kafka.requests if request.producer is self]
        if waiting:
            await asyncio.wait(waiting)

    def _send(self, place: LogPlace, records: Sequence[LogRecord]) -> asyncio.Future[Receipt]:
        if self.closed:
            raise ProducerClosed
        return self.kafka.send(self, place, records)
