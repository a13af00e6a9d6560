"""`attendance.marks.v1`: batches of marks, and the closes that travel behind them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, TypeAdapter

from services.contracts.base import Event

AttendanceStatus = Literal["present", "absent", "tardy", "early_departure", "partial", "retracted"]
"""`retracted` takes back what was said of the student, school, date and section."""


class AttendanceMark(Event):
    """One student's attendance on one school date, and section when the school marks by period."""

    student: str
    school_id: str
    date: date
    status: AttendanceStatus
    excused: bool | None = None
    section: str | None = None
    recorded_at: datetime | None = None
    """When the school recorded it (UTC); by HTTP the moment of receipt when the sender gave none."""
    reason: str | None = None
    history: bool = False
    """Part of an imported history: it enters the windows, but raises nothing by itself."""


class DayCounts(Event):
    """Head counts of one school and date over all its students, consented or not; nobody is named."""

    school_id: str
    date: date
    absent: int = Field(ge=0)
    reported: int = Field(ge=0)
    """Students of whom any row was seen."""
    expected: int = Field(ge=0)
    """Students enrolled on the date, as far as known; 0 when unknown."""


class MarkBatch(Event):
    """Marks of students who all live in this partition, in the order in which they were taken."""

    type: Literal["marks"] = "marks"
    taken_at: datetime
    """When ingest took them (wall clock, UTC); latencies are measured from here."""
    marks: list[AttendanceMark]
    counts: list[DayCounts] = Field(default_factory=list)
    """What ingest knew of these schools' days when it sent the batch, for the shock-day test."""


class DayClosed(Event):
    """A school has reported its last mark of a date: enrolled students without a mark were present."""

    school_id: str
    date: date
    counts: DayCounts | None = None
    history: bool = False
    """A day inside an imported history; only the last reported date of an import raises alerts."""


class DaysClosed(Event):
    """Closes that follow the marks of those days, sent to every partition."""

    type: Literal["days_closed"] = "days_closed"
    taken_at: datetime
    token: UUID
    """Answered by a `DaysEvaluated` with this token from each partition."""
    closes: list[DayClosed]


class WeekClosed(Event):
    """A week with school is over: sent to every partition behind its closes."""

    type: Literal["week_closed"] = "week_closed"
    taken_at: datetime
    token: UUID
    """Answered by a `DaysEvaluated` with this token from each partition, once the next week's threshold is in force."""
    week: date
    """Its Monday."""


MarksRecord = Annotated[MarkBatch | DaysClosed | WeekClosed, Field(discriminator="type")]
marks_record: TypeAdapter[MarkBatch | DaysClosed | WeekClosed] = TypeAdapter(MarksRecord)
"""Reads a JSON value of `attendance.marks.v1`; `services.contracts.packed` reads any."""


class DaysEvaluated(Event):
    """`warning.progress.v1`: a partition has evaluated these closes and its alerts are in Kafka."""

    token: UUID
    partition: int
