"""What the engine's totals, rules and levels say of one student, by plain counting over the days."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from typing import NamedTuple

from models.attendance import EARLY_DEPARTURE, EXCUSED, PARTIAL, TARDY, UNEXCUSED
from models.capacity import PLACE_DAYS
from models.engine.levels import KEEP
from models.features import INPUTS, NO_MOVE
from models.policy import ELEVATED, WATCH, Change, Month, Move, Policy, RateToDate, Streak, Tardies, _Leveled
from tests.unit.models.tracks import Day

CODES = {"unexcused": (UNEXCUSED,), "excused": (EXCUSED,), "late": (TARDY,), "left": (EARLY_DEPARTURE, PARTIAL)}


def count(days: Sequence[Day], kind: str) -> int:
    """Days of a kind; a shock day is of none."""
    return sum(day.code in CODES[kind] and not day.shock for day in days)


def ordinary(days: Sequence[Day]) -> list[Day]:
    """Days that are neither excused nor shock."""
    return [day for day in days if day.code != EXCUSED and not day.shock]


def absent(days: Sequence[Day]) -> list[Day]:
    """For any reason, on shock days too."""
    return [day for day in days if day.code in (EXCUSED, UNEXCUSED)]


def streak(days: Sequence[Day]) -> int:
    """Unexcused absences in a row up to the last day."""
    found = 0
    for day in reversed(ordinary(days)):
        if day.code != UNEXCUSED:
            break
        found += 1
    return found


def aside(days: Sequence[Day]) -> int:
    """Absences on shock days since the last ordinary absence."""
    found = 0
    for day in reversed(absent(days)):
        if not day.shock:
            break
        found += 1
    return found


def moves(days: Sequence[Day]) -> list[int]:
    """The positions (from 1) of first days at another school."""
    return [place + 1 for place in range(1, len(days)) if days[place].school != days[place - 1].school]


def inputs(days: Sequence[Day]) -> dict[str, int]:
    """The model's inputs on the last day."""
    found = {"days": len(days), "streak": streak(days), "since_move": NO_MOVE}
    if moves(days):
        found["since_move"] = min(len(days) - moves(days)[-1], NO_MOVE)
    for name in INPUTS:
        kind, _, window = name.partition("_")
        if kind in CODES:
            found[name] = count(days if window == "year" else days[-int(window) :], kind)
    return found


def holds(rule: _Leveled, days: Sequence[Day]) -> bool:
    """Whether a rule holds on the last day of a school year that began in a summer."""
    match rule:
        case Streak():
            return streak(days) >= rule.days
        case RateToDate():
            beside = aside(days)
            shares = [(len(absent(days)), len(days)), (len(absent(days)) - beside, len(days) - beside)]
            return len(days) >= rule.min_days and all(part >= rule.rate * of for part, of in shares)
        case Change():
            short, usual = ordinary(days)[-10:], ordinary(days)[-45:]
            rates = [Fraction(count(part, "unexcused"), len(part) or 1) for part in (short, usual)]
            return len(short) >= rule.min_days and rates[0] > 0 and rates[0] - rates[1] >= rule.points
        case Month():
            in_month = [day for day in days if date.fromordinal(day.ordinal).month == rule.month]
            said = (date.fromordinal(days[-1].ordinal).month - 7) % 12 <= (rule.until_month - 7) % 12
            return said and count(in_month, "unexcused") >= rule.count
        case Tardies():
            return count(days[-rule.days :], "late") >= rule.count
        case Move():
            return bool(moves(days)) and count(days[-rule.days :], "unexcused") >= rule.count
    raise TypeError(rule)


def assessed(policy: Policy, days: Sequence[Day]) -> tuple[int, int]:
    """The highest level of a rule that holds on the last day, and that of those marked `always`."""
    holding = [rule for rule in policy.rules if isinstance(rule, _Leveled) and holds(rule, days)]
    return (
        max((rule.rank for rule in holding), default=0),
        max((rule.rank for rule in holding if rule.always), default=0),
    )


class Decided(NamedTuple):
    """The level after a day, and how it got there."""

    level: int = 0
    calm: tuple[int, ...] = ()
    """The levels of the quieter days so far."""
    entered: int | None = None
    """The position of the last entry into a place."""
    bar: float = 0.0


def decide(
    before: Decided, position: int, today: tuple[int, int], calm_days: int, *, shock: bool, score: float, at: float
) -> Decided:
    """One day more; `at` is the threshold, infinite without places. `today` is what the rules give (`assessed`)."""
    taken = None if before.entered is None else position - before.entered
    placed = before.level >= ELEVATED
    over = placed and taken is not None and taken >= PLACE_DAYS
    bar = before.bar if placed else at if taken is None or taken >= PLACE_DAYS else float("inf")
    has_place = (score >= bar and not over) or today[1] >= ELEVATED
    level = max(today[0], ELEVATED) if has_place else min(today[0], WATCH)
    if over and not has_place:
        return before._replace(level=level, calm=())
    return _with_calm(before, min(level, before.level) if shock else level, position, calm_days, min(at, score) - KEEP)


def decide_by_rules(before: Decided, position: int, today: tuple[int, int], calm_days: int, *, shock: bool) -> Decided:
    """One day more, without places."""
    return _with_calm(before, min(today[0], before.level) if shock else today[0], position, calm_days, 0.0)


def _with_calm(before: Decided, level: int, position: int, calm_days: int, bar: float) -> Decided:
    if level > before.level:
        entered = before.level < ELEVATED <= level
        place = {"entered": position, "bar": bar} if entered else {}
        return before._replace(level=level, calm=(), **place)
    if level == before.level:
        return before._replace(calm=())
    calm = (*before.calm, level)
    if len(calm) < calm_days:
        return before._replace(calm=calm)
    return before._replace(level=max(calm), calm=())
