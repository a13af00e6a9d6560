"""The worker: hot partitions in memory, written behind to the table, always before offsets are committed.

A record is acknowledged only when the state that it changed is in the changelog. Alerts do not wait
for that: the few students who have one are written first (with the events still to be sent), then the
events go out. So a crash at any moment is followed by a replay that changes nothing.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from datetime import UTC, datetime
from uuid import UUID

from aiokafka import AIOKafkaProducer
from faust.types import EventT
from prometheus_client import Counter, Gauge

from models.policy import Policy
from services.contracts.marks import DaysEvaluated
from services.contracts.rejected import Rejected
from services.contracts.topics import ALERTS, PROGRESS, REJECTED
from services.platform.kafka import make_producer
from services.warning import records
from services.warning.partition import Partition
from services.warning.table import WindowTable, taken_at

log = logging.getLogger(__name__)

FLUSH_SECONDS = 0.1
FLUSH_SHARE = 8
"""Between two flushes at least this many times the last one's length passes, which bounds their cost."""
LONGEST_FLUSH_PAUSE_SECONDS = 5.0
"""A flush that waited for a broker that was away says nothing of its cost: the next one comes in time all the same."""

RECORDS = Counter("firstbell_warning_records_total", "Records taken", ["topic"])
POISON = Counter("firstbell_warning_poison_total", "Records that could not be read or applied", ["topic"])
ALERTS_SENT = Counter("firstbell_warning_alert_events_total", "Alert events acknowledged by Kafka", ["type"])
STUDENTS = Gauge("firstbell_warning_students", "Students in this worker's partitions")
FLUSHED = Counter("firstbell_warning_flushed_total", "Students and schools written to the table")


class Worker:
    """Takes records of its partitions one after the other. Not thread-safe; one per process."""

    def __init__(self, policy: Policy, table: WindowTable) -> None:
        self._policy = policy
        self._table = table
        self._producer: AIOKafkaProducer
        self._partitions: dict[int, Partition] = {}
        self._unacked: defaultdict[int, list[EventT]] = defaultdict(list)
        self._flushing: set[int] = set()
        self._next_flush: defaultdict[int, float] = defaultdict(float)
        self._epoch = 0

    async def start(self, bootstrap: str) -> None:
        """Connect the producer of alerts."""
        self._producer = make_producer(bootstrap)
        await self._producer.start()

    async def stop(self) -> None:
        """Disconnect."""
        await self._producer.stop()

    def forget(self) -> None:
        """Partitions moved: what is in memory is read anew from the table, and unacknowledged records come again."""
        self._epoch += 1
        self._partitions.clear()
        self._unacked.clear()

    def partition(self, number: int) -> Partition:
        """The partition's state, read from the table at first use."""
        state = self._partitions.get(number)
        if state is None:
            state = self._partitions[number] = self._table.read(number, self._policy)
        return state

    async def take(self, event: EventT) -> None:
        """Apply one record, send its alerts, answer a close. A record that cannot be read is dead-lettered."""
        epoch, message = self._epoch, event.message
        partition = self.partition(message.partition)
        RECORDS.labels(message.topic).inc()
        token: UUID | None = None
        try:
            token = records.take(partition, message.topic, message.key, message.value, taken_at(event))
        except Exception as error:  # noqa: BLE001 - one poison record must not stop the others
            await self._dead_letter(event, error)
        self._unacked[message.partition].append(event)
        if partition.telling:
            await self._tell(message.partition, event)
        if token is not None and epoch == self._epoch:
            answer = DaysEvaluated(token=token, partition=message.partition)
            await self._producer.send(PROGRESS.name, answer.model_dump_json().encode(), partition=message.partition)
        await self.flush_due()

    async def flush_due(self) -> None:
        """Write behind the partitions whose time has come."""
        for number in [n for n, events in self._unacked.items() if events and time.monotonic() >= self._next_flush[n]]:
            await self.flush(number)

    async def flush(self, number: int) -> None:
        """Write what changed, then acknowledge the records that changed it."""
        events = self._unacked[number]
        if not events or number in self._flushing:
            return
        started, epoch = time.monotonic(), self._epoch
        self._flushing.add(number)
        try:
            partition = self.partition(number)
            students, schools = partition.changed_students, partition.changed_schools
            partition.changed_students, partition.changed_schools = set(), set()
            self._unacked[number] = []
            await self._table.write(
                self._producer, number, events[-1], students, [(name, partition.schools[name]) for name in schools]
            )
            FLUSHED.inc(len(students) + len(schools))
            STUDENTS.set(sum(len(p.students) for p in self._partitions.values()))
        finally:
            self._flushing.discard(number)
            took = time.monotonic() - started
            pause = min(max(FLUSH_SECONDS, FLUSH_SHARE * took), LONGEST_FLUSH_PAUSE_SECONDS)
            self._next_flush[number] = time.monotonic() + pause
        if epoch == self._epoch:
            for event in events:
                event.ack()

    async def _tell(self, number: int, event: EventT) -> None:
        """Write the students who have something to tell, then send it, and only then forget it."""
        epoch = self._epoch
        partition = self.partition(number)
        students = list(partition.telling)
        await self._table.write(self._producer, number, event, students, [])
        if epoch != self._epoch:
            return
        receipts = []
        for student in students:
            for alert in student.pending:
                ALERTS_SENT.labels(alert.type).inc()
                value = alert.model_dump_json().encode()
                key = student.pseudonym.encode()
                receipts.append(await self._producer.send(ALERTS.name, value, key=key, partition=number))
        await asyncio.gather(*receipts)
        for student in students:
            partition.told(student)

    async def _dead_letter(self, event: EventT, error: Exception) -> None:
        message = event.message
        POISON.labels(message.topic).inc()
        # The error's text may repeat the input, so only its kind is told.
        log.error("dead letter: %s[%s]@%s %s", message.topic, message.partition, message.offset, type(error).__name__)
        letter = Rejected(
            source=f"{message.topic}[{message.partition}]",
            line=message.offset,
            reason=f"the record cannot be read ({type(error).__name__})",
            at=datetime.now(UTC),
        )
        await self._producer.send_and_wait(REJECTED.name, letter.model_dump_json().encode(), key=letter.source.encode())
