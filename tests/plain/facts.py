"""What was handed in: marks, enrollments, consents, calendars, closes, head counts, thresholds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from statistics import median
from typing import NamedTuple

from models.artifact import Artifact
from models.policy import Policy
from models.shock import MAD_TO_SIGMA, ShockRule

NO_YEAR = 1
SATURDAY = 5


class Row(NamedTuple):
    """What a school said of a student, on one date and in one section (none: the whole day)."""

    school: str
    day: date
    status: str
    """One of the formats' five, or `retracted`: takes back what was said."""
    excused: bool | None = None
    section: str | None = None
    recorded_at: datetime | None = None
    as_of: datetime | None = None
    """The moment of a row that gave none (when its import began)."""
    live: bool = True
    """Not inside an imported history: levels are decided on its day."""


class Stay(NamedTuple):
    """Days enrolled at a school, both ends inclusive."""

    school: str
    entry: date
    exit: date | None = None
    track: str | None = None
    """Whose calendar holds: one of the school's tracks; none: the school's own."""
    shared: bool = True
    """Else nothing is known of the school: its days count nowhere, end streaks and alerts, and are at a school of
    their own."""


@dataclass
class SchoolFacts:
    """What a school said of its days."""

    calendar: dict[date, bool] = field(default_factory=dict)
    tracks: dict[str, dict[date, bool]] = field(default_factory=dict)
    """Calendars that hold for some enrollments only, by name."""
    assumed: bool = False
    """The calendar is a guess: rules of rates and the model are silent."""
    closed: set[date] = field(default_factory=set)
    history: set[date] = field(default_factory=set)
    """Those of the closed days that were closed as part of an imported history only."""
    counts: dict[date, tuple[int, int, int]] = field(default_factory=dict)
    """Absent, reported, expected."""

    def close(self, day: date, *, history: bool = False) -> None:
        """A close that raised alerts stays one."""
        if not history:
            self.history.discard(day)
        elif day not in self.closed:
            self.history.add(day)
        self.closed.add(day)

    def instructional(self, day: date, track: str | None = None) -> bool:
        """By the calendar of that school year; a school without one is open on weekdays."""
        for calendar in (self.tracks.get(track or "", {}), self.calendar):
            if any(school_year(known) == school_year(day) for known in calendar):
                return calendar.get(day, False)
        return day.weekday() < SATURDAY

    def shock(self, day: date, rule: ShockRule) -> bool:
        """Whether the school's absence rate of the day is far above its own trailing median."""
        if day not in self.counts or not self.instructional(day):
            return False
        rate, (absent, reported, expected) = share(self.counts[day]), self.counts[day]
        if rate is None or absent < rule.min_absent or max(reported, expected) < rule.min_students:
            return False
        trailing = self._rates_before(day)[-rule.trailing_days :]
        if len(trailing) < rule.min_trailing_days:
            return rate >= rule.alone
        middle = median(trailing)
        spread = MAD_TO_SIGMA * median(abs(r - middle) for r in trailing)
        return rate >= middle + max(rule.floor, rule.mads * spread)

    def _rates_before(self, day: date) -> list[float]:
        known = [d for d in sorted(self.counts) if d < day and school_year(d) == school_year(day)]
        rates = [share(self.counts[d]) for d in known if self.instructional(d)]
        return [rate for rate in rates if rate is not None]


@dataclass
class Child:
    """What is known of one student."""

    rows: list[Row] = field(default_factory=list)
    stays: list[Stay] = field(default_factory=list)
    consent: tuple[date, date | None] | None = None
    """First and last day in force; None without one: then there is no window."""
    household: str | None = None
    year: int = NO_YEAR
    """The calendar year in which the school year began that the window is of."""


@dataclass
class Facts:
    """Everything, and what it is judged by."""

    policy: Policy
    schools: Mapping[str, SchoolFacts]
    children: Mapping[str, Child]
    artifact: Artifact | None = None
    thresholds: Mapping[date, float | None] | None = None
    """Log-odds by the Monday from which each holds, None for a week without places; no mapping without a capacity."""


def share(counts: tuple[int, int, int]) -> float | None:
    """The share absent, or None when only absences were seen and the roll is not known to be larger."""
    absent, reported, expected = counts
    if max(reported, expected) == 0 or (absent == reported and absent > expected):
        return None
    return absent / max(reported, expected)


def school_year(day: date) -> int:
    """The year in which the school year (1 July to 30 June) of the day began."""
    return day.year if day.month >= 7 else day.year - 1


def file_closes(rows: Iterable[Row], schools: Mapping[str, SchoolFacts]) -> None:
    """In a file a reported date is a closed one, and so is every school day before it (absence-only files).

    Fills `closed` of each school: its instructional days up to the last date on which it reported
    anything; of a school without a calendar, the weekdays on which it reported anything.
    """
    for row in rows:
        schools[row.school].closed.add(row.day)
    for facts in schools.values():
        if facts.closed:
            last = max(facts.closed)
            facts.closed |= {day for day, instructional in facts.calendar.items() if instructional and day <= last}
