"""A worker's partitions without Kafka and without a table: the one place of the benchmarks that knows the core's calls.

Records are taken one after the other, and after every so many of them what they touched is evaluated to the end, told
and acknowledged at once: 1 is a worker that keeps up, `BACKLOG` one that does not. Nothing is written unless
`take_changes` is called, and then nowhere: it returns what a flush would write.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Final
from uuid import UUID

from benchmarks.keys import Ciphers
from benchmarks.marks import PARTITIONS
from models.artifact import Artifact
from models.policy import default_policy
from services.contracts.risk import ThresholdSet, WeekCounted
from services.contracts.topics import RISK_WEEKS, THRESHOLDS
from services.ingest.publish.batches import Record
from services.warning import records
from services.warning.capacity import OWNER, CapacityControl
from services.warning.partition import Partition
from services.warning.sealing import seal_changes

BACKLOG: Final = 64
"""So many records are taken between two evaluations in a backlog."""
ENDED: Final = ("AlertCleared", "AlertWithdrawn")


class Core:
    """The partitions. With an artifact and a capacity they score and steer; else the rules' levels hold."""

    def __init__(
        self, artifact: Artifact | None, capacity: int | None, *, every: int = 1, hears_itself: bool = True
    ) -> None:
        """`hears_itself` False: what partitions tell each other of a week is dropped, as it is among the records."""
        policy = default_policy()
        self._partitions = [Partition(policy, CapacityControl(artifact, capacity)) for _ in range(PARTITIONS)]
        self._every = every
        self._hears_itself = hears_itself
        self._taken = 0
        self._touched: set[int] = set()
        self._keys = Ciphers()
        self.said: list[Record] = []
        """What the partitions told each other since the list was last emptied."""
        self._standing: dict[UUID, tuple[str, date, str]] = {}

    def take_all(self, given: Iterable[Record]) -> None:
        """Take the records and settle at the end."""
        for record in given:
            self.take(record)
        self.settle()

    def take(self, record: Record) -> None:
        """Take one record, and settle when it is time."""
        self._apply(record)
        self._taken += 1
        if self._taken % self._every == 0:
            self.settle()

    def settle(self) -> None:
        """Evaluate to the end, and tell and hear what came of it."""
        while self._touched:
            partition = self._partitions[self._touched.pop()]
            _evaluate(partition)
            self._tell(partition)
            while partition.outbox:
                self._say(partition.outbox.pop(0))

    def take_changes(self) -> Iterator[tuple[str, bytes]]:
        """Keys and values that a flush would write now; an empty value drops a key."""
        for number, partition in enumerate(self._partitions):
            for key, value in seal_changes(partition.take_changes(), self._keys.cipher):
                yield f"{number}|{key}", value or b""

    def standing(self) -> set[tuple[str, date, str]]:
        """Student, first day and level of the alerts that stand, by the last event told of each."""
        return set(self._standing.values())

    def _apply(self, record: Record) -> None:
        place = records.Place(record.partition, PARTITIONS)
        partition = self._partitions[record.partition]
        records.take(partition, place, record.topic, record.key.encode(), record.value, time.time(), self._keys)
        if partition.due:
            _evaluate(partition)
        self._touched.add(record.partition)

    def _tell(self, partition: Partition) -> None:
        for one in list(partition.emitting):
            for event in one.pending:
                self._standing[event.alert_id] = (event.student, event.raised_on, event.level)
                if event.type in ENDED:
                    del self._standing[event.alert_id]
            partition.emitted(one, len(one.pending))

    def _say(self, event: WeekCounted | ThresholdSet) -> None:
        value = event.model_dump_json().encode()
        if isinstance(event, WeekCounted):
            said = [Record(RISK_WEEKS.name, OWNER, "", value)]
        else:
            said = [Record(THRESHOLDS.name, number, "", value) for number in range(PARTITIONS)]
        self.said += said
        if self._hears_itself:
            for record in said:
                self._apply(record)


def _evaluate(partition: Partition) -> None:
    while partition.evaluate():
        pass
