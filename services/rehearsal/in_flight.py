"""Days that are handed in and not yet known to be evaluated."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from typing import Protocol
from uuid import UUID

from services.ingest.imports.replayer import ReplayedDay

OnDay = Callable[[ReplayedDay], Awaitable[None]]


class Waiting(Protocol):
    """Who hears the worker's answers."""

    async def wait(self, token: UUID) -> None:
        """Return when the closes of this token are evaluated."""


class DaysInFlight:
    """At most `ahead` days are waited for later than at once; `on_day` gets each, in order, once it is evaluated."""

    def __init__(self, answers: Waiting, on_day: OnDay, ahead: int) -> None:
        self._answers = answers
        self._on_day = on_day
        self._ahead = ahead
        self._days: deque[ReplayedDay] = deque()

    @property
    def is_waiting(self) -> bool:
        """Whether a day is under way."""
        return bool(self._days)

    async def join(self, day: ReplayedDay) -> None:
        """A day has been handed in; waits until no more than `ahead` are under way."""
        self._days.append(day)
        while len(self._days) > self._ahead:
            await self._land_one()

    async def land(self) -> None:
        """Wait until all are evaluated."""
        while self._days:
            await self._land_one()

    async def _land_one(self) -> None:
        day = self._days.popleft()
        if day.token is not None:
            await self._answers.wait(day.token)
        await self._on_day(day)
