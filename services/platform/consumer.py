"""A topic about students read in batches: one handler call a batch, offsets committed after it, nothing lost between.

At least once: the handler must be idempotent. While the database is away the batch is tried again, while Kafka is
away the client reconnects, and a record that cannot be read or stored goes to the dead letters and is passed over. One
that was sealed with a key that is gone was erased: it is counted.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Final, Generic

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka import errors as kafka_errors
from prometheus_client import Counter
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, retry_if_exception_type, wait_random_exponential

from services.contracts.rejected import Rejected
from services.contracts.topics import REJECTED, Topic
from services.platform.consent import CHECK_SECONDS, DATABASE_AWAY
from services.platform.erasure.confirming import while_keys_hold
from services.platform.kafka import make_consumer, make_producer
from services.platform.keys.master import MasterKeys
from services.platform.keys.opening import EventT, NoEvent, open_events

logger = logging.getLogger(__name__)

consumed = Counter("firstbell_consumed_records", "Records handled and committed", ["group"])
poison = Counter("firstbell_poison_records", "Records sent to the dead letters", ["group"])
erased = Counter("firstbell_erased_records", "Records passed over since their key is gone", ["group"])

BATCH: Final = 500
STOP_SECONDS: Final = 5.0
INCURABLE: Final = (
    kafka_errors.AuthenticationFailedError,
    kafka_errors.AuthenticationMethodNotSupported,
    kafka_errors.ClusterAuthorizationFailedError,
    kafka_errors.GroupAuthorizationFailedError,
    kafka_errors.TopicAuthorizationFailedError,
    kafka_errors.IncompatibleBrokerVersion,
    kafka_errors.InvalidGroupIdError,
    kafka_errors.InvalidTopicError,
)
"""Kafka's refusals that no waiting cures."""


class SealedEvents(Generic[EventT]):
    """A batch that the handler opens in the transaction that keeps what is in it."""

    def __init__(
        self, service: str, masters: MasterKeys, topic: Topic, read: Callable[[bytes], EventT], values: Sequence[bytes]
    ) -> None:
        self._service = service
        self._masters = masters
        self._topic = topic
        self._read = read
        self._values = values
        self.unreadable: list[tuple[int, NoEvent]] = []
        """Places in the batch, and why; known once it is opened."""
        self.erased = 0
        """How many were passed over, as their key is gone."""

    async def open(self, session: AsyncSession) -> list[EventT]:
        """The events; until the transaction ends none of their students is erased from the service."""
        connection = await session.connection()
        await while_keys_hold(connection, self._service)
        found = await open_events(connection, self._masters, self._topic, self._read, self._values)
        self.unreadable = [(place, each) for place, each in enumerate(found) if isinstance(each, NoEvent)]
        self.erased = found.count(None)
        return [each for each in found if not (each is None or isinstance(each, NoEvent))]


