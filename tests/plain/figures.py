"""Figures of a student's days: those that people see, and those that the model sees."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from models.features import INPUTS, NO_MOVE
from tests.plain.days import Day, shared

Told = Sequence[Day]


def figures(told: Told) -> dict[str, int | float | None]:
    """The window's figures; any reason counts, shock days too."""
    days = shared(told)
    absent = [day.absent for day in days]
    current, longest = streaks(told)
    return {
        "enrolled_days": len(days),
        "absent_days": sum(absent),
        "absence_rate": sum(absent) / len(days) if days else None,
        "excused_days": sum(day.absent and day.excused for day in days),
        "unexcused_days": sum(day.absent and not day.excused for day in days),
        "tardy_days": _number(days, lambda day: day.status == "tardy"),
        "early_departure_days": _number(days, lambda day: day.status == "early_departure"),
        "partial_days": _number(days, lambda day: day.status == "partial"),
        "current_streak": current,
        "longest_streak": longest,
        **{f"absences_{n}": sum(absent[-n:]) for n in (5, 10, 20, 45)},
        "moves": sum(day.school != before.school for before, day in pairwise(told)),
        "shock_days": sum(day.shock for day in days),
        "not_shared_days": len(told) - len(days),
    }


def streaks(told: Told) -> tuple[int, int]:
    """The current and the longest run of absences; a day that is not shared ends one."""
    current = longest = 0
    for day in told:
        current = current + 1 if day.absent and day.shared else 0
        longest = max(longest, current)
    return current, longest


def bad_streak(told: Told) -> int:
    """Absences in a row up to the last day that the rules count; excused and shock days stand aside."""
    length = 0
    for day in reversed(told):
        if not day.shared or not (day.bad or day.neutral):
            break
        length += day.bad
    return length


def moves(told: Told) -> list[int]:
    """The positions, among the days that count, of those at another school than that of the day before.

    Days that are not shared are at a school of their own.
    """
    arrived = [day.day for before, day in pairwise(told) if day.shared and day.school != before.school]
    return [number for number, day in enumerate(shared(told)) if day.day in arrived]


def inputs(told: Told) -> tuple[int, ...]:
    """The model's inputs on the last of these days, in the order of `INPUTS`."""
    days = shared(told)
    moved = moves(told)
    known = {
        "days": len(days),
        "streak": bad_streak(told),
        "since_move": min(len(days) - 1 - moved[-1], NO_MOVE) if moved else NO_MOVE,
    }
    return tuple(known[name] if name in known else _count(days, name) for name in INPUTS)


def _count(days: Told, name: str) -> int:
    kind, window = name.rsplit("_", 1)
    return _number(days if window == "year" else days[-int(window) :], lambda day: day.kind == kind)


def _number(days: Told, which: Callable[[Day], bool]) -> int:
    return sum(map(which, days))
