"""An independent, slow and simple reading of the formats and the design: what a student's window must say.

Nothing here uses the product's code. It takes raw lists (rows, closes, calendar, spans, consent) and
counts; tests compare that with what the worker keeps.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from statistics import median
from typing import NamedTuple

BEFORE_ALL = datetime.min.replace(tzinfo=UTC)


class Row(NamedTuple):
    """A row of `attendance.csv`, or an Ed-Fi event: one student, school, date and section."""

    school: str
    day: date
    status: str
    excused: bool | None = None
    section: str | None = None
    recorded_at: datetime | None = None


class Stay(NamedTuple):
    """Days enrolled at a school, both ends inclusive."""

    school: str
    entry: date
    exit: date | None = None


@dataclass
class SchoolFacts:
    """What a school said: calendar (empty: none), closed dates, head counts (absent, reported, expected)."""

    calendar: dict[date, bool] = field(default_factory=dict)
    closed: set[date] = field(default_factory=set)
    counts: dict[date, tuple[int, int, int]] = field(default_factory=dict)

    def instructional(self, day: date) -> bool:
        """By the calendar of that school year; a school without one is open on weekdays."""
        if any(school_year(known) == school_year(day) for known in self.calendar):
            return self.calendar.get(day, False)
        return day.weekday() < 5

    def shock(self, day: date) -> bool:
        """Whether the school's absence rate of the day is far above its own trailing median."""
        if day not in self.counts or not self.instructional(day):
            return False
        rate, (absent, reported, expected) = share(self.counts[day]), self.counts[day]
        if rate is None or absent < 8 or max(reported, expected) < 20:
            return False
        before = [
            (known, share(counts))
            for known, counts in self.counts.items()
            if known < day and school_year(known) == school_year(day) and self.instructional(known)
        ]
        trailing = [known_rate for _, known_rate in sorted(before) if known_rate is not None][-20:]
        if len(trailing) < 5:
            return rate >= 0.4
        middle = median(trailing)
        spread = 1.4826 * median(abs(r - middle) for r in trailing)
        return rate >= middle + max(0.10, 4.0 * spread)


def share(counts: tuple[int, int, int]) -> float | None:
    """The share absent, or None when only absences were seen and the roll is not known to be larger."""
    absent, reported, expected = counts
    if max(reported, expected) == 0 or (absent == reported and absent > expected):
        return None
    return absent / max(reported, expected)


def school_year(day: date) -> int:
    """The year in which the school year (1 July to 30 June) of the day began."""
    return day.year if day.month >= 7 else day.year - 1


class Counted(NamedTuple):
    """One day that counts for the student."""

    day: date
    school: str
    status: str
    excused: bool
    shock: bool

    @property
    def absent(self) -> bool:
        """For any reason."""
        return self.status == "absent"

    @property
    def neutral(self) -> bool:
        """Neither for nor against, in all rules but the 10% and 20% ones."""
        return self.shock or (self.absent and self.excused)

    @property
    def bad(self) -> bool:
        """An absence that the other rules count."""
        return self.absent and not self.neutral


def merged(rows: Iterable[Row], school: str, day: date) -> tuple[str, bool] | None:
    """The one mark (status, excused) that a school's rows of a date make, or None without any."""
    sections: dict[str, list[Row]] = {}
    for row in rows:
        if row.school == school and row.day == day:
            sections.setdefault(row.section or "", []).append(row)
    marks = [_winner(of_section) for of_section in sections.values()]
    if not marks:
        return None
    absent = [mark for mark in marks if mark.status == "absent"]
    if absent and Fraction(len(absent), len(marks)) >= Fraction(1, 2):
        return "absent", all(mark.excused for mark in absent)
    others = {mark.status for mark in marks} - {"present"}
    if not others:
        return "present", False
    return (others.pop(), False) if len(others) == 1 and not absent else ("partial", False)


def _winner(rows: Sequence[Row]) -> Row:
    """The later recorded wins, one with a time beats one without; else the gravest, unexcused before excused."""
    gravity = ["present", "early_departure", "tardy", "partial", "absent"]

    def weight(row: Row) -> tuple[datetime, int, bool]:
        return row.recorded_at or BEFORE_ALL, gravity.index(row.status), not row.excused

    return max(rows, key=weight)


def school_of(stays: Iterable[Stay], day: date) -> str | None:
    """Where the student counts on a day: at the school entered later, when enrolled at two."""
    held = [stay for stay in stays if stay.entry <= day and (stay.exit is None or day <= stay.exit)]
    return max(held, key=lambda stay: (stay.entry, stay.exit or date.max, stay.school)).school if held else None


