"""From levels to alert episodes: hysteresis for one student, then the household's rule on top.

Both are pure functions of the counted days, so the order in which the days became known does not
matter in the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from models.policy import NONE, URGENT, Household
from models.rules import Rules
from models.track import Calm, Day, Hit, Track, Turn


class Episode(NamedTuple):
    """One alert's life: its turns from the raise on; `ended` is the day on which it cleared."""

    turns: tuple[Turn, ...]
    ended: int | None

    @property
    def raised(self) -> int:
        """The day on which it was raised."""
        return self.turns[0].ordinal

    def level_on(self, ordinal: int) -> int:
        """The level that stood on a day; 0 before the raise and from the end on."""
        if ordinal < self.raised or (self.ended is not None and ordinal >= self.ended):
            return NONE
        return next(turn.level for turn in reversed(self.turns) if turn.ordinal <= ordinal)


def add_day(track: Track, day: Day, rules: Rules) -> None:
    """Append a counted day and decide its level."""
    track.append(day)
    calm = track.calm
    if not day.step:
        if calm.decided:
            track.calm = calm._replace(decided=False)
        return
    if calm.level == NONE and calm.decided and not day.shock and rules.quiet(track):
        return
    _decide(track, day, rules)


def _decide(track: Track, day: Day, rules: Rules) -> None:
    """Rise at once; fall or clear only after `calm_days` quieter days in a row. A shock day raises nobody."""
    calm = track.calm
    level = rules.level(track)
    if day.shock:
        level = min(level, calm.level)
    if level > calm.level:
        track.turn(day.ordinal, level, rules.hits(track))
        track.calm = Calm(level, decided=not day.shock)
    elif level == calm.level:
        track.calm = Calm(level, decided=not day.shock)
    else:
        highest, hits = calm.highest, calm.hits
        if level and level >= highest:
            highest, hits = level, rules.hits(track)
        quiet = Calm(calm.level, calm.days + 1, highest, hits, decided=not day.shock)
        if quiet.days >= rules.policy.calm_days:
            track.turn(day.ordinal, highest, hits)
            quiet = Calm(highest, decided=not day.shock)
        track.calm = quiet


def episodes(turns: Sequence[Turn]) -> list[Episode]:
    """Cut a student's turns into episodes, each from its raise to its clearing."""
    result: list[Episode] = []
    current: list[Turn] = []
    for turn in turns:
        if turn.level == NONE:
            result.append(Episode(tuple(current), turn.ordinal))
            current = []
        else:
            current.append(turn)
    if current:
        result.append(Episode(tuple(current), None))
    return result


def with_household(own: Sequence[Episode], siblings: Sequence[Episode], rule: Household) -> list[Episode]:
    """The student's episodes, one level up while a sibling's that was raised within the rule's days stands."""
    return [_boosted(episode, siblings, rule) for episode in own]


def _boosted(own: Episode, siblings: Sequence[Episode], rule: Household) -> Episode:
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
        boosting = [sibling for sibling in near if sibling.level_on(moment)]
        level = min(base.level + 1, URGENT) if boosting else base.level
        if not turns or turns[-1].level != level:
            hits = (*base.hits, _household_hit(rule, level, own, boosting)) if boosting else base.hits
            turns.append(Turn(moment, level, hits))
    return Episode(tuple(turns), own.ended)


def _household_hit(rule: Household, level: int, own: Episode, siblings: Sequence[Episode]) -> Hit:
    dates = tuple(sorted({own.raised, *(sibling.raised for sibling in siblings)}))
    text = rule.text.format(count=len(siblings) + 1, days=rule.days, rate="", usual="", first="", last="")
    return Hit(rule.id, rule.reason, level, text, dates, None, rule.clears)
