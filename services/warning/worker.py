"""The worker: hot partitions in memory, records applied one after the other, checkpoints when the schedule says so.

A record is acknowledged only when what it did is in Kafka (`checkpoint.py` has the steps). So a crash at any moment is
followed by a replay that changes nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Iterable, Mapping
from datetime import UTC, datetime
from uuid import UUID

from aiokafka import AIOKafkaProducer
from faust.types import EventT
from prometheus_client import Counter, Gauge

from services.contracts.rejected import Rejected
from services.platform.trace import trace_in
from services.warning import records
from services.warning.checkpoint import Checkpoint
from services.warning.emitter import Emitter
from services.warning.owned import OwnedPartition, PartitionLostError
from services.warning.partition import Partition
from services.warning.schedule import Schedule
from services.warning.table import WindowTable

log = logging.getLogger(__name__)

RECORDS = Counter("firstbell_warning_records_total", "Records taken", ["topic"])
POISON = Counter("firstbell_warning_poison_total", "Records that could not be read or applied", ["topic"])
STUDENTS = Gauge("firstbell_warning_students", "Students in this worker's partitions")


Take = Callable[[Partition, records.Place, str, bytes | None, bytes | None, float], UUID | None]
"""Applies a record to a partition's state, as `records.take` does."""


class Worker:
    """Takes records of its partitions one after the other. Not thread-safe; one per process."""

    def __init__(
        self,
        table: WindowTable,
        partitions: int,
        load: Callable[[Mapping[str, bytes]], Partition],
        take: Take = records.take,
    ) -> None:
        self._table = table
        self._count = partitions
        self._load = load
        self._take = take
        self._schedule = Schedule()
        self._checkpoint: Checkpoint
        self._owned: dict[int, OwnedPartition] = {}

    def connect(self, producer: AIOKafkaProducer) -> None:
        """Say everything by this producer."""
        self._checkpoint = Checkpoint(self._table, Emitter(producer, self._count), self._schedule.spent)

    def forget(self) -> None:
        """Partitions moved: what is in memory is read anew from the table, and unacknowledged records come again."""
        for owned in self._owned.values():
            owned.lost = True
        self._owned.clear()

    async def load(self, numbers: Iterable[int]) -> None:
        """Read these partitions from the table, and emit what their last owner could not."""
        unknown = [number for number in numbers if number not in self._owned]
        for number, items in self._table.read(*unknown).items():
            if number not in self._owned:
                self._begin(number, items)
            await asyncio.sleep(0)

    def partition(self, number: int) -> Partition:
        """The partition's state, read from the table at first use."""
        return self._own(number).state

    async def take(self, event: EventT) -> None:
        """Apply one record; what follows from it is the next checkpoint's, dead letters too."""
        owned = self._own(event.message.partition)
        RECORDS.labels(event.message.topic).inc()
        with contextlib.suppress(PartitionLostError):
            async with owned.deciding:
                owned.check()
                self._apply(owned, event)
                if owned.state.due:
                    await owned.evaluate()
        self._expect(owned)
        await asyncio.sleep(0)  # a backlog never waits for anything, and checkpoints must have their turn

    async def turn(self) -> None:
        """Return when it is time for a checkpoint."""
        await self._schedule.turn()

    def checkpoints(self) -> list[Coroutine[None, None, None]]:
        """What to do now: a checkpoint of every partition that has something for one, and none under way."""
        self._schedule.begin()
        STUDENTS.set(sum(len(owned.state.students) for owned in self._owned.values()))
        waiting = [owned for owned in self._owned.values() if owned.waits and not owned.saving]
        for owned in waiting:
            owned.saving = True
        return [self._save(owned) for owned in waiting]

    async def _save(self, owned: OwnedPartition) -> None:
        await self._checkpoint.run(owned)
        owned.saving = False
        self._expect(owned)

    def _own(self, number: int) -> OwnedPartition:
        owned = self._owned.get(number)
        return owned if owned is not None else self._begin(number, self._table.read(number)[number])

    def _begin(self, number: int, items: Mapping[str, bytes]) -> OwnedPartition:
        owned = self._owned[number] = OwnedPartition(number, self._load(items))
        self._expect(owned)
        return owned

    def _apply(self, owned: OwnedPartition, event: EventT) -> None:
        message = event.message
        place = records.Place(owned.number, self._count)
        try:
            token = self._take(owned.state, place, message.topic, message.key, message.value, taken_at(event))
        except Exception as error:  # noqa: BLE001 - one poison record must not stop the others
            owned.rejected.append(_dead_letter(event, error))
        else:
            owned.tokens += [token] if token is not None else []
        owned.events.append(event)
        owned.trace = trace_in(message.headers or ()) or owned.trace

    def _expect(self, owned: OwnedPartition) -> None:
        if owned.lost or owned.saving:
            return  # nothing is to be done, or it is looked at again afterwards
        if owned.presses:
            self._schedule.press()
        elif owned.waits:
            self._schedule.taken()


def taken_at(event: EventT) -> float:
    """The record's timestamp, in seconds since the epoch."""
    timestamp = event.message.timestamp
    return float(timestamp) if timestamp else datetime.now(UTC).timestamp()


def _dead_letter(event: EventT, error: Exception) -> Rejected:
    message = event.message
    POISON.labels(message.topic).inc()
    # The error's text may repeat the input, so only its kind is logged.
    log.error("dead letter: %s[%s]@%s %s", message.topic, message.partition, message.offset, type(error).__name__)
    return Rejected(
        source=f"{message.topic}[{message.partition}]",
        line=message.offset,
        reason=f"the record cannot be read ({type(error).__name__})",
        at=datetime.now(UTC),
    )
