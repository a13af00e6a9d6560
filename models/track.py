"""A student's counted days in a school year, in a form that rules read at C speed.

One byte a counted day (enrolled, consented, instructional, and closed or marked), in order of date:
`shown` keeps what happened, `ruled` the same with shock days as `NEUTRAL`. Appending a day is the hot
path; days can be cut off again, so that what became known later is told anew.
"""

from __future__ import annotations

import zlib
from array import array
from bisect import bisect_left
from typing import NamedTuple

from models.attendance import EXCUSED, NEUTRAL, UNEXCUSED

NEVER_ENTERED = -1_000_000
"""The position of an entry that never was."""


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
    at: int = 0
    """The position of the latest quiet day of that level: it says why."""
    entered: int = NEVER_ENTERED
    """The position of the day on which the student last entered elevated or urgent."""
    bar: float = 0.0
    """The score (log-odds) that keeps a student who entered there."""


class Totals(NamedTuple):
    """What the days up to one come to."""

    absent: int = 0
    shock_days: int = 0
    shock_absent: int = 0
    """Absences on shock days since the last ordinary absence."""
    moves: int = 0
    moved_at: int = -1
    """The position of the first day at the present school; -1 without a move."""
    school: str = ""


_NO_CALM = Calm()
_NO_TOTALS = Totals()
_SHOCK, _STEP = 1, 2
UNKNOWN = 255
"""The rules' level of a day on which none is decided."""


def _how(day: Day) -> int:
    return _SHOCK * day.shock + _STEP * day.step


class Scored(NamedTuple):
    """Scores to be kept: another model must not judge the past anew."""

    checksum: int = 0
    """Of the days that they are of."""
    own: bytes = b""
    logits: bytes = b""
    """Both float64."""


class Track:
    """Counted days with running totals, and what was decided on each. Days are added and cut off at the end."""

    __slots__ = (
        "_calms",
        "_how",
        "_totals",
        "logits",
        "ordinals",
        "own",
        "rule_levels",
        "ruled",
        "shown",
        "turns",
        "waiting",
    )

    def __init__(self) -> None:
        self.ordinals: list[int] = []
        self.shown = bytearray()
        self.ruled = bytearray()
        self._how = bytearray()
        self._totals: list[Totals] = []
        self.rule_levels = bytearray()
        """Per day: the level of the rules, and 4 times that of the rules marked `always`; `UNKNOWN`."""
        self.waiting: list[tuple[int, ...]] = []
        """The model's inputs of the days that it has not scored yet."""
        self.own = array("d")
        """Per day: the model's score of the student's own days, log-odds; empty without a model."""
        self.logits = array("d")
        """Per day: the same with the household's part."""
        self._calms: list[Calm] = []
        self.turns: list[Turn] = []

    @property
    def totals(self) -> Totals:
        """The totals of all days."""
        return self._totals[-1] if self._totals else _NO_TOTALS

    @property
    def calm(self) -> Calm:
        """The hysteresis after the last decided day."""
        return self._calms[-1] if self._calms else _NO_CALM

    @property
    def decided(self) -> int:
        """How many days have been decided."""
        return len(self._calms)

    def is_shock(self, position: int) -> bool:
        """Whether the day at this position is a shock day."""
        return bool(self._how[position] & _SHOCK)

    def is_step(self, position: int) -> bool:
        """Whether a level is decided on the day at this position."""
        return bool(self._how[position] & _STEP)

    def append(self, day: Day) -> None:
        """Add the next day; its level is then to be decided."""
        before = self.totals
        code = day.code
        self.ordinals.append(day.ordinal)
        self.shown.append(code)
        self.ruled.append(NEUTRAL if day.shock else code)
        self._how.append(_how(day))
        absent = code in (EXCUSED, UNEXCUSED)
        if not (absent or day.shock or day.school != before.school):
            self._totals.append(before)
            return
        moved = day.school != before.school and bool(before.school)
        self._totals.append(
            Totals(
                before.absent + absent,
                before.shock_days + day.shock,
                (before.shock_absent + 1 if day.shock else 0) if absent else before.shock_absent,
                before.moves + moved,
                len(self.shown) - 1 if moved else before.moved_at,
                day.school,
            )
        )

    def decide(self, calm: Calm) -> None:
        """What was decided on the first undecided day."""
        self._calms.append(calm)

    def cut(self, length: int) -> None:
        """Take back all days but the first `length`, and what was decided on them."""
        self.unscore(length)
        for part in (self.ordinals, self.shown, self.ruled, self._how, self._totals, self.rule_levels, self.own):
            del part[length:]
        self.waiting.clear()

    def checksum(self, length: int) -> int:
        """Of the first `length` days and the moves in them; equal days, equal sums."""
        days = zlib.crc32(self.ruled[:length], sum(self.ordinals[:length]) & 0xFFFFFFFF)
        if not length or not self._totals[length - 1].moves:
            return days
        return zlib.crc32(array("i", [totals.moved_at for totals in self._totals[:length]]).tobytes(), days)

    def recall(self, scored: Scored) -> None:
        """Take the scores of the first days from before, if these are the same days; the others wait."""
        own, logits = array("d", scored.own), array("d", scored.logits)
        if own and len(own) <= len(self.ordinals) and self.checksum(len(own)) == scored.checksum:
            self.own, self.logits = own, logits
            del self.waiting[: len(own)]

    def unscore(self, length: int) -> None:
        """Forget the household's part of all days but the first `length`, and what was decided on them."""
        del self.logits[length:]
        self.undecide(length)

    def undecide(self, length: int) -> None:
        """Forget what was decided on all days but the first `length`; the days stay, and their scores."""
        end = self.ordinals[length - 1] if length else 0
        while self.turns and self.turns[-1].ordinal > end:
            self.turns.pop()
        del self._calms[length:]

    def up_to(self, length: int) -> Track:
        """The first `length` days as a track of their own, to ask the rules of."""
        part = Track()
        part.ordinals, part.shown, part.ruled = self.ordinals[:length], self.shown[:length], self.ruled[:length]
        part._how, part._totals = self._how[:length], self._totals[:length]
        return part

    def lacks(self, ordinal: int) -> bool:
        """Whether this day is not in the track."""
        at = bisect_left(self.ordinals, ordinal)
        return at == len(self.ordinals) or self.ordinals[at] != ordinal

    def stands(self, day: Day) -> bool:
        """Whether a day no later than the last one is in the track just so (a school changes only with the spans)."""
        at = bisect_left(self.ordinals, day.ordinal)
        return self.ordinals[at] == day.ordinal and self.shown[at] == day.code and self._how[at] == _how(day)

    def turn(self, ordinal: int, level: int, hits: tuple[Hit, ...]) -> None:
        """Record that the level changes on this day."""
        self.turns.append(Turn(ordinal, level, hits))
