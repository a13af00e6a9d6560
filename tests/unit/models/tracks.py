"""Tracks made from a string: one character a school day."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from models.episodes import add_day, decide
from models.rules import Rules
from models.track import Day, Track

from models.attendance import EARLY_DEPARTURE, EXCUSED, PARTIAL, PRESENT, TARDY, UNEXCUSED
from models.policy import default_policy

CODES = {"P": PRESENT, "T": TARDY, "D": EARLY_DEPARTURE, "Q": PARTIAL, "E": EXCUSED, "U": UNEXCUSED}
RULES = Rules(default_policy(), 2016)
OCTOBER = date(2016, 10, 3)
"""A Monday on which September is not yet over for its rule, but no absence of these tracks is in it."""


def weekdays(first: date, number: int) -> list[date]:
    days = (first + timedelta(days=n) for n in range(2 * number + 3))
    return [day for day in days if day.weekday() < 5][:number]


def days_of(kinds: str, *, first: date = OCTOBER, history: int = 0) -> list[Day]:
    """The days of a string: a small letter is a shock day, `>` before a letter a change of school."""
    schools = 0
    result: list[Day] = []
    days = iter(weekdays(first, len(kinds)))
    for kind in kinds:
        if kind == ">":
            schools += 1
            continue
        step = len(result) >= history
        result.append(Day(next(days).toordinal(), f"S{schools}", CODES[kind.upper()], kind.islower(), step))
    return result


def track_of(kinds: str, *, first: date = OCTOBER, history: int = 0, rules: Rules = RULES) -> Track:
    track = Track()
    for day in days_of(kinds, first=first, history=history):
        add_day(track, day, rules)
        decide(track, rules)
    return track


def unruled(days: Iterable[Day]) -> Track:
    """The days alone, nothing decided."""
    track = Track()
    for day in days:
        track.append(day)
    return track


def rules_of(kinds: str, *, first: date = OCTOBER) -> set[str]:
    """The ids of the rules that hold on the last day."""
    return {hit.rule for hit in RULES.hits(track_of(kinds, first=first))}


def levels_of(kinds: str, *, first: date = OCTOBER, history: int = 0) -> str:
    """The level that stands after each day, a digit a day."""
    days = days_of(kinds, first=first, history=history)
    turns = {turn.ordinal: turn.level for turn in track_of(kinds, first=first, history=history).turns}
    level, result = 0, ""
    for day in days:
        level = turns.get(day.ordinal, level)
        result += str(level)
    return result
