"""A partition for as long as this worker owns it, and what is owed for the records that made its state."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from faust.types import EventT

from services.contracts.rejected import Rejected
from services.platform.erasure.entry import Removed
from services.warning.partition import Partition


class PartitionLostError(Exception):
    """The partition went to another worker: what was about to be done for it must not be done."""


@dataclass(eq=False)
class OwnedPartition:
    """One term of ownership: a partition that is lost and comes back is another one, read anew from the table.

    So whatever was begun in one term can never acknowledge a record of the next.
    """

    number: int
    state: Partition
    events: list[EventT] = field(default_factory=list)
    """Records whose facts are applied, not acknowledged yet."""
    tokens: list[UUID] = field(default_factory=list)
    """Closes among them, to be answered."""
    rejected: list[Rejected] = field(default_factory=list)
    """What could not be read among them, to be put among the dead letters."""
    trace: str | None = None
    """Of the last of them that came with one: what follows is sent with it, as it most likely made it follow."""
    deciding: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while records are applied or evaluated, never while Kafka is waited for."""
    saving: bool = False
    """Whether a checkpoint is under way: there is one at a time."""
    emitted: bool = False
    """Whether alerts were raised or changed since the last write, which still has them as pending."""
    erased: dict[str, Removed] = field(default_factory=dict)
    """What was removed of erased students, by pseudonym, now that it is written."""
    lost: bool = False
    spent: float = 0
    """For how many seconds evaluating has held up everything else since that was last asked for."""
    clock: Callable[[], float] = time.perf_counter

    @property
    def waits(self) -> bool:
        """Whether there is anything for a checkpoint to do."""
        state = self.state
        return bool(self.events or state.touched or state.emitting or state.outbox or state.removals or self.emitted)

    @property
    def presses(self) -> bool:
        """Whether somebody waits for it: an alert is to be emitted, a close to be answered, an erasure confirmed."""
        return bool(self.tokens or self.state.emitting or self.state.outbox or self.state.removals)

    def written(self, removals: Mapping[str, Removed]) -> None:
        """Kafka has acknowledged that nothing of these is in the table any more."""
        for pseudonym, removed in removals.items():
            self.state.removals.pop(pseudonym, None)
            self.erased[pseudonym] = removed

    def take_spent(self) -> float:
        """For how many seconds evaluating has held up everything else since the last call."""
        spent, self.spent = self.spent, 0
        return spent

    def check(self) -> None:
        """To be called after whatever was awaited; raises `PartitionLostError` when the term has ended."""
        if self.lost:
            raise PartitionLostError

    async def evaluate(self) -> None:
        """Evaluate to the end, in slices; the caller holds `deciding`. Raises `PartitionLostError`."""
        more = True
        while more:
            started = self.clock()
            more = self.state.evaluate()
            self.spent += self.clock() - started
            await asyncio.sleep(0)
            self.check()
