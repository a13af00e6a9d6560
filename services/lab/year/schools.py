"""What schools' days come to over all students: head counts, how many are enrolled, and which days are closed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from models.arrays import Flags, Ints
from models.attendance import EXCUSED, UNEXCUSED
from models.backtest.history import Calendar, Closes, Counts
from models.enrollment import FOREVER
from models.school_year import year_of
from services.ingest.classification.classify import SLACK
from services.ingest.reporting.assumed import assumed_days
from services.ingest.reporting.schools import SchoolReport
from services.ingest.rows.parse import SchoolDayRow
from services.lab.year.attendance import AttendanceRows, Positions

Keys = npt.NDArray[np.int64]

_DAYS: Final = FOREVER + 2
_NEVER: Final = np.iinfo(np.int32).max


class EnrolledCounts:
    """How many students are enrolled at a school on a day, by every span of the files, consented or not."""

    def __init__(self, school: Ints, entry: Ints, exit_: Ints) -> None:
        begins = school.astype(np.int64) * _DAYS + entry
        ends = school.astype(np.int64) * _DAYS + np.minimum(exit_, FOREVER) + 1
        self._begins, self._ends = np.sort(begins), np.sort(ends)

    def on(self, school: Ints, day: Ints) -> Ints:
        """The numbers for these schools and days."""
        first = school.astype(np.int64) * _DAYS
        return (_between(self._begins, first, first + day) - _between(self._ends, first, first + day)).astype(np.int32)


def _between(values: Keys, low: Keys, high: Keys) -> Positions:
    return np.searchsorted(values, high, "right") - np.searchsorted(values, low, "left")


def head_counts(rows: AttendanceRows, many: Flags, enrolled: EnrolledCounts) -> Counts:
    """The counts, by day of becoming known, school and day; `many` as `marks.several` says."""
    school, day, seen, absent = _heads(rows, many)
    said = absent != _NEVER
    base = int(day.min())
    width = int(rows.handed_in.max()) - base + 1

    def key(known_on: Ints) -> Keys:
        key: Keys = (school * np.int64(width) + (day - base)) * width + (known_on - base)
        return key

    seen_keys, seen_more = np.unique(key(seen), return_counts=True)
    absent_keys, absent_more = np.unique(key(absent)[said], return_counts=True)
    keys = np.union1d(seen_keys, absent_keys)
    pairs, known_on = np.divmod(keys, width)
    schools, days = np.divmod(pairs, width)
    seen_so_far, absent_so_far = (
        _added_up(pairs, np.searchsorted(keys, some), more)
        for some, more in ((seen_keys, seen_more), (absent_keys, absent_more))
    )
    order = np.lexsort((days, schools, known_on))
    columns = (known_on + base, schools, days + base, absent_so_far, seen_so_far)
    known_on_, school_, day_, absent_, seen_ = (column[order].astype(np.int32) for column in columns)
    return Counts(known_on_, school_, day_, absent_, seen_, enrolled.on(school_, day_))


def _heads(rows: AttendanceRows, many: Flags) -> tuple[Ints, Ints, Ints, Ints]:
    """Each student of a school's day once: school, day, and the days of the first row and of the first absence."""
    absent = (rows.code == EXCUSED) | (rows.code == UNEXCUSED)
    each = (rows.school, rows.day, rows.handed_in, np.where(absent, rows.handed_in, _NEVER))
    names = ("school", "day", "seen", "absent")
    first = (
        pl.DataFrame({name: column[many] for name, column in zip(names, each, strict=True)})
        .with_columns(student=pl.Series(rows.student[many]))
        .group_by("student", "school", "day")
        .agg(pl.col("seen", "absent").min())
    )
    alone = ~many
    school, day, seen, gone = (
        np.append(column[alone], first[name].to_numpy()) for name, column in zip(names, each, strict=True)
    )
    return school, day, seen, gone


