"""When the next checkpoint begins: soon after a pause of the stream, in a backlog by a bounded share of the time."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable

PAUSE_SECONDS = 0.005
"""When for so long no record came, the stream has paused, and what waits is evaluated."""
LONGEST_PAUSE_SECONDS = 0.2
"""After costly work only a longer pause counts (as long as the work was, but no longer than this)."""
PATIENCE_SECONDS = 0.02
"""So long at first is a pause waited for."""
SHARE = 8
"""In a backlog at least this many times the last work's length passes before the next: it takes a ninth of the time."""
LONGEST_WAIT_SECONDS = 5
"""Nothing waits longer for its turn, whatever the work cost."""


class Schedule:
    """Says when what waits is evaluated and written; the worker reports every record to it, and what the work cost."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._first: float | None = None
        """Since when something waits."""
        self._last = 0.0
        """When the last record was taken."""
        self._pressing = False
        self._cost = 0.0
        self._turn = float("-inf")
        """Not before this, unless the stream pauses."""
        self._news = asyncio.Event()

    def taken(self) -> None:
        """A record was taken, or something else waits that is in no hurry."""
        self._last = self._clock()
        if self._first is None:
            self._first = self._last
            self._news.set()

    def press(self) -> None:
        """Somebody waits for what waits: an alert to be emitted, or a close to be answered."""
        self.taken()
        if not self._pressing:
            self._pressing = True
            self._news.set()

    @property
    def due(self) -> float | None:
        """The time at which a checkpoint begins if nothing more comes; None when nothing waits."""
        if self._first is None:
            return None
        costly = PAUSE_SECONDS if self._pressing else min(self._cost, LONGEST_PAUSE_SECONDS)
        pause = self._last + max(PAUSE_SECONDS, costly)
        turn = max(self._turn, self._first + (0 if self._pressing else PATIENCE_SECONDS))
        return min(pause, turn)

    def begin(self) -> None:
        """Checkpoints of all that waits begin."""
        self._first, self._pressing, self._cost = None, False, 0

    def spent(self, seconds: float) -> None:
        """One of them has held up everything else for so long."""
        self._cost += seconds
        self._turn = self._clock() + min(SHARE * self._cost, LONGEST_WAIT_SECONDS)

    async def turn(self) -> None:
        """Return when a checkpoint is due."""
        while (due := self.due) is None or due > self._clock():
            self._news.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(None if due is None else due - self._clock()):
                    await self._news.wait()
