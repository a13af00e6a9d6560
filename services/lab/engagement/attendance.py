"""Every student's attendance of a school year up to a day, from what a history's files had said by then."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from models.arrays import Ints
from models.attendance import PRESENT
from models.backtest.facts import Facts
from models.backtest.history import History
from models.backtest.units import spans_of
from models.engagement.days import ReportedDays, SchoolDay, attendance_of
from models.engagement.facts import SchoolAttendance
from models.enrollment import Segment, segments
from models.policy import default_policy
from models.school import School
from models.school_year import first_day, year_of


class Marked(NamedTuple):
    """Where a student was, and the codes of school days; presence on a reported day is left out."""

    parts: tuple[Segment, ...]
    marks: Mapping[SchoolDay, int]


def attendance_on(history: History, as_of: date) -> dict[str, SchoolAttendance]:
    """By the district's id: of those whose consent is in force on the day, what was known by its end."""
    reported, found = marked_on(history, as_of)
    return {student: attendance_of(parts, marks, reported) for student, (parts, marks) in found.items()}


def marked_on(history: History, as_of: date) -> tuple[ReportedDays, dict[str, Marked]]:
    """What schools had reported of the school year by the day, and what was marked of whom: as `attendance_on`."""
    day = as_of.toordinal()
    begins = first_day(year_of(day))
    reported = ReportedDays(_schools(history, day), date.fromordinal(begins), as_of)
    marks = _marks(history, begins, day)
    runs = history.runs
    held = np.flatnonzero((runs.first <= day) & (day <= runs.last))
    found: dict[str, Marked] = {}
    for run, spans in zip(held.tolist(), spans_of(history, runs.student[held]), strict=True):
        parts = segments(spans, max(begins, int(runs.first[run])), day)
        student = int(runs.student[run])
        found[history.student_ids[student]] = Marked(parts, marks.get(student, {}))
    return reported, found


def _schools(history: History, day: int) -> dict[str, School]:
    """The schools as they were known by the end of the day."""
    facts = Facts(history, default_policy())  # the policy says what a shock day is, which no rate asks
    for known_on in np.unique(history.closes.known_on).tolist():
        if known_on <= day:
            facts.learn(known_on)
    for school in history.assumed:
        facts.schools[school].assumed = True
    return dict(zip(history.schools, facts.schools, strict=True))


def _marks(history: History, first: int, last: int) -> dict[int, dict[SchoolDay, int]]:
    """By student: the code of each school day as it was last known; presence on a reported day is left out."""
    marks = history.marks
    inside = np.flatnonzero((marks.known_on <= last) & (first <= marks.day) & (marks.day <= last))
    student, at, code = (
        marks.student[inside],
        _school_days(history, marks.school, marks.day)[inside],
        marks.code[inside],
    )
    # Marks are in order of becoming known: of each student's school day the last one stands.
    order = np.lexsort((at, student))
    ends = np.append((np.diff(student[order]) != 0) | (np.diff(at[order]) != 0), True)[: len(order)]
    stands = order[ends]
    closed = _school_days(history, history.closes.school, history.closes.day)[history.closes.known_on <= last]
    stands = stands[(code[stands] != PRESENT) | ~np.isin(at[stands], closed)]
    found: dict[int, dict[SchoolDay, int]] = {}
    for number, where, said in zip(student[stands].tolist(), at[stands].tolist(), code[stands].tolist(), strict=True):
        day, school = divmod(where, len(history.schools))
        found.setdefault(number, {})[history.schools[school], date.fromordinal(day)] = said
    return found


def _school_days(history: History, school: Ints, day: Ints) -> npt.NDArray[np.int64]:
    """One number for each school and day."""
    return day.astype(np.int64) * len(history.schools) + school
