"""From levels to alert episodes: hysteresis for one student, then the household's rule on top.

Both are pure functions of the counted days, so the order in which the days became known does not
matter in the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from models.capacity import NEVER, WEEK_DAYS, Standing, Thresholds
from models.policy import ELEVATED, NONE, URGENT, WATCH, Household
from models.reasons import Risk, explain
from models.rules import ALWAYS, Rules
from models.track import UNKNOWN, Calm, Day, Hit, Track, Turn

PLACE_DAYS = 30
"""Counted days that a place lasts: then the student needs another, and until then takes no other."""
KEEP = 0.7
"""A student stays elevated until the score is so far (log-odds: about half the odds) below that of the entry."""


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
    """Append a counted day; `decide` then decides its level."""
    track.append(day)
    track.rule_levels.append(rules.assess(track) if day.step else UNKNOWN)


def decide(track: Track, rules: Rules, risk: Risk | None = None) -> None:
    """Decide the level of every day added since the last call; the model must have scored them.

    Rise at once; fall or clear only after `calm_days` quieter days in a row. A shock day raises nobody.
    """
    calm = track.calm
    for position in range(track.decided, len(track.ordinals)):
        if track.is_step(position):
            calm = _decided(track, position, calm, rules, risk)
        track.decide(calm)


def _decided(track: Track, position: int, calm: Calm, rules: Rules, risk: Risk | None) -> Calm:
    assessed, by_score = track.rule_levels[position], False
    level = assessed % ALWAYS
    thresholds = None if risk is None else risk.thresholds
    if thresholds is not None:
        lapsed = calm.level >= ELEVATED and position - calm.entered >= PLACE_DAYS
        by_score = not lapsed and track.logits[position] >= _bar(track, position, calm, thresholds)
        placed = by_score or assessed // ALWAYS >= ELEVATED
        level = max(level, ELEVATED) if placed else min(level, WATCH)
        if lapsed and not placed:
            return _fallen(track, position, level, position, calm, rules, risk)
    if track.is_shock(position):
        level = min(level, calm.level)
    if level == calm.level:
        return calm._replace(days=0, highest=NONE) if calm.days else calm
    if level > calm.level:
        hits = explain(track, position, level, rules, risk, by_score=by_score)
        track.turn(track.ordinals[position], level, hits)
        if calm.level < ELEVATED <= level and thresholds is not None:
            bar = min(thresholds.on(track.ordinals[position]), track.logits[position]) - KEEP
            return Calm(level, entered=position, bar=bar)
        return Calm(level, entered=calm.entered, bar=calm.bar)
    return _quieter(track, position, level, calm, rules, risk)


def _quieter(track: Track, position: int, level: int, calm: Calm, rules: Rules, risk: Risk | None) -> Calm:
    highest, at = (level, position) if level >= calm.highest else (calm.highest, calm.at)
    if calm.days + 1 < rules.policy.calm_days:
        return calm._replace(days=calm.days + 1, highest=highest, at=at)
    return _fallen(track, position, highest, at, calm, rules, risk)


def _fallen(track: Track, position: int, level: int, at: int, calm: Calm, rules: Rules, risk: Risk | None) -> Calm:
    """Fall to a level that the day `at` gives reasons for."""
    by_score = risk is not None and bool(track.logits) and track.logits[at] >= calm.bar
    hits = explain(track, at, level, rules, risk, by_score=by_score) if level else ()
    track.turn(track.ordinals[position], level, hits)
    return Calm(level, entered=calm.entered, bar=calm.bar)


def _bar(track: Track, position: int, calm: Calm, thresholds: Thresholds) -> float:
    """The score that keeps a student elevated, or with which one enters; one who took a place lately takes no other."""
    if calm.level >= ELEVATED:
        return calm.bar
    return NEVER if position - calm.entered < PLACE_DAYS else thresholds.on(track.ordinals[position])


def standing(track: Track) -> Standing:
    """Where a student with at least one scored day stands at a week's close."""
    logits, calm = track.logits, track.calm
    before = logits[-WEEK_DAYS - 1] if len(logits) > WEEK_DAYS else logits[0]
    since = len(logits) - calm.entered
    can_enter = since >= PLACE_DAYS - WEEK_DAYS and (calm.level < ELEVATED or since < PLACE_DAYS)
    return Standing(logits[-1], before, max(logits[-WEEK_DAYS:]), can_enter)


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
    return Episode(tuple(turns), own.ended)


def _household_hit(rule: Household, level: int, own: Episode, siblings: Sequence[Episode]) -> Hit:
    dates = tuple(sorted({own.raised, *(sibling.raised for sibling in siblings)}))
    text = rule.text.format(count=len(siblings) + 1, days=rule.days, rate="", usual="", first="", last="")
    return Hit(rule.id, rule.reason, level, text, dates, None, rule.clears)
