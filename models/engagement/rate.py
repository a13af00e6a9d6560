"""The attendance rate of the school year to date, by fractions."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from fractions import Fraction
from typing import Final

from models.engagement.facts import SchoolAttendance
from models.engagement.policy import AttendanceThresholds, percent
from models.engagement.standing import JudgedPart, TargetArea, Track, year_begins
from models.school import SATURDAY
from models.school_year import last_day, year_of

_WEEK: Final = 7


def judge(attendance: SchoolAttendance, policy: AttendanceThresholds, as_of: date) -> JudgedPart:
    """Where the rate stands; nothing without a calendar, or with too few enrolled days."""
    begins = year_begins(as_of)
    days = {day for day in attendance.enrolled if begins <= day <= as_of}
    absent = sorted(days.intersection(attendance.absent))
    if not attendance.has_calendar or len(days) < policy.min_days:
        return JudgedPart(None)
    rate = 1 - Fraction(len(absent), len(days))
    if rate >= policy.sliding_below:
        return JudgedPart("on_track")
    track: Track = "off_track" if rate < policy.off_track_below else "sliding"
    seen = policy.text.format(absent=len(absent), days=len(days), rate=percent(rate))
    goals = [goal for goal in (policy.off_track_below, policy.sliding_below) if rate < goal]
    changes = _what_changes(len(absent), len(days), goals, policy, as_of)
    return JudgedPart(track, (TargetArea("attendance", " ".join([seen, *changes]), tuple(absent)),))


def days_to(absent: int, days: int, goal: Fraction) -> int:
    """How many school days without an absence bring a rate that is below the goal to it."""
    return math.ceil(absent / (1 - goal)) - days


def _what_changes(
    absent: int, days: int, goals: Sequence[Fraction], policy: AttendanceThresholds, as_of: date
) -> Iterator[str]:
    """How each goal is reached, up to the first that cannot be."""
    for goal in goals:
        more = days_to(absent, days, goal)
        in_reach = more <= _weekdays_left(as_of)
        days_more = "school day" if more == 1 else f"{more} school days"
        yield (policy.goal if in_reach else policy.out_of_reach).format(more=days_more, goal=percent(goal))
        if not in_reach:
            return


def _weekdays_left(as_of: date) -> int:
    """After the day, until the school year ends: there are no more school days than these."""
    ends = date.fromordinal(last_day(year_of(as_of.toordinal())))
    weeks, rest = divmod((ends - as_of).days, _WEEK)
    return weeks * SATURDAY + sum((ends - timedelta(days)).weekday() < SATURDAY for days in range(rest))
