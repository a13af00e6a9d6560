"""Small random districts with all that makes real ones hard."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import NamedTuple

from models.enrollment import FOREVER, Span
from services.contracts.marks import AttendanceStatus
from tests.unit.models.backtest.districts import BEFORE, FIRST, MONDAY, OTHERS, Child, District, Row


def make_district(seed: int) -> District:
    """Ten to fourteen weeks of two or three schools, with about twenty-five children."""
    random = Random(seed)
    days = range(FIRST, FIRST + 7 * random.randint(10, 14))
    schools = ["A", "B", "C"][: random.randint(2, 3)]
    district = District({school: _calendar(random, days) if school != "C" else {} for school in schools})
    for number in range(random.randint(18, 32)):
        household = f"h{random.randint(0, 12)}" if random.random() < 0.7 else None
        spans, runs = _spans(random, schools, days), _runs(random, days)
        district.children.append(Child(f"s{number:02}", household, spans, runs))
    for school in schools:
        report = _Report(random, school, days)
        for row in _rows_of_school(random, district, school, days):
            kept = report.told(row)
            if kept is not None:
                district.rows[kept.handed_in].append(kept)
    for rows in district.rows.values():
        random.shuffle(rows)
    return district


def _calendar(random: Random, days: range) -> dict[int, bool]:
    week_off = random.choice([day for day in days if day % 7 == MONDAY])
    open_ = {day: day % 7 not in (6, 0) and not week_off <= day < week_off + 7 for day in days}
    return {day: open_[day] and random.random() > 0.03 for day in days if open_[day] or random.random() < 0.5}


def _spans(random: Random, schools: list[str], days: range) -> tuple[Span, ...]:
    here, there = random.sample(schools, 2)
    entry, moved = FIRST - random.choice([0, 0, 300]), random.choice(days[10:])
    until = moved + random.randint(3, 30)
    return tuple(
        random.choice(
            [
                *[[Span(entry, FOREVER, here)]] * 6,
                [Span(entry, moved - 1, here), Span(moved, FOREVER, there)],
                [Span(entry, FOREVER, here), Span(moved, until, there)],
                [Span(entry, moved, here), Span(until, FOREVER, there)],
                [Span(moved, FOREVER, here)],
                [Span(entry, moved, here)],
            ]
        )
    )


def _runs(random: Random, days: range) -> tuple[tuple[int, int], ...]:
    first, last = sorted(random.sample(days[5:-5], 2))
    return tuple(
        random.choice(
            [
                *[[(BEFORE, FOREVER)]] * 6,
                [(first, FOREVER)],
                [(BEFORE, last)],
                [(first, last)],
                [(BEFORE, first - 1), (last, FOREVER)],
            ]
        )
    )


class _Manner(NamedTuple):
    """How likely a child is absent without and with an excuse, late, and gone early; all from a day on."""

    unexcused: float
    excused: float
    late: float
    left: float
    since: int
    then: float
    """Absent without an excuse from `since` on."""


def _manner(random: Random, days: range) -> _Manner:
    then = random.choice([0.02, 0.1, 0.5, 0.9])
    return _Manner(
        random.choice([0.0, 0.02, 0.1, 0.3]), 0.04, random.choice([0.0, 0.1, 0.3]), 0.03, random.choice(days), then
    )


def _rows_of_school(random: Random, district: District, school: str, days: range) -> Iterator[Row]:
    """Every mark that the school makes, as if at once; corrections are recorded days later."""
    open_ = [day for day in days if district.calendar[school].get(day, day % 7 not in (6, 0))]
    snow, flu = random.choice(open_), set(random.sample(open_, 3))
    others = Child("", None, (Span(BEFORE, FOREVER, school),), ())
    pupils = [others._replace(name=f"{school}{number}") for number in range(OTHERS)]
    for child in [*district.children, *pupils]:
        manner, sections = _manner(random, days), random.choice([0, 0, 0, 3])
        if not child.runs:
            manner = manner._replace(unexcused=0.05, then=0.05)
        for day in open_:
            if child.school_on(day) != school and not (_was_at(child, school, day) and random.random() < 0.1):
                continue
            bad = 0.85 if day == snow else 0.45 if day in flu else 0.0
            yield from _rows_of_day(random, Row(child.name, school, day, "present"), manner, sections, bad)


def _was_at(child: Child, school: str, day: int) -> bool:
    return any(span.school == school and span.entry <= day <= span.exit + 5 for span in child.spans)


def _rows_of_day(random: Random, row: Row, manner: _Manner, sections: int, bad: float) -> Iterator[Row]:
    at = datetime.combine(date.fromordinal(row.day), time(14), UTC)
    if random.random() < 0.02:
        return
    names = [f"p{number}" for number in range(sections)] if sections else [None]
    for name in names:
        status, excused = _status(random, row.day, manner, bad)
        moment = random.choice([None, at + timedelta(minutes=random.randint(0, 300))])
        yield row._replace(status=status, excused=excused, section=name, recorded_at=moment)
        if random.random() < 0.03:
            later = at + timedelta(days=random.choice([0, 1, 1, 2, 5, 12]), minutes=random.randint(0, 500))
            status, excused = _status(random, row.day, manner._replace(unexcused=0.3, then=0.3), 0.0)
            yield row._replace(status=status, excused=excused, section=name, recorded_at=later)


def _status(random: Random, day: int, manner: _Manner, bad: float) -> tuple[AttendanceStatus, bool | None]:
    drawn = random.random()
    unexcused = max(bad, manner.then if day >= manner.since else manner.unexcused)
    if drawn < unexcused:
        return "absent", random.choice([None, False])
    if drawn < unexcused + manner.excused:
        return "absent", True
    if random.random() < manner.late:
        return "tardy", None
    if random.random() < manner.left:
        return random.choice(["early_departure", "partial"]), None
    return "present", None


class _Report:
    """How a school reports: whole, or absences alone; on the day, or a week's days together, or some of them late."""

    def __init__(self, random: Random, school: str, days: range) -> None:
        self._random = random
        self._absences_only = school == "B" and random.random() < 0.6
        mondays = [day for day in days if day % 7 == MONDAY]
        self._late = {monday: random.choice([4, 7, 9]) for monday in mondays if random.random() < 0.15}
        self._halves = set(random.sample(list(days), 6))

    def told(self, row: Row) -> Row | None:
        """The row as it is handed in; None when it is not."""
        if self._absences_only and row.status == "present" and row.recorded_at is None:
            return None
        monday = row.day - (row.day - 1) % 7
        at = row.recorded_at
        if monday in self._late:
            due = datetime.combine(date.fromordinal(monday + self._late[monday]), time(9), UTC)
            return row._replace(recorded_at=due if at is None else max(due, at))
        if row.day in self._halves and self._random.random() < 0.4:
            due = datetime.combine(date.fromordinal(row.day + self._random.randint(1, 3)), time(9), UTC)
            return row._replace(recorded_at=due if at is None else max(due, at))
        return row
