"""A Faust table in memory: its store, and its recovery from a changelog that `MemoryKafka` holds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from services.platform.testing.kafka import MemoryKafka


class StoreEvent(Protocol):
    """A changelog record as Faust's stores take it."""

    @property
    def key(self) -> bytes:
        """The key."""

    @property
    def value(self) -> bytes | None:
        """None deletes the key."""


class MemoryTable:
    """As much of `faust.Table` as our code uses."""

    def __init__(self, kafka: MemoryKafka, topic: str) -> None:
        self._kafka = kafka
        self.changelog_topic_name = topic
        self.data: dict[bytes, bytes] = {}

    def apply_changelog_batch(self, batch: Iterable[StoreEvent]) -> None:
        """Take changes in, in order."""
        for event in batch:
            self.data.pop(event.key, None)
            if event.value is not None:
                self.data[event.key] = event.value

    def recover(self, partitions: Iterable[int]) -> None:
        """Hold what the changelog has now, and nothing else."""
        self.data = {}
        for partition in partitions:
            self.data |= self._kafka.latest(self.changelog_topic_name, partition)
