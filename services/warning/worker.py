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
from functools import partial
from uuid import UUID

from aiokafka import AIOKafkaProducer
from faust.types import EventT
from prometheus_client import Counter, Gauge

from services.contracts.ids import Pseudonym, Slot, partition_of
from services.contracts.packed import CipherOf
from services.contracts.rejected import Rejected
from services.platform.erasure.confirming import Erasure
from services.platform.erasure.entry import Removed
from services.platform.keys.ring import KeyAwayError
from services.platform.trace import trace_in
from services.warning import records
from services.warning.checkpoint import Checkpoint
from services.warning.emitter import Emitter
from services.warning.keys import FeedKeys
from services.warning.loading import students_in
from services.warning.owned import OwnedPartition, PartitionLostError
from services.warning.partition import Partition
from services.warning.schedule import Schedule
from services.warning.table import WindowTable
from services.warning.waiting import PatientKeys

log = logging.getLogger(__name__)

RECORDS = Counter("firstbell_warning_records_total", "Records taken", ["topic"])
POISON = Counter("firstbell_warning_poison_total", "Records that could not be read or applied", ["topic"])
STUDENTS = Gauge("firstbell_warning_students", "Students in this worker's partitions")
UNREADABLE = Gauge(
    "firstbell_warning_unreadable_students", "Students in the table whose key was never made, as far as is known"
)


Take = Callable[[Partition, records.Place, str, bytes | None, bytes | None, float, FeedKeys], UUID | None]
"""Applies a record to a partition's state, as `records.take` does."""
Load = Callable[[Mapping[str, bytes], CipherOf], Partition]


class Worker:
    """Takes records of its partitions one after the other. Not thread-safe; one per process."""

    def __init__(
        self,
        table: WindowTable,
        partitions: int,
        load: Load,
        keys: FeedKeys,
        take: Take = records.take,
    ) -> None:
        self._table = table
        self._count = partitions
        self._load = load
        self._keys = PatientKeys(keys)
        self._take = take
        self._schedule = Schedule()
        self._checkpoint: Checkpoint
        self._owned: dict[int, OwnedPartition] = {}
        self._term = object()
        """Another one whenever partitions moved."""
        self._begun: set[int] = set()
        """The partitions of this term, read from the table or not yet."""
        self._begins = asyncio.Event()
        self._loading = asyncio.Lock()

    def connect(self, producer: AIOKafkaProducer) -> None:
        """Say everything by this producer."""
        self._checkpoint = Checkpoint(
            self._table, Emitter(producer, self._count, self._keys), self._keys, self._schedule.spent
        )

    def forget(self) -> None:
        """Partitions moved: what is in memory is read anew from the table, and unacknowledged records come again."""
        for owned in self._owned.values():
            owned.lost = True
        self._owned.clear()
        self._begun.clear()
        self._term = object()
        self._keys.end_waits()

    def wait_no_more(self) -> None:
        """The worker ends: whatever waits for keys is given up, and nothing of it is acknowledged."""
        self._keys.wait_no_more()

    def begin(self, numbers: Iterable[int]) -> None:
        """These partitions are this worker's now."""
        self._begun.update(numbers)
        self._begins.set()

    async def keep_loaded(self) -> None:
        """Read partitions when they begin, for ever. Raises `MasterKeyLostError`."""
        while True:
            await self._begins.wait()
            self._begins.clear()
            await self.load()

    async def load(self) -> None:
        """Read the partitions from the table, and emit what their last owner could not.

        Waits for their students' keys. Raises `MasterKeyLostError`.
        """
        term = self._term
        async with self._loading:
            if self._term is term:
                await self._load_unread(term)

    async def _load_unread(self, term: object) -> None:
        unknown = self._begun - self._owned.keys()
        if not unknown:
            return
        with contextlib.suppress(PartitionLostError):
            for number, items in self._table.read(*unknown).items():
                await self._keys.find(students_in(items))
                state = await self._keys.with_keys(partial(self._load, items), partial(students_in, items))
                if self._term is not term:
                    return
                if number not in self._owned:
                    owned = self._owned[number] = OwnedPartition(number, state)
                    self._expect(owned)
                await asyncio.sleep(0)

    def partition(self, number: int) -> Partition | None:
        """The partition's state; None while it is not read from the table yet."""
        owned = self._owned.get(number)
        return None if owned is None else owned.state

    async def take(self, event: EventT) -> None:
        """Apply one record; what follows from it is the next checkpoint's, dead letters too.

        A record whose keys are not at hand is waited for, with nothing of it applied. Raises `MasterKeyLostError`.
        """
        number = event.message.partition
        if number not in self._owned:
            self._begun.add(number)
            await self.load()
        owned = self._owned.get(number)
        if owned is None:
            return  # the partition moved meanwhile: the record comes again
        RECORDS.labels(event.message.topic).inc()
        with contextlib.suppress(PartitionLostError):
            while not await self._taken(owned, event):
                await self._keys.find(records.students_of(event.message.topic, event.message.value))
        self._expect(owned)
        await asyncio.sleep(0)  # a backlog never waits for anything, and checkpoints must have their turn

    async def erase(self, _: object, erasure: Erasure) -> Removed | None:
        """Remove all of an erased student; what was, once that is written. None for a partition that is another's."""
        pseudonym = Pseudonym(erasure.pseudonym)
        self._keys.drop([pseudonym])
        owned = self._owned.get(partition_of(Slot(erasure.slot), self._count))
        if owned is None:
            return None
        with contextlib.suppress(PartitionLostError):
            async with owned.deciding:
                owned.check()
                owned.state.caused(datetime.now(UTC))
                owned.state.remove(pseudonym)
                pending = pseudonym in owned.state.removals
            self._expect(owned)
            return None if pending else owned.erased.get(pseudonym, {})
        return None

    async def turn(self) -> None:
        """Return when it is time for a checkpoint."""
        await self._schedule.turn()

    def checkpoints(self) -> list[Coroutine[None, None, None]]:
        """What to do now: a checkpoint of every partition that has something for one, and none under way."""
        self._schedule.begin()
        STUDENTS.set(sum(len(owned.state.students) for owned in self._owned.values()))
        UNREADABLE.set(sum(len(owned.state.unreadable) for owned in self._owned.values()))
        waiting = [owned for owned in self._owned.values() if owned.waits and not owned.saving]
        for owned in waiting:
            owned.saving = True
        return [self._save(owned) for owned in waiting]

    async def _save(self, owned: OwnedPartition) -> None:
        await self._checkpoint.run(owned)
        owned.saving = False
        self._expect(owned)

    async def _taken(self, owned: OwnedPartition, event: EventT) -> bool:
        """Apply a record; False, with nothing applied, when keys are not at hand. Raises `PartitionLostError`."""
        async with owned.deciding:
            owned.check()
            try:
                self._apply(owned, event)
            except KeyAwayError:
                return False
            if owned.state.due:
                await owned.evaluate()
            return True

    def _apply(self, owned: OwnedPartition, event: EventT) -> None:
        message = event.message
        place = records.Place(owned.number, self._count)
        try:
            token = self._take(
                owned.state, place, message.topic, message.key, message.value, taken_at(event), self._keys
            )
        except KeyAwayError:
            raise
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
