"""What befalls an ODS's answers: throttling, failing, dying in mid-answer; and what happens between two pages."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from tests.ods.store import OdsState


@dataclass(frozen=True, slots=True)
class Throttle:
    """429, with `Retry-After` in seconds."""

    seconds: int = 1


@dataclass(frozen=True, slots=True)
class Fail:
    """An answer of this status in place of the rows."""

    status: int = 503


@dataclass(frozen=True, slots=True)
class Cut:
    """The connection ends in the middle of the rows."""


@dataclass(frozen=True, slots=True)
class Expire:
    """The token is good no more: 401 until another is asked for."""


Fault = Throttle | Fail | Cut | Expire


@dataclass(slots=True)
class Weather:
    """Faults to come: those that were planned first, each once, then by chance at `rate` of the answers."""

    planned: deque[tuple[str, Fault]] = field(default_factory=deque)
    rate: float = 0
    kinds: tuple[Fault, ...] = (Throttle(0), Fail(500), Fail(503), Cut())
    chance: Random = field(default_factory=lambda: Random(15))
    between: Callable[[OdsState], None] | None = None
    """Called after each answer of rows that is not of a snapshot's: what others do to the source meanwhile."""

    def plan(self, on: str, *faults: Fault) -> None:
        """These befall the next answers whose path ends with `on`, one each."""
        self.planned += [(on, fault) for fault in faults]

    def fault(self, path: str) -> Fault | None:
        """What befalls an answer for this path."""
        for number, (on, fault) in enumerate(self.planned):
            if path.endswith(on):
                del self.planned[number]
                return fault
        return self.chance.choice(self.kinds) if self.chance.random() < self.rate else None
