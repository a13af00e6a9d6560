"""The rules of a policy, made ready for one school year."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from calendar import monthrange
from collections.abc import Callable
from datetime import date

from models.attendance import EXCUSED, NEUTRAL, TARDY, UNEXCUSED
from models.policy import (
    NONE,
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
from models.track import Hit, Track

_NEUTRAL = bytes([NEUTRAL, EXCUSED])
_UNEXCUSED = bytes([UNEXCUSED])
SHORT, LONG = 10, 45
"""The window that may change, and the student's own usual, in days that are neither excused nor shock."""

Holds = Callable[[Track], bool]

ALWAYS = 4
"""What `assess` multiplies the level of rules marked `always` by."""


class Rules:
    """A policy's rules for the school year that began in `year`; the highest levels come first."""

    def __init__(self, policy: Policy, year: int) -> None:
        self.policy = policy
        self.household = next((rule for rule in policy.rules if isinstance(rule, Household)), None)
        leveled = [rule for rule in policy.rules if isinstance(rule, _Leveled)]
        self._rules = [(rule.rank, rule, _holds(rule, year)) for rule in sorted(leveled, key=lambda rule: -rule.rank)]
        changes = [rule for rule in leveled if isinstance(rule, Change)]
        self._change_needs = min((_least(rule) for rule in changes), default=SHORT + 1)
        self._rate_days = {rule.min_days for rule in leveled if isinstance(rule, RateToDate)}
        self._year = year

    def assess(self, track: Track) -> int:
        """The highest level of a rule that holds on the track's last day, and 4 times that of those marked `always`.

        The days before were assessed already, or are `UNKNOWN`.
        """
        if track.rule_levels and track.rule_levels[-1] == NONE and self.quiet(track):
            return NONE
        level = always = NONE
        for rank, rule, holds in self._rules:
            if (rule.always or not level) and holds(track):
                level = max(level, rank)
                always = max(always, rank) if rule.always else always
        return level + ALWAYS * always

    def hits(self, track: Track) -> tuple[Hit, ...]:
        """Every rule that holds on the track's last day, highest level first, in plain words."""
        return tuple(_hit(rule, track, self._year) for _, rule, holds in self._rules if holds(track))

    def quiet(self, track: Track) -> bool:
        """Whether no rule can newly hold on the last day, none having held on the day before.

        A cheap test that spares most days of most students the rules.
        """
        last = track.ruled[-1]
        return (
            last not in (UNEXCUSED, NEUTRAL, EXCUSED, TARDY)
            and len(track.ruled) not in self._rate_days
            and track.totals.moves == 0
            and (track.totals.absent < self._change_needs or _counting(track, SHORT)[0] < self._change_needs)
        )