def counted_days(
    rows: Sequence[Row],
    stays: Sequence[Stay],
    consent: tuple[date, date | None],
    schools: Mapping[str, SchoolFacts],
) -> list[Counted]:
    """The days of the latest school year that count, in order."""
    known = [row.day for row in rows]
    known += [day for stay in stays if stay.school in schools for day in schools[stay.school].closed]
    if not known:
        return []
    year = school_year(max(known))
    result = []
    day = max(date(year, 7, 1), consent[0])
    while day <= min(date(year + 1, 6, 30), consent[1] or date.max):
        school = school_of(stays, day)
        if school is not None and school in schools and schools[school].instructional(day):
            mark = merged(rows, school, day)
            if mark is None and day in schools[school].closed:
                mark = "present", False
            if mark is not None:
                result.append(Counted(day, school, *mark, schools[school].shock(day)))
        day += timedelta(days=1)
    return result


def figures(days: Sequence[Counted]) -> dict[str, int | float | None]:
    """The figures of a row of the replay document that do not name the student."""
    absent = [day.absent for day in days]
    current = longest = 0
    for away in absent:
        current = current + 1 if away else 0
        longest = max(longest, current)
    return {
        "enrolled_days": len(days),
        "absent_days": sum(absent),
        "absence_rate": sum(absent) / len(days) if days else None,
        "excused_days": sum(day.absent and day.excused for day in days),
        "tardy_days": sum(day.status == "tardy" for day in days),
        "current_streak": current,
        "longest_streak": longest,
        **{f"absences_{n}": sum(absent[-n:]) for n in (5, 10, 20, 45)},
    }


def rules_holding(days: Sequence[Counted]) -> dict[str, int]:
    """The rules of the design that hold on the last of these days, each with its level (1 watch to 3 urgent)."""
    holding: dict[str, int] = {}
    last, bad = days[-1], [day for day in days if day.bad]
    counting = [day for day in days if not day.neutral]
    if last.bad or last.neutral:
        for length, level in ((3, 1), (5, 2), (10, 3)):
            if len(counting) >= length and all(day.bad for day in counting[-length:]):
                holding[f"streak_{length}"] = level
    for percent, level in ((10, 1), (20, 2)):
        if _rate_holds(days, Fraction(percent, 100)):
            holding[f"rate_{percent}"] = level
    short, usual = counting[-10:], counting[-45:]
    if len(short) >= 5 and _bad_rate(short) - _bad_rate(usual) >= Fraction(30, 100):
        holding["change_30"] = 2
    if last.day.month in (7, 8, 9, 10) and sum(day.day.month == 9 for day in bad) >= 4:
        holding["september_4"] = 1
    if sum(day.status == "tardy" and not day.shock for day in days[-10:]) >= 5:
        holding["tardy_5"] = 1
    if len({day.school for day in days}) > 1 and sum(day.bad for day in days[-10:]) >= 2:
        holding["move_2"] = 2
    return holding


def _bad_rate(days: Sequence[Counted]) -> Fraction:
    return Fraction(sum(day.bad for day in days), len(days))


def _rate_holds(days: Sequence[Counted], line: Fraction) -> bool:
    """Any reason counts; but absences on shock days alone, with no ordinary one since, lift nobody over the line."""
    if len(days) < 10 or Fraction(sum(day.absent for day in days), len(days)) < line:
        return False
    judged, ordinary_since = [], False
    for day in reversed(days):
        ordinary_since = ordinary_since or (day.absent and not day.shock)
        if ordinary_since or not (day.absent and day.shock):
            judged.append(day)
    return bool(judged) and Fraction(sum(day.absent for day in judged), len(judged)) >= line


def standing_levels(days: Sequence[Counted], decided: Iterable[date]) -> list[int]:
    """The level that stands after each day: up at once (not on a shock day), down after three quieter days.

    Levels are decided on the days of `decided` alone (the others lie inside an imported history).
    """
    level, quieter, result, steps = 0, [], [], set(decided)
    for number, day in enumerate(days, start=1):
        if day.day in steps:
            today = max(rules_holding(days[:number]).values(), default=0)
            if today < level:
                quieter.append(today)
            else:
                quieter = []
                level = level if day.shock else today
            if len(quieter) == 3:
                level, quieter = max(quieter), []
        result.append(level)
    return result


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
