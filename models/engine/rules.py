"""The rules of a policy, made ready for one school year: which hold on which days."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Sequence
from datetime import date

import numpy as np

from models.arrays import Codes, Flags, Places
from models.engine.ledger import Ledger, Pairs
from models.features import KINDS
from models.policy import (
    Change,
    Household,
    Month,
    Move,
    Policy,
    RateToDate,
    Streak,
    Tardies,
    _Leveled,
)
from models.school_year import FIRST_MONTH

SHORT, LONG = 10, 45
"""The window that may change, and the student's own usual, in days that are neither excused nor shock."""
_OF_RATES = (RateToDate, Change)
"""Not judged where the calendar is assumed: what is no school day would count."""
ALWAYS = 4
"""What `assess` multiplies the level of rules marked `always` by."""
_UNEXCUSED, _LATE, _ABSENT = KINDS.index("unexcused"), KINDS.index("late"), len(KINDS)

Holds = Callable[[Ledger, Pairs], Flags]


class Rules:
    """A policy's rules for the school year that began in `year`; the highest levels come first."""

    def __init__(self, policy: Policy, year: int) -> None:
        self.policy = policy
        self.year = year
        self.household = next((rule for rule in policy.rules if isinstance(rule, Household)), None)
        leveled = [rule for rule in policy.rules if isinstance(rule, _Leveled)]
        self._months = [rule for rule in leveled if isinstance(rule, Month)]
        self._rules = [
            (rule, _holds(rule, year, self._months)) for rule in sorted(leveled, key=lambda rule: -rule.rank)
        ]

    def months(self) -> list[tuple[int, int]]:
        """First and last day of the months of which absences are counted (`Ledger`)."""
        return [month_range(rule, self.year)[:2] for rule in self._months]

    def assess(self, ledger: Ledger, pairs: Pairs, assumed: Flags) -> Codes:
        """The highest level of a rule that holds on each day, and 4 times that of the rules marked `always`.

        On days at a school whose calendar is `assumed` no rate is judged.
        """
        level = np.zeros(len(pairs.row), dtype=np.uint8)
        always = np.zeros(len(pairs.row), dtype=np.uint8)
        for rule, found in self.holding(ledger, pairs, assumed):
            np.maximum(level, found * np.uint8(rule.rank), out=level)
            if rule.always:
                np.maximum(always, found * np.uint8(rule.rank), out=always)
        return level + np.uint8(ALWAYS) * always

    def holding(self, ledger: Ledger, pairs: Pairs, assumed: Flags) -> list[tuple[_Leveled, Flags]]:
        """Every rule, and on which of these days it holds; highest level first."""
        return [
            (rule, holds(ledger, pairs) & ~assumed if isinstance(rule, _OF_RATES) else holds(ledger, pairs))
            for rule, holds in self._rules
        ]


def month_range(rule: Month, year: int) -> tuple[int, int, int]:
    """First and last day of the rule's month, and the last day on which it is said, as ordinals."""

    def in_year(month: int) -> int:
        return year if month >= FIRST_MONTH else year + 1

    first = date(in_year(rule.month), rule.month, 1)
    last = first.replace(day=monthrange(first.year, first.month)[1])
    until_year = in_year(rule.until_month)
    until = date(until_year, rule.until_month, monthrange(until_year, rule.until_month)[1])
    return first.toordinal(), last.toordinal(), until.toordinal()


def _holds(rule: _Leveled, year: int, months: Sequence[Month]) -> Holds:
    match rule:
        case Streak(days=days):
            return lambda _, pairs: pairs.streak >= days
        case RateToDate():
            return _rate_holds(rule)
        case Change():
            return _change_holds(rule)
        case Month(count=count):
            number, until = months.index(rule), month_range(rule, year)[2]
            return lambda _, pairs: (pairs.months[number] >= count) & (pairs.day <= until)
        case Tardies(count=count, days=days):
            return _some(
                lambda pairs: pairs.totals[_LATE] >= count,
                lambda ledger, pairs: ledger.window(_LATE, pairs, days) >= count,
            )
        case Move(count=count, days=days):
            return _some(
                lambda pairs: pairs.moved_at > 0,
                lambda ledger, pairs: ledger.window(_UNEXCUSED, pairs, days) >= count,
            )
    raise TypeError(f"no such kind of rule: {type(rule).__name__}")


def _some(perhaps: Callable[[Pairs], Flags], holds: Holds) -> Holds:
    """A rule that most days cannot meet, as a glance at their totals shows."""

    def found(ledger: Ledger, pairs: Pairs) -> Flags:
        result = perhaps(pairs)
        where: Places = np.flatnonzero(result)
        if len(where):
            result[where] = holds(ledger, pairs.at(where))
        return result

    return found


def _rate_holds(rule: RateToDate) -> Holds:
    up, down = rule.rate.numerator, rule.rate.denominator

    def holds(_: Ledger, pairs: Pairs) -> Flags:
        days = pairs.position
        absent, aside = pairs.totals[_ABSENT].astype(np.int64), pairs.aside.astype(np.int64)
        enough = (days >= rule.min_days) & (absent * down >= up * days)
        # A snow day alone lifts nobody over the line: until an ordinary absence has followed it stands aside.
        return np.asarray(enough & ((absent - aside) * down >= up * (days - aside)))

    return holds


def _change_holds(rule: Change) -> Holds:
    up, down = rule.points.numerator, rule.points.denominator
    least = max(1, -(-up * rule.min_days // down))
    """The fewest absences in the short window with which the rule can hold."""

    def holds(ledger: Ledger, pairs: Pairs) -> Flags:
        absent, days = (part.astype(np.int64) for part in ledger.ordinary_window(pairs, SHORT))
        usual, of = (part.astype(np.int64) for part in ledger.ordinary_window(pairs, LONG))
        far = (absent * of - usual * days) * down >= up * days * of
        return np.asarray((absent > 0) & (days >= rule.min_days) & far)

    return _some(lambda pairs: pairs.totals[_UNEXCUSED] >= least, holds)
