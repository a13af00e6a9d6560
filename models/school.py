"""What is known of one school's days: calendar, closes, head counts, shock days."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from datetime import date

from models.school_year import first_day, year_of
from models.shock import HeadCount, ShockRule, is_shock

SATURDAY = 5


class School:
    """One school's days. Changing methods say what a student's track must look at again."""

    __slots__ = (
        "_calendar_years",
        "_rated",
        "_rates",
        "calendar",
        "closed",
        "counted",
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
        self.counted: list[int] = []
        """Closed instructional days, ascending."""
        self.shocks: set[int] = set()
        self.history_through = 0
        """The last day closed as history: a mark up to it raises nothing by itself."""
        self._calendar_years: set[int] = set()
        self._rates: dict[int, float] = {}
        self._rated: list[int] = []
        """The days of `_rates`, ascending."""

    def is_instructional(self, day: int) -> bool:
        """By the calendar; a school without one is open on the weekdays that it reports."""
        if year_of(day) in self._calendar_years:
            return self.calendar.get(day, False)
        return date.fromordinal(day).weekday() < SATURDAY

    def is_step(self, day: int) -> bool:
        """Whether the close of this day raises alerts (a day inside an imported history does not)."""
        return not self.closed.get(day, True)

    def last_reported(self) -> int | None:
        """The last closed day, or None when the school has reported nothing: no data."""
        return max(self.closed, default=None)

    def counted_between(self, first: int, last: int) -> list[int]:
        """Closed instructional days from first through last."""
        return self.counted[bisect_left(self.counted, first) : bisect_right(self.counted, last)]

    def set_calendar(self, day: int, rule: ShockRule, *, instructional: bool) -> bool:
        """Take a calendar row; True when students' tracks must be made anew."""
        if self.calendar.get(day) == instructional:
            return False
        first_of_year = year_of(day) not in self._calendar_years
        before = self.is_instructional(day)
        self.calendar[day] = instructional
        self._calendar_years.add(year_of(day))
        if not first_of_year and before == instructional:
            return False
        self.counted = sorted(d for d in self.closed if self.is_instructional(d))
        self.shocks = {d for d in self.counts if self._shock(d, rule)}
        return True

    def close(self, day: int, *, history: bool) -> bool:
        """Take a close; True when it changed something. A close that raised alerts stays one."""
        old = self.closed.get(day)
        if old is not None and (history or not old):
            return False
        self.closed[day] = history
        if history:
            self.history_through = max(self.history_through, day)
        if old is None and self.is_instructional(day):
            insort(self.counted, day)
        return True

    def set_counts(self, day: int, counts: HeadCount, rule: ShockRule) -> set[int]:
        """Take head counts; returns the days that became, or ceased to be, shock days."""
        if self.counts.get(day) == counts:
            return set()
        self.counts[day] = counts
        rate = counts.rate()
        if day in self._rates:
            del self._rated[bisect_left(self._rated, day)], self._rates[day]
        if rate is not None:
            insort(self._rated, day)
            self._rates[day] = rate
        later = [d for d in self.counts if d >= day]
        old = {d for d in later if d in self.shocks}
        new = {d for d in later if self._shock(d, rule)}
        self.shocks = (self.shocks - old) | new
        return old ^ new

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