def _least(rule: Change) -> int:
    """The fewest absences in the short window with which the rule can hold."""
    return max(1, -(-rule.points.numerator * rule.min_days // rule.points.denominator))


def streak(track: Track) -> int:
    """Unexcused absences in a row up to the last day; excused and shock days stand aside."""
    days = track.ruled.translate(None, _NEUTRAL)
    return len(days) - len(days.rstrip(_UNEXCUSED))


def _counting(track: Track, window: int) -> tuple[int, int]:
    """Unexcused absences among the last `window` days that are neither excused nor shock, and how many there are."""
    days = track.ruled.translate(None, _NEUTRAL)[-window:]
    return days.count(UNEXCUSED), len(days)


def month_range(rule: Month, year: int) -> tuple[int, int, int]:
    """First and last day of the rule's month, and the last day on which it is said, as ordinals."""

    def in_year(month: int) -> int:
        return year if month >= FIRST_MONTH else year + 1

    first = date(in_year(rule.month), rule.month, 1)
    last = first.replace(day=monthrange(first.year, first.month)[1])
    until_year = in_year(rule.until_month)
    until = date(until_year, rule.until_month, monthrange(until_year, rule.until_month)[1])
    return first.toordinal(), last.toordinal(), until.toordinal()


def _holds(rule: _Leveled, year: int) -> Holds:  # noqa: C901 - one closure a kind of rule
    match rule:
        case Streak(days=days):
            return lambda t: t.ruled[-1] in (UNEXCUSED, NEUTRAL, EXCUSED) and streak(t) >= days
        case RateToDate(rate=rate, min_days=min_days):
            up, down = rate.numerator, rate.denominator

            def rate_holds(track: Track) -> bool:
                days, totals = len(track.shown), track.totals
                if days < min_days or totals.absent * down < up * days:
                    return False
                # A snow day alone lifts nobody over the line: until an ordinary absence has followed it stands aside.
                return (totals.absent - totals.shock_absent) * down >= up * (days - totals.shock_absent)

            return rate_holds
        case Change(points=points, min_days=min_days):
            up, down = points.numerator, points.denominator

            def change_holds(track: Track) -> bool:
                absent, days = _counting(track, SHORT)
                if absent == 0 or days < min_days:
                    return False
                usual, of = _counting(track, LONG)
                return (absent * of - usual * days) * down >= up * days * of

            return change_holds
        case Month(count=count):
            first, last, until = month_range(rule, year)
            return lambda t: t.ordinals[-1] <= until and _absences_between(t, first, last) >= count
        case Tardies(count=count, days=days):
            return lambda t: t.ruled.count(TARDY, -days) >= count
        case Move(count=count, days=days):
            return lambda t: t.totals.moves > 0 and t.ruled.count(UNEXCUSED, -days) >= count
    raise TypeError(f"no such kind of rule: {type(rule).__name__}")


def _absences_between(track: Track, first: int, last: int) -> int:
    start, end = bisect_left(track.ordinals, first), bisect_right(track.ordinals, last)
    return track.ruled.count(UNEXCUSED, start, end)


def _hit(rule: _Leveled, track: Track, year: int) -> Hit:
    dates, days = _evidence(rule, track, year)
    usual, of = _counting(track, LONG)
    usual_text = f"{_percent(usual, of)} of days, over the last {of} that count" if of else None
    text = rule.text.format(
        count=len(dates),
        days=days,
        rate=_percent(len(dates), days),
        usual=_percent(usual, of),
        first=_spoken(dates[0]),
        last=_spoken(dates[-1]),
    )
    return Hit(rule.id, rule.reason, rule.rank, text, dates, usual_text, rule.clears)


def _evidence(rule: _Leveled, track: Track, year: int) -> tuple[tuple[int, ...], int]:
    """The dates that made the rule hold, and of how many days."""
    ordinals = track.ordinals
    match rule:
        case Streak():
            absences = [o for o, code in zip(ordinals, track.ruled, strict=True) if code == UNEXCUSED]
            return tuple(absences[-streak(track) :]), streak(track)
        case RateToDate():
            pairs = zip(ordinals, track.shown, strict=True)
            return tuple(o for o, code in pairs if code in (EXCUSED, UNEXCUSED)), len(ordinals)
        case Month():
            first, last, _ = month_range(rule, year)
            pairs = zip(ordinals, track.ruled, strict=True)
            dates = tuple(o for o, code in pairs if code == UNEXCUSED and first <= o <= last)
            return dates, len(dates)
        case Tardies(days=days):
            pairs = zip(ordinals[-days:], track.ruled[-days:], strict=True)
            return tuple(o for o, code in pairs if code == TARDY), min(days, len(ordinals))
        case Move(days=days):
            pairs = zip(ordinals[-days:], track.ruled[-days:], strict=True)
            return tuple(o for o, code in pairs if code == UNEXCUSED), min(days, len(ordinals))
    counting = [(o, code) for o, code in zip(ordinals, track.ruled, strict=True) if code not in _NEUTRAL][-SHORT:]
    return tuple(o for o, code in counting if code == UNEXCUSED), len(counting)


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f}%" if whole else "unknown"


def _spoken(ordinal: int) -> str:
    when = date.fromordinal(ordinal)
    return f"{when.day} {when:%b}"
