"""The school year that a window keeps: 1 July to 30 June."""

from __future__ import annotations

from datetime import MAXYEAR, MINYEAR, date
from functools import lru_cache

FIRST_MONTH = 7


@lru_cache(maxsize=4096)
def year_of(day: int) -> int:
    """The calendar year in which the school year of this day began."""
    when = date.fromordinal(day)
    return when.year if when.month >= FIRST_MONTH else when.year - 1


def first_day(year: int) -> int:
    """1 July of the year, as an ordinal; the first date there is when there is no such year."""
    return date(year, FIRST_MONTH, 1).toordinal() if year >= MINYEAR else date.min.toordinal()


def last_day(year: int) -> int:
    """30 June of the year after, as an ordinal; the last date there is when there is no such year."""
    return first_day(year + 1) - 1 if year < MAXYEAR else date.max.toordinal()
