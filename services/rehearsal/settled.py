"""Waiting for conditions of the running system: closes evaluated, groups caught up, mails settled."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from uuid import UUID

from aiokafka import AIOKafkaConsumer
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tenacity import AsyncRetrying, retry_if_result, wait_fixed

from services.contracts.marks import DaysEvaluated
from services.contracts.topics import CASEWORK_GROUP, NOTIFY_GROUP, PROGRESS, TOPICS, WARNING_GROUP
from services.platform.kafka import make_consumer
from services.platform.lag import read_lag

POLL_SECONDS = 0.1
_TOPICS = {topic.name for topic in TOPICS}
_UNSETTLED = text("SELECT count(*) FROM notify.mails WHERE status NOT IN ('sent', 'failed', 'cancelled')")


class Answers:
    """The worker's answers to closes, from now on."""

    def __init__(self, consumer: AIOKafkaConsumer, partitions: int) -> None:
        self._consumer = consumer
        self._partitions = partitions
        self._answered: defaultdict[UUID, set[int]] = defaultdict(set)

    @classmethod
    @asynccontextmanager
    async def listen(cls, bootstrap: str) -> AsyncIterator[Answers]:
        """Listen behind the last answer there is."""
        consumer = make_consumer(bootstrap, PROGRESS.name, group=None)
        await consumer.start()
        try:
            await consumer.seek_to_end()
            yield cls(consumer, len(consumer.assignment()))
        finally:
            await consumer.stop()

    async def wait(self, token: UUID) -> None:
        """Return when every partition has evaluated the closes of this token, and its alerts are in Kafka."""
        while len(self._answered[token]) < self._partitions:
            record = await self._consumer.getone()
            answer = DaysEvaluated.model_validate_json(record.value)
            self._answered[answer.token].add(answer.partition)
        del self._answered[token]


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Ask again and again until the condition holds."""

    async def ask() -> bool:
        return await condition()

    await AsyncRetrying(retry=retry_if_result(lambda holds: not holds), wait=wait_fixed(POLL_SECONDS))(ask)


async def worker_caught_up(bootstrap: str) -> None:
    """Return when the worker has committed all there is: no token speaks of consents and calendars."""
    await until(lambda: _level(bootstrap, WARNING_GROUP))


async def caught_up(bootstrap: str) -> None:
    """Return when the worker, and then everyone who reads its alerts, has committed all there is."""
    await worker_caught_up(bootstrap)
    await until(lambda: _level(bootstrap, CASEWORK_GROUP, NOTIFY_GROUP))


async def mails_settled(engine: AsyncEngine) -> None:
    """Return when every mail is sent, failed or cancelled."""

    async def settled() -> bool:
        async with engine.connect() as connection:
            return bool((await connection.execute(_UNSETTLED)).scalar_one() == 0)

    await until(settled)


async def _level(bootstrap: str, *groups: str) -> bool:
    # The worker holds its changelog as well, and never commits there.
    lags = [lag for lag in await read_lag(bootstrap) if lag.group in groups and lag.topic in _TOPICS]
    return set(groups) <= {lag.group for lag in lags} and all(
        lag.lag == 0 or (lag.committed is None and lag.end == 0) for lag in lags
    )
