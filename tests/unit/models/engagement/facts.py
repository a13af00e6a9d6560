"""Facts of one student, made by hand."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from models.engagement.facts import CourseMark, EngagementFacts, SchoolAttendance, Suspension, SuspensionsOnFile
from models.engagement.policy import engagement_policy

POLICY = engagement_policy()
AS_OF = date(2027, 1, 29)
NOTHING = EngagementFacts(None, None, None)


def attendance(absent: int, days: int) -> SchoolAttendance:
    """So many days up to `AS_OF`, the last of them absent; weekends count here, which no rate knows."""
    dates = tuple(AS_OF - timedelta(back) for back in range(days))
    return SchoolAttendance(dates, dates[:absent])


def suspended(*began_on: date) -> SuspensionsOnFile:
    return SuspensionsOnFile(tuple(Suspension(day, day) for day in began_on))


TERMS = {
    "Q1": (date(2026, 9, 1), date(2026, 11, 10)),
    "Q2": (date(2026, 11, 11), date(2027, 1, 25)),
    "S1": (date(2026, 9, 1), date(2027, 1, 25)),
    "Q3": (date(2027, 1, 26), date(2027, 4, 10)),
    "Q4 before": (date(2026, 4, 10), date(2026, 6, 20)),
}


def mark(
    mark: str, term: str = "Q1", *, course: str = "M7", subject: str | None = "Math", scale: int | None = None
) -> CourseMark:
    first, last = TERMS.get(term, (None, None))
    return CourseMark(
        course,
        term,
        mark,
        known_from=last or date.min,
        subject=subject,
        scale_max=None if scale is None else Decimal(scale),
        first=first,
        last=last,
    )
