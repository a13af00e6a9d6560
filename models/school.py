"""What is known of one school's days: calendar, closes, head counts, shock days."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from models.school_year import first_day, year_of
from models.shock import HeadCount, ShockRule, is_shock

SATURDAY = 5


def is_school_day(day: int, known: bool | None, *, has_calendar: bool) -> bool:
    """The one definition: by the calendar of the day's school year; a school without one is open on weekdays.

    `known` is what the calendar says of the day, `has_calendar` whether it has any row of that school year.
    """
    return bool(known) if has_calendar else date.fromordinal(day).weekday() < SATURDAY


class School:
    """One school's days. Shock days are found when they are asked for: counts may come often, and in any order."""

    __slots__ = (
        "_calendar_years",
        "_rated",
        "_rates",
        "_stale",
        "assumed",
        "calendar",
        "calendars",
        "closed",
        "counts",
        "history_through",
        "shocks",
    )

    def __init__(self) -> None:
        self.calendar: dict[int, bool] = {}
        """Instructional or not, as the school's calendar says."""
        self.closed: dict[int, bool] = {}
        """Reported days; the value says whether the close belongs to an imported history."""
        self.counts: dict[int, HeadCount] = {}
        self.shocks: set[int] = set()
        """As last found by `find_shocks`."""
        self.history_through = 0
        """The last day closed as history: a mark up to it raises nothing by itself."""
        self.calendars: dict[str, dict[int, bool]] = {}
        """Calendars of some students only, by name."""
        self.assumed = False
        """Whether the calendar is assumed: nothing that needs one is said."""
        self._calendar_years: set[int] = set()
        self._rates: dict[int, float] = {}
        self._rated: list[int] = []
        """The days of `_rates`, ascending."""
        self._stale: dict[int, int] = {}
        """By school year: the first day whose shock test may say otherwise."""

    def is_instructional(self, day: int, calendar: str = "") -> bool:
        """By the calendar; a school without one in the day's school year is open on weekdays.

        `calendar` names one of some students, which holds for a school year of which it has any day.
        """
        own = self.calendars.get(calendar, {})
        if own and any(year_of(known) == year_of(day) for known in own):
            return own.get(day, False)
        return is_school_day(day, self.calendar.get(day), has_calendar=year_of(day) in self._calendar_years)

    def last_reported(self) -> int | None:
        """The last closed day, or None when the school has reported nothing: no data."""
        return max(self.closed, default=None)

    def days(self) -> set[int]:
        """Every day of which anything was said."""
        own = (day for calendar in self.calendars.values() for day in calendar)
        return {*self.calendar, *self.closed, *self.counts, *own}

    def set_calendar(self, day: int, *, instructional: bool) -> int | None:
        """Take a calendar row; the school year of which other days changed too, the day's own alone (0), or None."""
        if self.calendar.get(day) == instructional:
            return None
        year = year_of(day)
        first_of_year = year not in self._calendar_years
        before = self.is_instructional(day)
        self.calendar[day] = instructional
        self._calendar_years.add(year)
        if not first_of_year and before == instructional:
            return None
        self._look_again(first_day(year) if first_of_year else day)
        return year if first_of_year else 0

    def set_calendar_of(self, calendar: str, day: int, *, instructional: bool) -> int | None:
        """Take a row of a calendar of some students; answers as `set_calendar`."""
        own = self.calendars.setdefault(calendar, {})
        if own.get(day) == instructional:
            return None
        year, first_of_year = year_of(day), not any(year_of(known) == year_of(day) for known in own)
        own[day] = instructional
        return year if first_of_year else 0

    def close(self, day: int, *, history: bool) -> bool:
        """Take a close; True when it changed something. A close that raised alerts stays one."""
        old = self.closed.get(day)
        if old is not None and (history or not old):
            return False
        self.closed[day] = history
        if history:
            self.history_through = max(self.history_through, day)
        return True

    def set_counts(self, day: int, counts: HeadCount) -> bool:
        """Take head counts; True when they say something new."""
        if self.counts.get(day) == counts:
            return False
        self.counts[day] = counts
        rate = counts.rate()
        if day in self._rates:
            del self._rated[bisect_left(self._rated, day)], self._rates[day]
        if rate is not None:
            insort(self._rated, day)
            self._rates[day] = rate
        self._look_again(day)
        return True

    def find_shocks(self, rule: ShockRule) -> set[int]:
        """Find the shock days anew where something was said; the days that became, or ceased to be, one."""
        turned: set[int] = set()
        for year, first in self._stale.items():
            later = {day for day in self.counts if day >= first and year_of(day) == year}
            turned |= (self.shocks & later) ^ {day for day in later if self._shock(day, rule)}
        self._stale.clear()
        self.shocks ^= turned
        return turned

    def _look_again(self, day: int) -> None:
        year = year_of(day)
        self._stale[year] = min(day, self._stale.get(year, day))

    def _shock(self, day: int, rule: ShockRule) -> bool:
        if not self.is_instructional(day):
            return False
        return is_shock(self.counts[day], self._trailing(day, rule.trailing_days), rule)

    def _trailing(self, day: int, most: int) -> list[float]:
        """The absence rates of the last instructional days before this one, of the same school year, in order."""
        first, found = first_day(year_of(day)), list[float]()
        for place in range(bisect_left(self._rated, day) - 1, -1, -1):
            before = self._rated[place]
            if before < first or len(found) == most:
                break
            if self.is_instructional(before):
                found.append(self._rates[before])
        return found[::-1]


class SaidDay(NamedTuple):
    """What a school has said of one of its days."""

    school_id: str
    date: date
    instructional: bool | None
    """None: its calendar does not name the day."""
    reported: bool = False
    assumed: bool = False
    """Whether the calendar is assumed."""
    calendar: str = ""
    """The calendar of some students that says so; empty: the school's."""


def schools_of(days: Iterable[SaidDay]) -> dict[str, School]:
    """The schools by all that they have said."""
    found: defaultdict[str, School] = defaultdict(School)
    for said in days:
        school, day = found[said.school_id], said.date.toordinal()
        school.assumed |= said.assumed
        if said.instructional is not None and said.calendar:
            school.set_calendar_of(said.calendar, day, instructional=said.instructional)
        elif said.instructional is not None:
            school.set_calendar(day, instructional=said.instructional)
        if said.reported:
            school.close(day, history=False)
    return dict(found)
