"""Which school days count for a student, and which of them were absences: by the engine's own definitions.

The engine keeps them in columns, for many students and every day; here it is one student's year up to a day. A test
holds that both come to the same.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from models.attendance import EXCUSED, NOTHING, RETRACTED, UNEXCUSED
from models.engagement.facts import SchoolAttendance
from models.enrollment import Segment
from models.school import School

SchoolDay = tuple[str, date]


class ReportedDays:
    """The instructional days that schools have reported, from one day to another, both inclusive."""

    def __init__(self, schools: Mapping[str, School], first: date, last: date) -> None:
        self._schools = schools
        self._first, self._last = first.toordinal(), last.toordinal()
        self._closed: dict[tuple[str, str], tuple[date, ...]] = {}

    def between(self, part: Segment) -> tuple[date, ...]:
        """Those of a segment, by the calendar that the student follows there; none where nothing is shared."""
        days = self._of(part.school, part.calendar)
        first, last = date.fromordinal(part.first), date.fromordinal(part.last)
        return days[bisect_left(days, first) : bisect_right(days, last)]

    def is_school_day(self, part: Segment, day: date) -> bool:
        """Whether the day of a segment is instructional, reported or not."""
        school, ordinal = self._schools.get(part.school), day.toordinal()
        within = max(part.first, self._first) <= ordinal <= min(part.last, self._last)
        return school is not None and within and school.is_instructional(ordinal, part.calendar)

    def has_calendar(self, part: Segment) -> bool:
        """Whether the school's calendar is more than assumed."""
        school = self._schools.get(part.school)
        return school is None or not school.assumed

    def _of(self, school_id: str, calendar: str) -> tuple[date, ...]:
        key = school_id, calendar
        if key not in self._closed:
            school = self._schools.get(school_id)
            closed = () if school is None else sorted(school.closed)
            self._closed[key] = tuple(
                date.fromordinal(day)
                for day in closed
                if school is not None and self._first <= day <= self._last and school.is_instructional(day, calendar)
            )
        return self._closed[key]


def attendance_of(parts: Sequence[Segment], marks: Mapping[SchoolDay, int], reported: ReportedDays) -> SchoolAttendance:
    """What a student's marks of school days (`models.attendance.day_code`) come to in disjoint segments.

    A mark of the student's own counts at once; a day without one once the school has reported it. Marks that say
    `PRESENT` of a reported day may be left out.
    """
    by_part = [(part, [*reported.between(part), *_own(part, marks, reported)]) for part in parts]
    counted = [(part, days) for part, days in by_part if days]
    absent = (day for part, days in counted for day in days if marks.get((part.school, day)) in (EXCUSED, UNEXCUSED))
    last = max(counted, key=lambda each: max(each[1]), default=None)
    return SchoolAttendance(
        tuple(day for _, days in counted for day in days), tuple(absent), last is None or reported.has_calendar(last[0])
    )


def _own(part: Segment, marks: Mapping[SchoolDay, int], reported: ReportedDays) -> Iterator[date]:
    """Days that the school has not reported yet, but a mark of the student's."""
    known = set(reported.between(part))
    for (school, day), code in marks.items():
        said = school == part.school and code not in (NOTHING, RETRACTED)
        if said and day not in known and reported.is_school_day(part, day):
            yield day
