"""School days of a school that gave neither calendar nor sessions: its weekdays, by what it reported. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date

from models.school import SATURDAY
from models.school_year import year_of
from services.ingest.formats.calendar import instructional_weekdays


def assumed_days(reported: Iterable[date], calendar_years: Iterable[int]) -> list[date]:
    """The weekdays from the first to the last reported day of each school year without a calendar.

    The country's holidays are left out, unless the school reported on one.
    """
    by_year: defaultdict[int, set[date]] = defaultdict(set)
    for day in reported:
        by_year[year_of(day.toordinal())].add(day)
    found: set[date] = set()
    for year in by_year.keys() - set(calendar_years):
        days = by_year[year]
        found.update(instructional_weekdays(min(days), max(days)))
        found.update(day for day in days if day.weekday() < SATURDAY)
    return sorted(found)
