"""A student's counted days in a school year, in a form that rules read at C speed.

One byte a counted day (enrolled, consented, instructional, and closed or marked), in order of date:
`shown` keeps what happened, `ruled` the same with excused and shock days as `NEUTRAL`. Appending a
day is the hot path; the last day can be taken back, so that it may be told anew at no cost.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import NamedTuple

from models.attendance import EXCUSED, NEUTRAL, UNEXCUSED


class Day(NamedTuple):
    """One counted day as it enters a track."""

    ordinal: int
    school: str
    code: int
    shock: bool
    step: bool
    """Whether levels are decided on it (not inside an imported history)."""


class Hit(NamedTuple):
    """A rule that holds, with what a person needs to know of it."""

    rule: str
    kind: str
    level: int
    text: str
    dates: tuple[int, ...]
    usual: str | None
    clears: str


class Turn(NamedTuple):
    """The alert level from this day on (0: none), and why."""

    ordinal: int
    level: int
    hits: tuple[Hit, ...]


class Calm(NamedTuple):
    """The hysteresis: the level that stands, and for how long it has been quieter."""

    level: int = 0
    days: int = 0
    highest: int = 0
    """The highest level seen in the quiet days."""
    hits: tuple[Hit, ...] = ()
    """Why, on the latest quiet day of that level."""
    decided: bool = False
    """Whether the last day was decided, so that the next one need only look at what it adds."""


class _Totals(NamedTuple):
    absent: int = 0
    shock_days: int = 0
    shock_absent: int = 0
    """Absences on shock days since the last ordinary absence."""
    moves: int = 0
    school: str = ""


def _how(day: Day) -> int:
    return day.shock + 2 * day.step


class Track:
    """Counted days with running totals. Changed only by `append` and `take_back`."""

    __slots__ = ("_before", "_how", "calm", "last", "ordinals", "ruled", "shown", "totals", "turns")

    def __init__(self) -> None:
        self.ordinals: list[int] = []
        self.shown = bytearray()
        self.ruled = bytearray()
        self._how = bytearray()
        self.totals = _Totals()
        self.calm = Calm()
        self.turns: list[Turn] = []
        self.last: Day | None = None
        self._before: tuple[_Totals, Calm, int] = (self.totals, self.calm, 0)

    def append(self, day: Day) -> None:
        """Add the next day; the caller then decides its level when it is a step."""
        totals = self.totals
        self._before = (totals, self.calm, len(self.turns))
        self.last = day
        code = day.code
        self.ordinals.append(day.ordinal)
        self.shown.append(code)
        self.ruled.append(NEUTRAL if day.shock or code == EXCUSED else code)
        self._how.append(_how(day))
        absent = code in (EXCUSED, UNEXCUSED)
        moved = day.school != totals.school
        if absent or day.shock or moved:
            self.totals = _Totals(
                totals.absent + absent,
                totals.shock_days + day.shock,
                (totals.shock_absent + 1 if day.shock else 0) if absent else totals.shock_absent,
                totals.moves + (moved and bool(totals.school)),
                day.school,
            )

    def take_back(self) -> None:
        """Undo the last `append` and what was decided on it; may be done once."""
        self.totals, self.calm, turns = self._before
        del self.turns[turns:]
        self.ordinals.pop()
        self.shown.pop()
        self.ruled.pop()
        self._how.pop()
        self.last = None

    def stands(self, day: Day) -> bool:
        """Whether a day no later than the last one is in the track just so (a school changes only with the spans)."""
        at = bisect_left(self.ordinals, day.ordinal)
        return self.ordinals[at] == day.ordinal and self.shown[at] == day.code and self._how[at] == _how(day)

    def turn(self, ordinal: int, level: int, hits: tuple[Hit, ...]) -> None:
        """Record that the level changes on this day."""
        self.turns.append(Turn(ordinal, level, hits))
