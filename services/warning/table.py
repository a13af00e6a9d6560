"""The Faust table that holds what a partition knows: keys and values as bytes, written in bulk and with receipts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import faust
from faust.types import TP

from services.warning.changelog import FENCE, Change, Changelog, Written


class FencedTable(faust.Table):
    """A table whose changelog nobody else can write any more when its recovery begins."""

    def __init__(self, app: faust.App, *, changelog: Changelog, **options: Any) -> None:
        super().__init__(app, **options)
        self._changelog = changelog

    async def on_rebalance(
        self, assigned: set[TP], revoked: set[TP], newly_assigned: set[TP], generation_id: int = 0
    ) -> None:
        """Faust awaits this before it asks how far the changelog must be read."""
        await super().on_rebalance(assigned, revoked, newly_assigned, generation_id)
        await self.changelog_topic.maybe_declare()
        topic = self.changelog_topic_name
        numbers = {tp.partition for tp in self.app.assignor.assigned_actives() if tp.topic == topic}
        for number, fence in (await self._changelog.take_over(topic, numbers)).items():
            # When the store has all up to the fence nothing is to be recovered.
            if self.persisted_offset(TP(topic, number)) == fence.offset - 1:
                self.apply_changelog_batch(as_events(TP(topic, number), fence))


class WindowTable:
    """Reads and writes partitions of the table."""

    def __init__(self, table: faust.Table[bytes, bytes], changelog: Changelog) -> None:
        self._table = table
        self._changelog = changelog

    def read(self, *numbers: int) -> dict[int, dict[str, bytes]]:
        """The items of each of these partitions, as they were last written."""
        found: dict[int, dict[str, bytes]] = {number: {} for number in numbers}
        for stored, value in self._table.data.items():
            number, _, key = stored.decode().partition("|")
            if int(number) in found and key != FENCE and value:
                found[int(number)][key] = value
        return found

    async def write(self, number: int, changes: Sequence[Change]) -> None:
        """Write them to the changelog, then to the store beside it; raises what `Changelog.write` raises.

        In this order the store never holds what another owner's changelog does not know of.
        """
        topic = TP(self._table.changelog_topic_name, number)
        for written in await self._changelog.write(number, changes):
            self._table.apply_changelog_batch(as_events(topic, written))


class _Message(NamedTuple):
    """As much of a changelog record as Faust's stores look at."""

    tp: TP
    partition: int
    offset: int
    key: bytes
    value: bytes | None


class _Event(NamedTuple):
    message: _Message
    key: bytes
    value: bytes | None


def as_events(tp: TP, written: Written) -> list[_Event]:
    """What was written, as Faust would have it when it read it back."""
    return [
        _Event(_Message(tp, tp.partition, offset, key, value), key, value)
        for offset, (key, value) in enumerate(written.items, start=written.offset)
    ]
