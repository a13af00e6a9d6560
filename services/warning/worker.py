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
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from uuid import UUID

from aiokafka import AIOKafkaProducer
from faust.types import EventT
from prometheus_client import Counter, Gauge

from models.policy import Policy
from services.contracts.alerts import AlertEvent
from services.contracts.marks import DaysEvaluated
from services.contracts.rejected import Rejected
from services.contracts.risk import ThresholdSet, WeekCounted
from services.contracts.topics import ALERTS, PROGRESS, REJECTED, RISK_WEEKS, THRESHOLDS
from services.platform.kafka import make_producer
from services.warning import records
from services.warning.in_use import InUse
from services.warning.partition import Partition
from services.warning.steering import OWNER
from services.warning.student import Student
from services.warning.table import WindowTable, taken_at

log = logging.getLogger(__name__)

FLUSH_SECONDS = 0.1
FLUSH_SHARE = 8
"""Between two flushes at least this many times the last one's length passes, which bounds their cost."""
LONGEST_FLUSH_PAUSE_SECONDS = 5
"""A flush that had to wait for the broker must not hold back the commits after it for minutes."""

RECORDS = Counter("firstbell_warning_records_total", "Records taken", ["topic"])
POISON = Counter("firstbell_warning_poison_total", "Records that could not be read or applied", ["topic"])
ALERTS_SENT = Counter("firstbell_warning_alert_events_total", "Alert events acknowledged by Kafka", ["type"])
STUDENTS = Gauge("firstbell_warning_students", "Students in this worker's partitions")
THRESHOLD = Gauge("firstbell_warning_threshold_log_odds", "The score from which a student enters elevated; NaN: none")
ENTERED = Gauge("firstbell_warning_entered", "New alerts, elevated or urgent, of this school year at its last close")
FLUSHED = Counter("firstbell_warning_flushed_total", "Students and schools written to the table")
THRESHOLD.set(float("nan"))


