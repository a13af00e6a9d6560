"""Which days a school's files close: a reported date is a closed one, and so is every school day before it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from models.school import is_school_day
from models.school_year import first_day, year_of


def school_year_start(day: date) -> date:
    """The 1 July on or before the day."""
    return date.fromordinal(first_day(year_of(day.toordinal())))


@dataclass(slots=True)
class SchoolReport:
    """One school's calendar and what it has reported."""

    calendar: Mapping[date, bool] = field(default_factory=dict)
    """Instructional or not; empty when the school has neither calendar nor sessions."""
    closed: set[date] = field(default_factory=set)
    seen: set[date] = field(default_factory=set)
    """Dates of rows that came, consented or not."""
    assumed: bool = False
    """Whether any of the calendar is assumed."""
    _years: tuple[Mapping[date, bool], set[int]] | None = None
    """The calendar, and the school years of which it has any day."""

    def raising(self, due: Iterable[date]) -> date | None:
        """The one of these days that raises alerts: the last school day, unless a later one is closed already."""
        days = [day for day in (*due, *self.closed) if self.is_instructional(day)]
        last = max(days, default=None)
        return None if last in self.closed else last

    def is_instructional(self, day: date) -> bool:
        """By the calendar of its school year; a school without one is open on weekdays."""
        return is_school_day(day.toordinal(), self.calendar.get(day), has_calendar=self._has_calendar(day))

    def assume(self, days: Iterable[date]) -> None:
        """Take these days for school days."""
        self.calendar = {**self.calendar, **dict.fromkeys(days, True)}
        self.assumed = True

    def due(self) -> list[date]:
        """The days that what was seen closes, and that are not closed yet, in order.

        Where there is no calendar only the days that were seen are known to be school days.
        """
        if not self.seen:
            return []
        first, last = school_year_start(min(self.seen)), max(self.seen)
        days = {day for day, instructional in self.calendar.items() if instructional and first <= day <= last}
        days |= {day for day in self.seen if not self._has_calendar(day) and self.is_instructional(day)}
        return sorted((days | {last}) - self.closed)

    def _has_calendar(self, day: date) -> bool:
        if self._years is None or self._years[0] is not self.calendar:
            self._years = self.calendar, {year_of(known.toordinal()) for known in self.calendar}
        return year_of(day.toordinal()) in self._years[1]


@dataclass(slots=True)
class Reporting:
    """What every school of an import has reported."""

    schools: dict[str, SchoolReport] = field(default_factory=dict)

    def school(self, school_id: str) -> SchoolReport:
        """The school's report, begun when it is new."""
        found = self.schools.get(school_id)
        return self.schools.setdefault(school_id, SchoolReport()) if found is None else found

    def see(self, rows: Iterable[tuple[str, date]]) -> None:
        """Note that rows of these schools and dates came."""
        for school_id, day in set(rows):
            self.school(school_id).seen.add(day)


@dataclass(frozen=True, slots=True)
class Enrolled:
    """One enrollment of a student, both ends inclusive."""

    school_id: str
    entry: date
    exit: date | None

    def holds(self, school_id: str, day: date) -> bool:
        """Whether the student is enrolled there on the day."""
        return self.school_id == school_id and self.entry <= day and (self.exit is None or day <= self.exit)
