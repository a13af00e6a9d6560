"""What the route of a student's year answers with."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel

from services.casework.year.days import UsualAbsence, WhatDay


class ShownDay(BaseModel):
    """A day of the year."""

    date: date
    what: WhatDay
    school_id: str | None
    school_rate: float | None
    """The share of the school that was absent, 0 to 1; null where too few are enrolled, or it has not reported."""


class StudentYear(BaseModel):
    """A student's school year up to a day."""

    student: str
    student_id: str
    name: str | None
    grade: str | None
    begins: date
    as_of: date
    days: list[ShownDay]
    counts: dict[WhatDay, int]
    usual: UsualAbsence