class BatchConsumer(Generic[EventT]):
    """Reads `topic` as `group` of a `service` and hands each batch of sealed events to `handle`, which opens it.

    `read` makes an event of JSON; `gather_seconds` is how long the first event of a batch may wait for others.
    """

    def __init__(
        self,
        bootstrap: str,
        topic: Topic,
        *,
        group: str,
        service: str,
        masters: MasterKeys,
        read: Callable[[bytes], EventT],
        handle: Callable[[SealedEvents[EventT]], Awaitable[None]],
        gather_seconds: float = 0.0,
    ) -> None:
        self._bootstrap = bootstrap
        self._topic = topic
        self._group = group
        self._handle = handle
        self._sealed = partial(SealedEvents[EventT], service, masters, topic, read)
        self._gather_seconds = gather_seconds
        self._consumer: AIOKafkaConsumer | None = None
        self._membership = _Membership()

    async def run(self) -> None:
        """Consume until cancelled; raises what neither Kafka's nor the database's return would cure."""
        retrying = AsyncRetrying(
            retry=retry_if_exception(_curable),
            wait=wait_random_exponential(multiplier=0.2, max=5),
            before_sleep=log_retry,
        )
        async for attempt in retrying:
            with attempt:
                await self._session()

    async def check(self) -> str | None:
        """A readiness check: the group has given this consumer its partitions, and Kafka answers."""
        consumer = self._consumer
        if consumer is None or not self._membership.joined:
            return f"the consumer of {self._topic.name} has not joined its group yet; see FIRSTBELL_KAFKA"
        try:
            await asyncio.wait_for(consumer.end_offsets(consumer.assignment()), CHECK_SECONDS)
        except (kafka_errors.KafkaError, TimeoutError):
            return "Kafka does not answer; see FIRSTBELL_KAFKA"
        return None

    async def _session(self) -> None:
        consumer = make_consumer(self._bootstrap, group=self._group)
        producer = make_producer(self._bootstrap)
        self._membership = _Membership()
        consumer.subscribe([self._topic.name], listener=self._membership)
        try:
            await producer.start()
            await consumer.start()
            self._consumer = consumer
            while True:
                await self._take(consumer, producer)
        finally:
            self._consumer = None
            await stop_client(consumer)
            await stop_client(producer)

    async def _take(self, consumer: AIOKafkaConsumer, producer: AIOKafkaProducer) -> None:
        records = await self._gather(consumer)
        if not records:
            return
        await self._store(records, producer)
        await consumer.commit({TopicPartition(each.topic, each.partition): each.offset + 1 for each in records})
        consumed.labels(self._group).inc(len(records))

    async def _gather(self, consumer: AIOKafkaConsumer) -> list[ConsumerRecord]:
        """The next records, each partition's in order; none when none come within a second."""
        records = _flat(await consumer.getmany(timeout_ms=1000, max_records=BATCH))
        end = time.monotonic() + self._gather_seconds
        while records and len(records) < BATCH and (left := end - time.monotonic()) > 0:
            more = await consumer.getmany(timeout_ms=math.ceil(1000 * left), max_records=BATCH - len(records))
            records += _flat(more)
        return records

    async def _store(self, records: Sequence[ConsumerRecord], producer: AIOKafkaProducer) -> None:
        """Hand the records over; when the database refuses a value, find the record that it is in."""
        try:
            sealed = await self._handle_when_database_answers([record.value or b"" for record in records])
        except (DataError, IntegrityError):
            if len(records) == 1:
                await self._bury(producer, records[0], NoEvent("the database refuses a value of it"))
                return
            middle = len(records) // 2
            await self._store(records[:middle], producer)
            await self._store(records[middle:], producer)
            return
        for place, why in sealed.unreadable:
            await self._bury(producer, records[place], why)
        erased.labels(self._group).inc(sealed.erased)

    async def _handle_when_database_answers(self, values: Sequence[bytes]) -> SealedEvents[EventT]:
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(DATABASE_AWAY),
            wait=wait_random_exponential(multiplier=0.1, max=5),
            before_sleep=log_retry,
        )
        sealed = self._sealed(values)
        async for attempt in retrying:
            with attempt:
                await self._handle(sealed)
        return sealed

    async def _bury(self, producer: AIOKafkaProducer, record: ConsumerRecord, why: NoEvent) -> None:
        """Send the record's place and the reason, and nothing of what is in it, to the dead letters."""
        source = f"{record.topic}/{record.partition}"
        letter = Rejected(
            source=source,
            line=record.offset,
            field=why.field,
            reason=f"{self._group}: {why.reason}",
            at=datetime.now(UTC),
        )
        await producer.send_and_wait(REJECTED.name, letter.model_dump_json().encode(), key=source.encode())
        poison.labels(self._group).inc()
        logger.warning("%s offset %d went to the dead letters: %s", source, record.offset, why.reason)


class _Membership(ConsumerRebalanceListener):  # type: ignore[misc]
    """Whether the group has given us our partitions (which may be none, with more consumers than partitions)."""

    def __init__(self) -> None:
        self.joined = False

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:  # noqa: ARG002
        self.joined = False

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:  # noqa: ARG002
        self.joined = True


def _flat(batches: Mapping[TopicPartition, Sequence[ConsumerRecord]]) -> list[ConsumerRecord]:
    return [record for batch in batches.values() for record in batch]


def _curable(error: BaseException) -> bool:
    return isinstance(error, kafka_errors.KafkaError) and not isinstance(error, INCURABLE)


def log_retry(state: RetryCallState) -> None:
    """Log the class of an error that is waited out; its words may quote a statement's values."""
    error = state.outcome.exception() if state.outcome else None
    wait = state.next_action.sleep if state.next_action else 0.0
    logger.warning("%s; attempt %d, the next in %.1f s", type(error).__name__, state.attempt_number, wait)


async def stop_client(client: AIOKafkaConsumer | AIOKafkaProducer) -> None:
    """Stop a client, and do not wait long for a broker that is gone."""
    try:
        await asyncio.wait_for(client.stop(), STOP_SECONDS)
    except (kafka_errors.KafkaError, TimeoutError) as error:
        logger.warning("a Kafka client did not stop cleanly: %s", type(error).__name__)
