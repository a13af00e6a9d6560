"""Ingest's one producer: records out, acknowledged or an error; made anew after a failure."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from services.contracts.topics import MARKS, RETAINED
from services.ingest.metrics import PUBLISH_SECONDS
from services.ingest.patience import UnavailableError
from services.ingest.publish.batches import Record
from services.platform import trace
from services.platform.kafka import make_producer, set_retention

log = logging.getLogger(__name__)


class Publisher:
    """Sends records to explicit partitions and waits for every acknowledgement.

    A producer that failed is stopped to the end before another takes its place: its sequence numbers
    have a gap then, and nothing that it still held may arrive after what is sent anew.
    """

    def __init__(self, bootstrap: str, wait_seconds: float) -> None:
        self.bootstrap = bootstrap
        self._wait_seconds = wait_seconds
        self._lock = asyncio.Lock()
        self._producer: AIOKafkaProducer | None = None
        self._stopping: asyncio.Task[None] | None = None
        self._partitions: tuple[int, ...] = ()
        self._retained: int | None = None

    async def partitions(self) -> Sequence[int]:
        """The partitions that every topic has; raises `UnavailableError` when Kafka does not say in time."""
        try:
            async with asyncio.timeout(self._wait_seconds):
                await self._started()
        except (KafkaError, TimeoutError) as error:
            raise UnavailableError("Kafka") from error
        return self._partitions

    async def send(self, records: Iterable[Record]) -> None:
        """Return when all are acknowledged; raises `UnavailableError` otherwise, and any may have arrived."""
        producer: AIOKafkaProducer | None = None
        try:
            async with asyncio.timeout(self._wait_seconds):
                producer = await self._started()
                with PUBLISH_SECONDS.time():
                    await _deliver(producer, records)
        except (KafkaError, TimeoutError) as error:
            self._discard(producer)
            raise UnavailableError("Kafka") from error

    async def retain(self, days: int) -> None:
        """Have what streams kept for so many days; raises `UnavailableError` when Kafka does not say so in time."""
        if days != self._retained:
            try:
                async with asyncio.timeout(self._wait_seconds):
                    await set_retention(self.bootstrap, RETAINED, days)
            except (KafkaError, TimeoutError) as error:
                raise UnavailableError("Kafka") from error
            self._retained = days

    async def check(self) -> str | None:
        """None when the broker answers, else what to do."""
        try:
            async with asyncio.timeout(5):
                producer = await self._started()
                answered = await producer.client.force_metadata_update()
        except (KafkaError, TimeoutError):
            answered = False
        return None if answered else "Kafka does not answer. Look at `firstbell doctor`."

    async def stop(self) -> None:
        """Send what is left and close."""
        self._discard(self._producer)
        if self._stopping:
            await self._stopping

    async def _started(self) -> AIOKafkaProducer:
        async with self._lock:
            if self._stopping:
                await asyncio.shield(self._stopping)
                self._stopping = None
            if self._producer is None:
                producer = make_producer(self.bootstrap)
                try:
                    await producer.start()
                    self._partitions = tuple(sorted(await producer.partitions_for(MARKS.name)))
                except BaseException:
                    await producer.stop()
                    raise
                self._producer = producer
            return self._producer

    def _discard(self, producer: AIOKafkaProducer | None) -> None:
        if producer is not None and producer is self._producer:
            self._producer = None
            self._stopping = asyncio.create_task(_stop(producer))


async def _deliver(producer: AIOKafkaProducer, records: Iterable[Record]) -> None:
    futures: list[asyncio.Future[object]] = []
    headers = trace.headers()
    try:
        for record in records:
            key = record.key.encode()
            future = await producer.send(
                record.topic, record.value, key=key, partition=record.partition, headers=headers
            )
            futures.append(future)
    finally:
        results = await asyncio.gather(*futures, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result


async def _stop(producer: AIOKafkaProducer) -> None:
    try:
        await producer.stop()
    except KafkaError as error:
        log.warning("a Kafka producer did not stop cleanly: %s", type(error).__name__)