def _added_up(pairs: Keys, places: Positions, more: Positions) -> Positions:
    """Running totals within each school and day; `more` comes at these places."""
    change = np.zeros(len(pairs), np.intp)
    change[places] = more
    total = np.cumsum(change)
    starts = np.append(True, pairs[1:] != pairs[:-1])
    earlier = (total - change)[starts]
    since: Positions = total - earlier[np.cumsum(starts) - 1]
    return since


class YearDays:
    """The schools' calendars, as they stand once the files have been taken on the history's first day."""

    def __init__(self, rows: Iterable[SchoolDayRow], first: date) -> None:
        """A row that says that a future day is closed is refused as a whole."""
        self._first = first
        self._calendars: defaultdict[str, dict[date, bool]] = defaultdict(dict)
        self._closed: defaultdict[str, set[date]] = defaultdict(set)
        self._followed: dict[tuple[str, str, date], bool] = {}
        for row in rows:
            if row.reported and row.date > first + SLACK:
                continue
            if row.calendar is not None:
                if row.instructional is not None:
                    self._followed[row.school_id, row.calendar, row.date] = row.instructional
                continue
            if row.instructional is not None:
                self._calendars[row.school_id][row.date] = row.instructional
            if row.reported:
                self._closed[row.school_id].add(row.date)

    def assume(self, reported: Mapping[str, set[date]]) -> list[str]:
        """Take weekdays for school days where a school gave neither calendar nor sessions; which schools those are."""
        assumed = []
        for school, seen in sorted(reported.items()):
            years = {year_of(day.toordinal()) for day in self._calendars.get(school, ())}
            days = assumed_days(seen, years)
            if days:
                self._calendars[school].update(dict.fromkeys(days, True))
                assumed.append(school)
        return assumed

    def followed(self, schools: Mapping[str, int]) -> tuple[tuple[int, str, int, bool], ...]:
        """Days of calendars that only some students follow."""
        return tuple(
            (schools[school], calendar, day.toordinal(), instructional)
            for (school, calendar, day), instructional in self._followed.items()
        )

    def schools(self) -> set[str]:
        """The schools of which anything is known."""
        return self._calendars.keys() | self._closed.keys()

    def calendar(self, schools: Mapping[str, int]) -> Calendar:
        """The calendars' rows, by school and day."""
        found = sorted(
            (schools[school], day.toordinal(), instructional)
            for school, days in self._calendars.items()
            for day, instructional in days.items()
        )
        school, day, instructional = np.array(found, np.int32).reshape(-1, 3).T.copy()
        return Calendar(school, day, instructional.astype(np.bool_))

    def closes(self, counts: Counts, schools: Mapping[str, int], enrolled: EnrolledCounts) -> Closes:
        """What each day's handing in closes, by that day, school and day: what ingest's own report says is due."""
        given = [
            (self._first.toordinal(), schools[school], day.toordinal())
            for school, days in self._closed.items()
            for day in days
        ]
        names = {place: school for school, place in schools.items()}
        reports: dict[int, SchoolReport] = {}
        for (known_on, school), days in _first_seen(counts).items():
            name = names[school]
            report = reports.setdefault(
                school, SchoolReport(self._calendars.get(name, {}), set(self._closed.get(name, ())))
            )
            report.seen.update(map(date.fromordinal, days))
            due = report.due()
            report.closed.update(due)
            given += [(known_on, school, day.toordinal()) for day in due]
        known_on_, school_, day_ = np.array(sorted(given), np.int32).reshape(-1, 3).T.copy()
        return Closes(known_on_, school_, day_, enrolled.on(school_, day_))


def _first_seen(counts: Counts) -> dict[tuple[int, int], list[int]]:
    """The days of which a school handed in its first row, by day of handing in and school, in order."""
    found: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
    met: set[tuple[int, int]] = set()
    for known_on, school, day in zip(
        *(one.tolist() for one in (counts.known_on, counts.school, counts.day)), strict=True
    ):
        if (school, day) not in met:
            met.add((school, day))
            found[known_on, school].append(day)
    return found
