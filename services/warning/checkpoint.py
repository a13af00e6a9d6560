"""The one way in which a partition's state and alerts get into Kafka, and its records get acknowledged."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol
from uuid import UUID

from aiokafka.errors import KafkaError
from faust.types import EventT
from prometheus_client import Counter

from services.contracts.alerts import AlertEvent
from services.contracts.packed import CipherOf
from services.contracts.rejected import Rejected
from services.contracts.risk import ThresholdSet, WeekCounted
from services.platform.erasure.entry import Removed
from services.warning.changelog import Change, FencedError
from services.warning.emitter import Emitter
from services.warning.owned import OwnedPartition, PartitionLostError
from services.warning.sealing import Open, seal_changes, students_in
from services.warning.student import Student
from services.warning.waiting import PatientKeys

WRITE_SECONDS = 0.0005
"""What sending costs beside evaluating (0.3 ms a write, measured, and the alerts)."""

WRITTEN = Counter("firstbell_warning_flushed_total", "Values written to the table")


class StateTable(Protocol):
    """Where partitions are written."""

    async def write(self, number: int, changes: Sequence[Change]) -> None:
        """Write them; returns when Kafka has acknowledged every one.

        Raises `FencedError` when another worker writes the partition now, `PartitionLostError` when this one has been
        informed that it lost it, `KafkaError` when Kafka did not acknowledge.
        """


class Checkpoint:
    """Brings a partition's state to Kafka, in these steps:

    1. **Evaluate** what was applied, to the end. No record is applied meanwhile.
    2. **Read**, in one go, what changed, what is to be emitted and answered, and which records' facts are in it.
    3. **Seal** what changed, and **write** it to the changelog, the alerts to be emitted among it.
    4. **Emit** the alerts, what is said of the week, and what could not be read.
    5. **Answer** the closes among the records.
    6. **Acknowledge** the records: their offsets may be committed.

    Each step begins when Kafka has acknowledged the one before. So a crash between any two is followed by a replay
    that changes nothing, or by a successor that emits again, under the same ids, what it finds pending. When the
    partition is lost on the way, nothing more is done for it. An error of Kafka's is raised, and `FencedError` when
    the worker did not know that it lost the partition: what was read is not put back, so the worker must end. The same
    holds when it ends while keys are waited for.
    """

    def __init__(self, table: StateTable, emitter: Emitter, keys: PatientKeys, spent: Callable[[float], None]) -> None:
        self._table = table
        self._emitter = emitter
        self._keys = keys
        self._spent = spent

    async def run(self, owned: OwnedPartition) -> None:
        """Take the steps; the caller sees to it that a partition has one checkpoint at a time.

        `spent` is called with the seconds for which the first three steps have held up everything else.
        """
        try:
            async with owned.deciding:
                owned.check()
                await owned.evaluate()
                read = _read(owned)
            changes = await self._sealed(owned, read)
            self._spent(owned.take_spent() + WRITE_SECONDS)
            await self._table.write(owned.number, changes)
            owned.written(read.removals)
            owned.check()
            await self._tell(owned, read)
            await self._emitter.answer(owned.number, read.tokens)
            owned.check()
        except PartitionLostError:
            return
        except (FencedError, KafkaError):
            if owned.lost:
                return  # its producer is being stopped, or a successor has begun: the worker knows why
            raise
        WRITTEN.inc(len(read.changes))
        for event in read.events:
            event.ack()

    async def _sealed(self, owned: OwnedPartition, read: _Read) -> list[Change]:
        def seal(cipher_of: CipherOf) -> list[Change]:
            started = owned.clock()
            changes = seal_changes(read.changes, cipher_of)
            owned.spent += owned.clock() - started
            return changes

        changes = await self._keys.with_keys(seal, lambda: students_in(read.changes))
        owned.check()
        return changes

    async def _tell(self, owned: OwnedPartition, read: _Read) -> None:
        if read.emitting:
            await self._emitter.alerts(owned.number, read.emitting, read.trace)
            owned.check()
            for student, alerts in read.emitting:
                owned.state.emitted(student, len(alerts))
            owned.emitted = True
        for event in read.saying:
            await self._emitter.say(event)
            owned.check()
            owned.state.outbox.remove(event)
        await self._emitter.reject(read.rejected)
        owned.check()


class _Read(NamedTuple):
    """What was read of a partition at one moment."""

    changes: Sequence[tuple[str, Open]]
    removals: Mapping[str, Removed]
    emitting: Sequence[tuple[Student, Sequence[AlertEvent]]]
    saying: Sequence[WeekCounted | ThresholdSet]
    rejected: Sequence[Rejected]
    tokens: Sequence[UUID]
    events: Sequence[EventT]
    trace: str | None


def _read(owned: OwnedPartition) -> _Read:
    state, started = owned.state, owned.clock()
    emitting = [(student, list(student.pending)) for student in state.emitting]
    read = _Read(
        state.take_changes(),
        dict(state.removals),
        emitting,
        list(state.outbox),
        owned.rejected,
        owned.tokens,
        owned.events,
        owned.trace,
    )
    owned.rejected, owned.tokens, owned.events, owned.emitted, owned.trace = [], [], [], False, None
    owned.spent += owned.clock() - started
    return read
