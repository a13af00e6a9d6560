"""The rules of a policy over many students at once; a test holds that `models.rules` says the same."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from models.backtest.history import Codes, Flags, Ints
from models.backtest.ledger import Ledger, Places
from models.features import KINDS
from models.policy import Change, Month, Move, Policy, RateToDate, Streak, Tardies, _Leveled
from models.rules import ALWAYS, LONG, SHORT, month_range

_UNEXCUSED, _LATE = KINDS.index("unexcused"), KINDS.index("late")

Holds = Callable[[Ledger, Places, Ints], Flags]
"""Whether a rule holds on the last day of these students; the days are given as ordinals."""


class RuleColumns:
    """A policy's rules for the school year that began in `year`."""

    def __init__(self, policy: Policy, year: int, columns: Ints) -> None:
        leveled = [rule for rule in policy.rules if isinstance(rule, _Leveled)]
        self._rules = [(rule, _holds(rule, year, columns)) for rule in leveled]

    def assess(self, ledger: Ledger, student: Places, day: Ints) -> Codes:
        """As `Rules.assess`: the highest level that holds, and 4 times that of the rules marked `always`."""
        level = np.zeros(len(student), dtype=np.uint8)
        always = np.zeros(len(student), dtype=np.uint8)
        for rule, holds in self._rules:
            found = holds(ledger, student, day)
            np.maximum(level, found * np.uint8(rule.rank), out=level)
            if rule.always:
                np.maximum(always, found * np.uint8(rule.rank), out=always)
        return level + np.uint8(ALWAYS) * always


def _holds(rule: _Leveled, year: int, columns: Ints) -> Holds:
    match rule:
        case Streak(days=days):
            return lambda ledger, student, _: ledger.streak[ledger.at(student, ledger.length[student])] >= days
        case RateToDate():
            return _rate_holds(rule)
        case Change():
            return _change_holds(rule)
        case Month():
            return _month_holds(rule, year, columns)
        case Tardies(count=count, days=days):
            return lambda ledger, student, _: ledger.window(_LATE, student, days) >= count
        case Move(count=count, days=days):

            def move_holds(ledger: Ledger, student: Places, _: Ints) -> Flags:
                moved = ledger.moves[ledger.at(student, ledger.length[student])] > 0
                return moved & (ledger.window(_UNEXCUSED, student, days) >= count)

            return move_holds
    raise TypeError(f"no such kind of rule: {type(rule).__name__}")


def _rate_holds(rule: RateToDate) -> Holds:
    up, down = rule.rate.numerator, rule.rate.denominator

    def holds(ledger: Ledger, student: Places, _: Ints) -> Flags:
        days = ledger.length[student].astype(np.int64)
        now = ledger.at(student, ledger.length[student])
        absent, aside = ledger.absent[now].astype(np.int64), ledger.shock_absent[now].astype(np.int64)
        enough = (days >= rule.min_days) & (absent * down >= up * days)
        return np.asarray(enough & ((absent - aside) * down >= up * (days - aside)))

    return holds


def _change_holds(rule: Change) -> Holds:
    up, down = rule.points.numerator, rule.points.denominator

    def holds(ledger: Ledger, student: Places, _: Ints) -> Flags:
        absent, days = (part.astype(np.int64) for part in ledger.ordinary_window(student, SHORT))
        usual, of = (part.astype(np.int64) for part in ledger.ordinary_window(student, LONG))
        far = (absent * of - usual * days) * down >= up * days * of
        return np.asarray((absent > 0) & (days >= rule.min_days) & far)

    return holds


def _month_holds(rule: Month, year: int, columns: Ints) -> Holds:
    first, last, until = month_range(rule, year)

    def holds(ledger: Ledger, student: Places, day: Ints) -> Flags:
        said = day <= until
        result = np.zeros(len(student), dtype=np.bool_)
        if said.any():
            some = student[said]
            result[said] = _up_to(ledger, some, last, columns) - _up_to(ledger, some, first - 1, columns) >= rule.count
        return result

    return holds


def _up_to(ledger: Ledger, student: Places, last: int, columns: Ints) -> Ints:
    """Unexcused absences on days up to an ordinal."""
    through = int(np.searchsorted(columns, last, side="right"))
    most = int(ledger.length[student].max(initial=0))
    days = ledger.column.reshape(-1, ledger.students)[1 : most + 1, student]
    counted = np.arange(1, most + 1)[:, None] <= ledger.length[student]
    length = ((days < through) & counted).sum(axis=0)
    return np.asarray(ledger.counts[_UNEXCUSED, ledger.at(student, length)], dtype=np.int32)
