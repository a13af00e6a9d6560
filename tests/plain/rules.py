"""The rules of a policy that hold on a day, written from their definitions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from typing import NamedTuple

from models.policy import Change, Household, Month, Move, Policy, RateToDate, Rule, Streak, Tardies
from tests.plain.days import Day, shared
from tests.plain.facts import school_year
from tests.plain.figures import bad_streak, moves

SHORT, LONG = 10, 45
Leveled = Streak | RateToDate | Change | Month | Tardies | Move
OF_RATES = (RateToDate, Change)
"""Silent where the calendar is a guess."""


class Hit(NamedTuple):
    """A reason: a rule that holds, or what the model says."""

    rule: str
    kind: str
    level: int
    text: str
    dates: tuple[date, ...]
    usual: str | None
    clears: str


def holding(told: Sequence[Day], policy: Policy) -> list[Leveled]:
    """The rules that hold on the last of these days, highest level first."""
    leveled = [rule for rule in policy.rules if not isinstance(rule, Household)]
    return sorted((rule for rule in leveled if _holds(rule, told)), key=lambda rule: -rule.rank)


def _holds(rule: Rule, told: Sequence[Day]) -> bool:
    days, last = shared(told), told[-1]
    if last.assumed and isinstance(rule, OF_RATES):
        return False
    match rule:
        case Streak(days=length):
            return (last.bad or last.neutral) and bad_streak(told) >= length
        case RateToDate(rate=rate, min_days=least):
            return len(days) >= least and _reaches(days, rate)
        case Change(points=points, min_days=least):
            short, usual = ordinary(days)[-SHORT:], ordinary(days)[-LONG:]
            return len(short) >= least and _bad_rate(short) - _bad_rate(usual) >= points
        case Month(month=month, until_month=until, count=count):
            return _month(last.day) <= _of_year(until) and len(_bad_of_month(days, month)) >= count
        case Tardies(count=count, days=window):
            return len(_late(days[-window:])) >= count
        case Move(count=count, days=window):
            return bool(moves(told)) and len(_bad(days[-window:])) >= count
    raise AssertionError(rule)


def _reaches(days: Sequence[Day], line: Fraction) -> bool:
    """Any reason counts; but absences on shock days alone, with no ordinary one since, lift nobody over the line."""
    judged, ordinary_since = [], False
    for day in reversed(days):
        ordinary_since = ordinary_since or (day.absent and not day.shock)
        if ordinary_since or not (day.absent and day.shock):
            judged.append(day)
    return _absence_rate(days) >= line and bool(judged) and _absence_rate(judged) >= line


def _absence_rate(days: Sequence[Day]) -> Fraction:
    return Fraction(sum(day.absent for day in days), len(days))


def _bad_rate(days: Sequence[Day]) -> Fraction:
    return Fraction(len(_bad(days)), len(days))


def ordinary(days: Sequence[Day]) -> list[Day]:
    """The days that are neither excused nor shock."""
    return [day for day in days if not day.neutral]


def _bad(days: Sequence[Day]) -> list[date]:
    return [day.day for day in days if day.bad]


def _late(days: Sequence[Day]) -> list[date]:
    return [day.day for day in days if day.kind == "late"]


def _bad_of_month(days: Sequence[Day], month: int) -> list[date]:
    return [day for day in _bad(days) if day.month == month]


def _month(day: date) -> int:
    """Months since the school year began."""
    return 12 * (day.year - school_year(day)) + day.month


def _of_year(month: int) -> int:
    return month if month >= 7 else 12 + month


def hit(rule: Leveled, told: Sequence[Day]) -> Hit:
    """A rule that holds on the last of these days, in plain words."""
    dates, of = _evidence(rule, told)
    usual = ordinary(shared(told))[-LONG:]
    percent = _percent(len(_bad(usual)), len(usual))
    text = rule.text.format(
        count=len(dates),
        days=of,
        rate=_percent(len(dates), of),
        usual=percent,
        first=_spoken(dates[0]),
        last=_spoken(dates[-1]),
    )
    usual_text = f"{percent} of days, over the last {len(usual)} that count" if usual else None
    return Hit(rule.id, rule.reason, rule.rank, text, tuple(dates), usual_text, rule.clears)


def _evidence(rule: Leveled, told: Sequence[Day]) -> tuple[list[date], int]:
    """The dates that made the rule hold, and of how many days."""
    days = shared(told)
    match rule:
        case Streak():
            return _bad(days)[-bad_streak(told) :], bad_streak(told)
        case RateToDate():
            return [day.day for day in days if day.absent], len(days)
        case Change():
            short = ordinary(days)[-SHORT:]
            return _bad(short), len(short)
        case Month(month=month):
            dates = _bad_of_month(days, month)
            return dates, len(dates)
        case Tardies(days=window):
            return _late(days[-window:]), min(window, len(days))
        case Move(days=window):
            return _bad(days[-window:]), min(window, len(days))


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f}%" if whole else "unknown"


def _spoken(day: date) -> str:
    return f"{day.day} {day:%b}"
