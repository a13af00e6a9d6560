"""The days of schools, by which work on a case is counted: a weekday where a calendar says nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date, timedelta
from typing import Final

from sqlalchemy import text

from services.platform.database import Transaction

_DAYS: Final = text("""
    SELECT school_id, date, instructional FROM ingest.engagement_days
    WHERE school_id = ANY (CAST(:schools AS text[])) AND date BETWEEN :first AND :last
""")
FURTHEST: Final = 366
"""Days that are looked at for a number of instructional ones: no calendar is emptier for longer."""
SATURDAY: Final = 5


class SchoolDays:
    """Which days some schools teach."""

    def __init__(self, said: dict[tuple[str, date], bool] | None = None) -> None:
        self._said = said or {}

    @classmethod
    async def read(cls, session: Transaction, schools: Collection[str], first: date, last: date) -> SchoolDays:
        """What the calendars of the schools say of these days."""
        if not schools:
            return cls()
        rows = await session.execute(_DAYS, {"schools": sorted(schools), "first": first, "last": last})
        return cls({(row.school_id, row.date): row.instructional for row in rows})

    def between(self, school: str, after: date, to: date) -> int:
        """Instructional days after the one, up to and with the other."""
        return sum(self.teaches(school, day) for day in _days(after, (to - after).days))

    def after(self, school: str | None, day: date, number: int) -> date:
        """The day that lies so many instructional days after this one."""
        last = day
        for last in _days(day, FURTHEST):
            number -= self.teaches(school, last)
            if number <= 0:
                break
        return last

    def teaches(self, school: str | None, day: date) -> bool:
        """Whether the school teaches on the day."""
        said = None if school is None else self._said.get((school, day))
        return day.weekday() < SATURDAY if said is None else said


def working_days_after(day: date, number: int) -> date:
    """The day that lies so many weekdays after this one."""
    return SchoolDays().after(None, day, number)


def _days(after: date, number: int) -> Iterator[date]:
    return (after + timedelta(days=step) for step in range(1, number + 1))
