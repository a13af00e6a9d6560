"""Faust's consumer without three ways in which it loses records in a rebalance.

Faust 0.15.3 lets partitions flow a moment before it has sought their committed offsets, and clears what came in that
moment. It reads it again where an offset was committed; where none was (a first import) it does not. A batch that is
handed on during the seek can mark the records before it as read. And what it passes over in a rebalance it
acknowledges, so that a later commit may go beyond what was done.
"""

from __future__ import annotations

from collections.abc import Mapping

import faust
from faust.transport.drivers.aiokafka import Consumer
from faust.types import TP
from faust.types.tuples import ConsumerMessage

from services.warning.records import READ

_SOURCES = {topic.name for topic in READ}


class SeekingConsumer(Consumer):
    """Begins where nothing was committed at the first record, and acknowledges nothing that was passed over."""

    def ack(self, message: ConsumerMessage) -> bool:
        """Acknowledge a record, unless it is of an assignment that has ended or is ending: then it comes again."""
        if message.generation_id != self.app.consumer_generation_id or not self.app.flow_control.is_active():
            return False
        acked: bool = super().ack(message)
        return acked

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Seek; returns what is committed."""
        committed: Mapping[TP, int] = await super().seek_to_committed()
        fresh = [tp for tp, offset in committed.items() if not offset and tp.topic in _SOURCES]
        if fresh:
            await self.seek_wait(await self.earliest_offsets(*fresh))
        return committed


def hold_back(app: faust.App) -> None:
    """Let nothing flow before the seek: to be called when Faust says that a rebalance is complete."""
    app.consumer.stop_flow()
    app.flow_control.suspend()
