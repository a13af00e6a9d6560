"""A student's window as people read it."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import TypedDict

import numpy as np

from models.attendance import EXCUSED, STATUS, UNEXCUSED, day_code
from models.reasons import Risk
from models.risk_model import probability
from models.track import Track
from models.windows import summarise
from services.warning.partition import Partition
from services.warning.student import Student


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
    school_id = partition.tracks.current_school(student)
    school = partition.schools.get(school_id) if school_id else None
    reported = (school.last_reported() if school else None) or 0
    track = partition.tracks.of([student])[0]
    as_of = max(reported, track.ordinals[-1] if track.ordinals else 0)
    window = summarise(track)
    return {
        "student": student.pseudonym,
        "school_id": school_id,
        "as_of": date.fromordinal(as_of).isoformat() if as_of else None,
        **asdict(window),
        "risk": _risk_view(track, partition.tracks.risk),
        "marks": _marks(student),
    }


def scores_of(partition: Partition, day: date | None = None) -> dict[str, float]:
    """The probability (0-1) that the family is identified within 30 instructional days, as of now, by student.

    With `day`, of those students alone who have school on that date.
    """
    if partition.tracks.risk is None:
        return {}
    students = [
        student
        for student in partition.students.values()
        if student.counts and (day is None or partition.tracks.has_school(student, day.toordinal()))
    ]
    tracks = zip(students, partition.tracks.of(students), strict=True)
    logits = {student.pseudonym: track.logits[-1] for student, track in tracks if track.logits}
    return dict(zip(logits, probability(np.array(list(logits.values()))).tolist(), strict=True))


def _risk_view(track: Track, risk: Risk | None) -> RiskView | None:
    if risk is None or not track.logits:
        return None
    score = float(probability(np.array([track.logits[-1]]))[0])
    training = risk.artifact.training
    return RiskView(score=score, model=risk.artifact.name, simulated=training.simulated)


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
