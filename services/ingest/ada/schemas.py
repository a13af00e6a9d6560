"""Average daily attendance as it is shown."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, Field

from models.ada import AdaCell
from services.ingest.ada.reading import Averages

_FINE = 4
"""Decimals: of a school of a thousand students the fourth is a student a week."""


class AverageAttendance(BaseModel):
    """One school, grade and month."""

    school_id: str
    grade: str | None = Field(description="Null: of students whose grade is not known")
    month: str = Field(examples=["2016-12"])
    school_days: int = Field(description="Days on which school was held, as far as the school has reported them")
    students: int | None = Field(description="Who was enrolled on any of them; null when it is suppressed")
    membership_days: int | None
    attended_days: int | None = Field(description="Tardies, early departures and partial days are attended")
    average_daily_membership: float | None
    average_daily_attendance: float | None = Field(description="Attended student-days by days of school")
    attendance_rate: float | None = Field(description="Attended by membership days, 0-1")
    suppressed: bool = Field(description="Of fewer students than `small_cell`: nothing of them is shown")

    @classmethod
    def of(cls, cell: AdaCell) -> AverageAttendance:
        """As it is shown."""
        return cls(
            school_id=cell.key.school,
            grade=cell.key.grade or None,
            month=str(cell.key.month),
            school_days=cell.school_days,
            students=cell.students,
            membership_days=cell.membership_days,
            attended_days=cell.attended_days,
            average_daily_membership=_rounded(cell.average_daily_membership),
            average_daily_attendance=_rounded(cell.average_daily_attendance),
            attendance_rate=_rounded(cell.attendance_rate),
            suppressed=cell.suppressed,
        )


class AverageDailyAttendance(BaseModel):
    """The averages of a school year to date."""

    first: date
    last: date
    small_cell: int
    assumed_calendars: list[str] = Field(description="Schools without a calendar: their weekdays are assumed")
    no_data: list[str] = Field(description="Schools that are shared, and of which nothing is known")
    averages: list[AverageAttendance]

    @classmethod
    def of(cls, found: Averages) -> AverageDailyAttendance:
        """As they are shown."""
        return cls(
            first=found.first,
            last=found.last,
            small_cell=found.small_cell,
            assumed_calendars=found.assumed,
            no_data=found.no_data,
            averages=[AverageAttendance.of(cell) for cell in found.cells],
        )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, _FINE)
