"""Faust's consumer without two ways in which it passes over records at the end of a rebalance.

Faust 0.15.3 lets partitions flow a moment before it has sought their committed offsets, and clears what came in that
moment. It reads it again where an offset was committed; where none was (a first import) it does not. And a batch that
is handed on during the seek can mark the records before it as read.
"""

from __future__ import annotations

from collections.abc import Mapping

import faust
from faust.transport.drivers.aiokafka import Consumer
from faust.types import TP

from services.warning.records import READ

_SOURCES = {topic.name for topic in READ}


class SeekingConsumer(Consumer):
    """Begins at the first record where nothing was committed, whatever was read before the seek."""

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
