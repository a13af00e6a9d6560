"""A student's window as people read it."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import TypedDict

import numpy as np

from models.attendance import EXCUSED, STATUS, UNEXCUSED, day_code
from models.engine.past import NO_PAST, past_of
from models.risk_model import probability
from models.windows import summarise
from services.warning.partition import Partition
from services.warning.school_year import SchoolYear
from services.warning.student import NO_ROW, Student


class MarkView(TypedDict):
    """One marked date."""

    date: str
    status: str
    excused: bool | None
    school_id: str


class RiskView(TypedDict):
    """The model's score, and whether the model was trained on simulated data only."""

    score: float
    model: str
    simulated: bool


def window_document(partition: Partition, student: Student) -> dict[str, object] | None:
    """The window's figures and marks (dates ISO 8601, rate 0-1), or None when no consent is in force."""
    if not student.counts:
        return None
    year = partition.years.get(student.year)
    school_id = partition.alerts.current_school(student)
    school = partition.school_facts.known(school_id) if school_id else None
    reported = (school.last_reported() if school else None) or 0
    past = past_of(year.cohort.register, student.row) if year is not None else NO_PAST
    as_of = max(reported, past.ordinals[-1] if past.ordinals else 0)
    moves = year.cohort.moves(student.row) if year is not None else 0
    return {
        "student": student.pseudonym,
        "school_id": school_id,
        "as_of": date.fromordinal(as_of).isoformat() if as_of else None,
        **asdict(summarise(past, moves)),
        "risk": _risk_view(partition, student),
        "marks": _marks(year, student) if year is not None else [],
    }


def scores_of(partition: Partition, day: date | None = None) -> dict[str, float]:
    """The probability (0-1) that the family is identified within 30 instructional days, as of now, by student.

    With `day`, of those students alone who have school on that date.
    """
    found: dict[str, float] = {}
    for year in partition.years.values() if partition.capacity_control.models else ():
        students = [
            student
            for student in year.students
            if student is not None
            and year.cohort.ledger.length[student.row]
            and (day is None or _has_school(partition, student, day.toordinal()))
        ]
        if students:
            logits = year.cohort.now(np.array([student.row for student in students], np.intp))
            names = [student.pseudonym for student in students]
            found |= dict(zip(names, probability(logits).tolist(), strict=True))
    return found


def _has_school(partition: Partition, student: Student, day: int) -> bool:
    """Whether the student is enrolled, with consent, at a school that is open on the day."""
    school_id = student.school_on(day)
    return school_id is not None and partition.school_facts.known(school_id).is_instructional(day)


def _risk_view(partition: Partition, student: Student) -> RiskView | None:
    artifact = partition.capacity_control.artifact
    if artifact is None or student.row == NO_ROW:
        return None
    cohort = partition.years[student.year].cohort
    if not cohort.ledger.length[student.row]:
        return None
    score = float(probability(cohort.now(np.array([student.row], np.intp)))[0])
    return RiskView(score=score, model=artifact.name, simulated=artifact.training.simulated)


def _marks(year: SchoolYear, student: Student) -> list[MarkView]:
    result: list[MarkView] = []
    for day, rows in year.marks.of_row(student.row):
        for school in sorted({row.school for row in rows}):
            code = day_code(rows, school)
            if code is not None:
                excused = code == EXCUSED if code in (EXCUSED, UNEXCUSED) else None
                when = date.fromordinal(day).isoformat()
                result.append(MarkView(date=when, status=STATUS[code], excused=excused, school_id=school))
    return result
