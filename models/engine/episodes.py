"""From turns of a level to alert episodes, and the household's rule on top."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from models.policy import NONE, URGENT, WATCH, Household


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
    left: bool = False
    """None for from this day on the student is where nothing is shared."""


class Episode(NamedTuple):
    """One alert's life: its turns from the raise on; `ended` is the day on which it cleared."""

    turns: tuple[Turn, ...]
    ended: int | None
    left: bool = False
    """Cleared for the student is where nothing is shared."""

    @property
    def raised(self) -> int:
        """The day on which it was raised."""
        return self.turns[0].ordinal

    def level_on(self, ordinal: int) -> int:
        """The level that stood on a day; 0 before the raise and from the end on."""
        if ordinal < self.raised or (self.ended is not None and ordinal >= self.ended):
            return NONE
        return next(turn.level for turn in reversed(self.turns) if turn.ordinal <= ordinal)


def episodes(turns: Sequence[Turn]) -> list[Episode]:
    """Cut a student's turns into episodes, each from its raise to its clearing."""
    result: list[Episode] = []
    current: list[Turn] = []
    for turn in turns:
        if turn.level == NONE:
            result.append(Episode(tuple(current), turn.ordinal, turn.left))
            current = []
        else:
            current.append(turn)
    if current:
        result.append(Episode(tuple(current), None))
    return result


def with_household(
    own: Sequence[Episode], siblings: Sequence[Episode], rule: Household, lowest: int = WATCH
) -> list[Episode]:
    """The student's episodes, one level up while a sibling's that was raised within the rule's days stands.

    Only from level `lowest` on: under a capacity, a place is not given for a sibling's sake.
    """
    return [_boosted(episode, siblings, rule, lowest) for episode in own]


def _boosted(own: Episode, siblings: Sequence[Episode], rule: Household, lowest: int) -> Episode:
    near = [sibling for sibling in siblings if abs(sibling.raised - own.raised) <= rule.days]
    if not near:
        return own
    last = own.ended
    moments = {turn.ordinal for turn in own.turns}
    for sibling in near:
        moments |= {sibling.raised} | ({sibling.ended} if sibling.ended is not None else set())
    turns: list[Turn] = []
    for moment in sorted(m for m in moments if m >= own.raised and (last is None or m < last)):
        base = next(turn for turn in reversed(own.turns) if turn.ordinal <= moment)
        boosting = [sibling for sibling in near if sibling.level_on(moment)] if base.level >= lowest else []
        level = min(base.level + 1, URGENT) if boosting else base.level
        if not turns or turns[-1].level != level:
            hits = (*base.hits, _household_hit(rule, level, own, boosting)) if boosting else base.hits
            turns.append(Turn(moment, level, hits))
    return Episode(tuple(turns), own.ended, own.left)


def _household_hit(rule: Household, level: int, own: Episode, siblings: Sequence[Episode]) -> Hit:
    dates = tuple(sorted({own.raised, *(sibling.raised for sibling in siblings)}))
    text = rule.text.format(count=len(siblings) + 1, days=rule.days, rate="", usual="", first="", last="")
    return Hit(rule.id, rule.reason, level, text, dates, None, rule.clears)
