"""A world's files as rows of text, in the district export set's columns."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from models.simulation.base import BoolArray
from models.simulation.config import GRADES, SchoolConfig, WorldConfig
from models.simulation.identities import Identities
from models.simulation.marks import REASONS, STATUSES, UNKNOWN
from models.simulation.people import Population
from models.simulation.reporting import Reports

Row = tuple[str, ...]

HEADERS: Final[dict[str, Row]] = {
    "schools.csv": ("school_id", "name", "campus", "timezone"),
    "students.csv": (
        "student_id", "first_name", "last_name", "birth_date", "grade",
        "household_id", "gender", "race_ethnicity", "english_learner", "special_education",
    ),
    "enrollments.csv": ("student_id", "school_id", "entry_date", "exit_date"),
    "calendar.csv": ("school_id", "date", "instructional"),
    "attendance.csv": (
        "student_id", "school_id", "date", "status", "excused", "section_id", "minutes_missed", "reason", "recorded_at",
    ),
    "consents.csv": (
        "student_id", "agreement_id", "signed_by", "relationship", "signed_on",
        "method", "records", "purpose", "recipients", "expires_on", "revoked_on",
    ),
    "outcomes.csv": ("student_id", "date", "kind"),
}  # fmt: skip
"""The header of each file that a world has."""

CHUNK = 50_000
"""Attendance rows turned into text at a time."""
MINUTES_A_DAY = 1440


def flag(value: object) -> str:
    """A truth value as the files have it."""
    return "true" if value else "false"


def student_rows(config: WorldConfig, population: Population, identities: Identities) -> Iterator[Row]:
    """The rows of `students.csv`."""
    genders = [group.value for group in config.people.gender]
    races = [group.value for group in config.people.race_ethnicity]
    for student, home in enumerate(population.household.tolist()):
        yield (
            identities.student_id[student],
            identities.first_name[student],
            identities.last_name[home],
            identities.birth_date[student].isoformat(),
            GRADES[population.grade[student]],
            identities.household_id[home],
            genders[population.gender[student]],
            races[population.race_ethnicity[student]],
            flag(population.english_learner[student]),
            flag(population.special_education[student]),
        )


def calendar_rows(schools: tuple[SchoolConfig, ...], dates: tuple[date, ...], is_open: BoolArray) -> Iterator[Row]:
    """The rows of `calendar.csv`: every weekday of the year, per school."""
    days = [day.isoformat() for day in dates]
    for school, opens in zip(schools, is_open.tolist(), strict=True):
        for day, instructional in zip(days, opens, strict=True):
            yield school.school_id, day, flag(instructional)


def attendance_rows(
    reports: Reports, student_id: tuple[str, ...], schools: tuple[SchoolConfig, ...], dates: tuple[date, ...]
) -> Iterator[Row]:
    """The rows of `attendance.csv` in hand-in order; `dates` are those of `SchoolYear.later`."""
    marks = reports.marks
    ids, places = _texts(student_id), _texts([school.school_id for school in schools])
    days, statuses, reasons = _texts([day.isoformat() for day in dates]), _texts(STATUSES), _texts(REASONS)
    # UNKNOWN is -1: the last entry of a table.
    excused, minutes = _texts(("false", "true", "")), _texts([*map(str, range(MINUTES_A_DAY)), ""])
    times = _texts([f"T{m // 60:02}:{m % 60:02}:00" for m in range(MINUTES_A_DAY)])
    sections = _texts(["", *(f"P{n}" for n in range(1, int(reports.section.max(initial=0)) + 1))])
    offsets = _offsets(schools, dates)
    for start in range(0, len(marks.day), CHUNK):
        part = slice(start, start + CHUNK)
        school, recorded, minute = marks.school[part], reports.recorded_day[part], reports.recorded_minute[part]
        stamps = np.where(minute == UNKNOWN, "", days[recorded] + times[minute] + offsets[school, recorded])
        yield from zip(
            ids[marks.student[part]].tolist(),
            places[school].tolist(),
            days[marks.day[part]].tolist(),
            statuses[marks.status[part]].tolist(),
            excused[marks.excused[part]].tolist(),
            sections[reports.section[part]].tolist(),
            minutes[marks.minutes[part]].tolist(),
            reasons[marks.reason[part]].tolist(),
            stamps.tolist(),
            strict=True,
        )


Texts = np.ndarray[tuple[int, ...], np.dtype[np.object_]]


def _texts(values: tuple[str, ...] | list[str]) -> Texts:
    return np.array(values, dtype=object)


def _offsets(schools: tuple[SchoolConfig, ...], dates: tuple[date, ...]) -> Texts:
    """Schools by days: the offset from UTC in the morning, for example `-04:00`."""
    zones = {school.timezone: ZoneInfo(school.timezone) for school in schools}
    of_zone = {
        name: [datetime.combine(day, time(8), zone).isoformat()[-6:] for day in dates] for name, zone in zones.items()
    }
    return np.array([of_zone[school.timezone] for school in schools], dtype=object)
