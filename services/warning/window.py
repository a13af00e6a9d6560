"""A student's window as people read it."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import TypedDict

from models.attendance import EXCUSED, STATUS, UNEXCUSED, day_code
from models.windows import summarise
from services.warning.partition import Partition
from services.warning.student import Student


class MarkView(TypedDict):
    """One marked date."""

    date: str
    status: str
    excused: bool | None
    school_id: str


def window_document(partition: Partition, student: Student) -> dict[str, object] | None:
    """The window's figures and marks (dates ISO 8601, rate 0-1), or None when no consent is in force."""
    year = student.year
    if student.withdrawn or year.consent is None:
        return None
    rules = partition.rules(student)
    school_id = year.current_school(partition.schools, rules)
    school = partition.schools.get(school_id) if school_id else None
    reported = (school.last_reported() if school else None) or 0
    track = year.track(partition.schools, rules)
    as_of = max(reported, track.ordinals[-1] if track.ordinals else 0)
    window = summarise(track)
    return {
        "student": student.pseudonym,
        "school_id": school_id,
        "as_of": date.fromordinal(as_of).isoformat() if as_of else None,
        **asdict(window),
        "marks": _marks(student),
    }


def _marks(student: Student) -> list[MarkView]:
    result: list[MarkView] = []
    for day, rows in sorted(student.year.marks.items()):
        for school in sorted({row.school for row in rows}):
            code = day_code(rows, school)
            if code is not None:
                excused = code == EXCUSED if code in (EXCUSED, UNEXCUSED) else None
                when = date.fromordinal(day).isoformat()
                result.append(MarkView(date=when, status=STATUS[code], excused=excused, school_id=school))
    return result