class Worker:
    """Takes records of its partitions one after the other. Not thread-safe; one per process."""

    def __init__(self, policy: Policy, table: WindowTable, in_use: InUse, partitions: int) -> None:
        self._policy = policy
        self._table = table
        self._in_use = in_use
        self._count = partitions
        self._producer: AIOKafkaProducer
        self._partitions: dict[int, Partition] = {}
        self._unacked: defaultdict[int, list[EventT]] = defaultdict(list)
        self._last: dict[int, EventT] = {}
        """A record of each partition: Faust's store asks it where to write."""
        self._owed: defaultdict[int, list[UUID]] = defaultdict(list)
        """Tokens to be answered once the alerts before them are in Kafka."""
        self._saying = asyncio.Lock()
        self._to_tell = asyncio.Event()
        self._next_flush = 0.0
        self._busy = False
        """Whether a record came since the write-behind last looked."""
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
        self._last.clear()
        self._owed.clear()

    def partition(self, number: int) -> Partition:
        """The partition's state, read from the table at first use."""
        state = self._partitions.get(number)
        if state is None:
            state = self._partitions[number] = self._table.read(number, self._policy, self._in_use.steering())
            if state.telling:
                self._to_tell.set()
            if (threshold := state.steering.last) is not None:
                _show(threshold)
        return state

    async def take(self, event: EventT) -> None:
        """Apply one record; its alerts and answers are `tell`'s. A record that cannot be read is dead-lettered."""
        message = event.message
        partition = self.partition(message.partition)
        RECORDS.labels(message.topic).inc()
        token: UUID | None = None
        try:
            place = records.Place(message.partition, self._count)
            token = records.take(partition, place, message.topic, message.key, message.value, taken_at(event))
            partition.evaluate()
        except Exception as error:  # noqa: BLE001 - one poison record must not stop the others
            await self._dead_letter(event, error)
        self._unacked[message.partition].append(event)
        self._last[message.partition] = event
        self._busy = True
        if token is not None:
            self._owed[message.partition].append(token)
        if token is not None or partition.telling or partition.outbox:
            self._to_tell.set()
        await asyncio.sleep(0)  # a backlog never waits for anything, and the tellings must have their turn

    def load(self, numbers: Iterable[int]) -> None:
        """Read these partitions from the table, if they are not in memory yet."""
        for number in numbers:
            self.partition(number)

    async def something_to_tell(self) -> None:
        """Return when there is an alert to send, or a close to answer."""
        await self._to_tell.wait()

    async def tell(self) -> None:
        """Send every alert that there is, then answer the closes before which they came."""
        self._to_tell.clear()
        numbers = [n for n, state in self._partitions.items() if state.telling or state.outbox or self._owed[n]]
        await asyncio.gather(*(self._tell(number) for number in numbers))

    async def flush_due(self) -> None:
        """Write behind, when it is time: a backlog waits for its turn, what came before a pause does not."""
        started, busy = time.monotonic(), self._busy
        self._busy = False
        if busy and started < self._next_flush:
            return
        await asyncio.gather(*(self.flush(number) for number in [n for n, events in self._unacked.items() if events]))
        ended = time.monotonic()
        pause = min(FLUSH_SHARE * (ended - started), LONGEST_FLUSH_PAUSE_SECONDS)
        self._next_flush = ended + max(FLUSH_SECONDS, pause)
        STUDENTS.set(sum(len(p.students) for p in self._partitions.values()))

    async def flush(self, number: int) -> None:
        """Write what changed, then acknowledge the records that changed it."""
        partition = self.partition(number)
        if partition.outbox or self._saying.locked():
            await self._say(
                partition
            )  # what is said of a week is kept nowhere else: it goes before the acknowledgement
        epoch, events = self._epoch, self._unacked.pop(number)
        students, schools = partition.changed_students, partition.changed_schools
        partition.changed_students, partition.changed_schools = set(), set()
        changed = [(name, partition.schools[name]) for name in schools]
        await self._table.write(self._producer, number, events[-1], students, changed, partition.steering)
        FLUSHED.inc(len(students) + len(schools))
        if epoch == self._epoch:
            for event in events:
                event.ack()

    async def _tell(self, number: int) -> None:
        """Write the students who have something to tell, then send it, and only then forget it; then answer."""
        epoch, partition = self._epoch, self.partition(number)
        tokens = self._owed.pop(number, [])
        telling = [(student, list(student.pending)) for student in partition.telling]
        if telling:
            last = self._last.get(number)
            if last is not None:  # else all come from the table just as they are
                students = [student for student, _ in telling]  # with the count of those who entered: told once
                await self._table.write(self._producer, number, last, students, [], partition.steering)
            if epoch != self._epoch:
                return
            await self._send(number, telling)
            for student, sent in telling:
                partition.told(student, len(sent))
        if partition.outbox:
            await self._say(partition)
        if epoch == self._epoch:
            for token in tokens:
                answer = DaysEvaluated(token=token, partition=number)
                await self._producer.send(PROGRESS.name, answer.model_dump_json().encode(), partition=number)

    async def _say(self, partition: Partition) -> None:
        """Send what there is to be said of the week: counts to the owner, its threshold to every partition."""
        async with self._saying:
            while partition.outbox:
                event = partition.outbox[0]
                value = event.model_dump_json().encode()
                if isinstance(event, WeekCounted):
                    await self._producer.send_and_wait(RISK_WEEKS.name, value, partition=OWNER)
                else:
                    _show(event)
                    for number in range(self._count):
                        await self._producer.send_and_wait(THRESHOLDS.name, value, partition=number)
                del partition.outbox[0]

    async def _send(self, number: int, telling: Sequence[tuple[Student, Sequence[AlertEvent]]]) -> None:
        """Send the students' events; returns when Kafka has acknowledged them all."""
        receipts = []
        for student, alerts in telling:
            for alert in alerts:
                value, key = alert.model_dump_json().encode(), student.pseudonym.encode()
                receipts.append(await self._producer.send(ALERTS.name, value, key=key, partition=number))
                ALERTS_SENT.labels(alert.type).inc()
        await asyncio.gather(*receipts)

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


def _show(found: ThresholdSet) -> None:
    THRESHOLD.set(float("nan") if found.threshold is None else found.threshold)
    ENTERED.set(found.entered)
