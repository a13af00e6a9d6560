"""When people work, and when they are not disturbed, by the clock on the wall: also on nights on which it changes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from services.platform.day_hours import DAY_MINUTES, DayHours

WEEK: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MOST_DAYS: Final = 3_660


def parse_days(given: str) -> frozenset[int]:
    """Weekdays, Monday is 0, of `mon-fri` or `mon,wed`; raises `ValueError`."""
    days: set[int] = set()
    for part in given.lower().replace(" ", "").split(","):
        first, _, last = part.partition("-")
        if first not in WEEK or (last and last not in WEEK):
            raise ValueError("not weekdays as mon-fri")
        at, end = WEEK.index(first), WEEK.index(last or first)
        days |= {(at + step) % 7 for step in range((end - at) % 7 + 1)}
    return frozenset(days)


def end_of_quiet(now: datetime, quiet: DayHours, zone: ZoneInfo) -> datetime | None:
    """When the quiet hours end in which `now` lies (UTC); None when it lies in none."""
    today = now.astimezone(zone).date()
    for day in (today - timedelta(days=1), today):
        begins = _moment(day, quiet.begins, zone)
        ends = _moment(day, quiet.ends if quiet.ends > quiet.begins else quiet.ends + DAY_MINUTES, zone)
        if begins <= now < ends:
            return ends
    return None


@dataclass(frozen=True, slots=True)
class WorkingTime:
    """When a team works."""

    hours: DayHours
    days: frozenset[int]
    zone: ZoneInfo

    @property
    def day_hours(self) -> float:
        """Hours of a working day."""
        return (self.hours.ends - self.hours.begins) / 60

    def after(self, start: datetime, hours: float) -> datetime:
        """The moment (UTC) at which so many working hours have passed since `start`."""
        left = timedelta(hours=hours)
        for begins, ends in self._spans(start):
            at = max(begins, start)
            if ends - at >= left:
                return at + left
            left -= max(ends - at, timedelta())
        raise ValueError("no working hours")

    def _spans(self, start: datetime) -> Iterator[tuple[datetime, datetime]]:
        first = start.astimezone(self.zone).date()
        for step in range(_MOST_DAYS):
            day = first + timedelta(days=step)
            if day.weekday() in self.days:
                ends = _moment(day, self.hours.ends, self.zone)
                if ends > start:
                    yield _moment(day, self.hours.begins, self.zone), ends


def _moment(day: date, minute: int, zone: ZoneInfo) -> datetime:
    """A minute of a day by the clock on the wall, as UTC; one that the clock leaves out is the moment it leaps over."""
    on, minute = day + timedelta(days=minute // DAY_MINUTES), minute % DAY_MINUTES
    return datetime.combine(on, time(minute // 60, minute % 60), zone).astimezone(UTC)
