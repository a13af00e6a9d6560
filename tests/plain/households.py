"""Alerts from raise to close, and what the children of a household make of each other's."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

from models.policy import NONE, URGENT, Household
from tests.plain.levels import Turn
from tests.plain.rules import Hit


class Episode(NamedTuple):
    """One alert's life: its turns from the raise on; `ended` is the day on which it cleared."""

    turns: tuple[Turn, ...]
    ended: date | None

    @property
    def raised(self) -> date:
        """The day on which it was raised."""
        return self.turns[0].day

    def on(self, day: date) -> Turn | None:
        """The turn that stands on a day; None before the raise and from the end on."""
        if day < self.raised or (self.ended is not None and day >= self.ended):
            return None
        return [turn for turn in self.turns if turn.day <= day][-1]


def episodes(turns: Sequence[Turn]) -> list[Episode]:
    """Cut a student's turns into episodes, each from its raise to its clearing."""
    result: list[Episode] = []
    current: list[Turn] = []
    for turn in turns:
        if turn.level == NONE:
            result.append(Episode(tuple(current), turn.day))
            current = []
        else:
            current.append(turn)
    return [*result, Episode(tuple(current), None)] if current else result


def with_household(own: Episode, siblings: Sequence[Episode], rule: Household, lowest: int) -> Episode:
    """The episode, one level up on the days on which a sibling's stands that was raised about then."""
    near = [sibling for sibling in siblings if abs((sibling.raised - own.raised).days) <= rule.days]
    known = [turn.day for episode in (own, *near) for turn in episode.turns]
    known += [episode.ended for episode in (own, *near) if episode.ended is not None]
    day, turns = own.raised, list[Turn]()
    while day <= max(known) and (base := own.on(day)) is not None:
        lifting = [sibling for sibling in near if sibling.on(day) is not None] if base.level >= lowest else []
        level = min(base.level + 1, URGENT) if lifting else base.level
        if not turns or turns[-1].level != level:
            lift = [_hit(rule, level, own, lifting)] if lifting else []
            turns.append(Turn(day, level, (*base.hits, *lift)))
        day += timedelta(days=1)
    return Episode(tuple(turns), own.ended)


def _hit(rule: Household, level: int, own: Episode, siblings: Sequence[Episode]) -> Hit:
    dates = tuple(sorted({own.raised, *(sibling.raised for sibling in siblings)}))
    text = rule.text.format(count=len(siblings) + 1, days=rule.days, rate="", usual="", first="", last="")
    return Hit(rule.id, rule.reason, level, text, dates, None, rule.clears)
