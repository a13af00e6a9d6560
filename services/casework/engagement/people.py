"""Whom an agency may judge, by which kinds of records, and when the asked day is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from models.engagement.standing import year_begins
from models.school_year import last_day, year_of
from services.casework.engagement.statements import DAY, FEEDS, MANY, ONE
from services.platform.sharing import ANY

Asking = AsyncSession | AsyncConnection


@dataclass(frozen=True, slots=True)
class AskedDay:
    """The day as of which something is asked."""

    today: date
    as_of: date
    ends: datetime | None
    """The moment by which something must have been said; None: it is today, and all counts that is there."""

    @property
    def begins(self) -> date:
        """The first day of its school year."""
        return year_begins(self.as_of)

    @property
    def year_ends(self) -> date:
        """The last day of its school year."""
        return date.fromordinal(last_day(year_of(self.as_of.toordinal())))


class FeedTerm(NamedTuple):
    """Of whose schools and of which days an agency gets a kind of records, student by student."""

    schools: frozenset[str]
    first: date
    last: date

    def has(self, school_id: str) -> bool:
        """Whether it gets the school's."""
        return bool(school_id) and bool(self.schools & {school_id, ANY})


class ShownKind(NamedTuple):
    """One kind of records of a student: under which number and pseudonym it is kept, and by which run of consent."""

    student: int
    pseudonym: str
    consent_from: date
    consent_through: date | None


Kinds = Mapping[str, ShownKind]
"""By kind of records."""


async def asked_day(session: Asking, as_of: date | None) -> AskedDay:
    """The day, else today; a day to come is as it is."""
    found = (await session.execute(DAY, {"as_of": as_of})).one()
    return AskedDay(found.today, as_of or found.today, found.ends)


async def feed_terms(session: Asking, agency: str) -> dict[str, FeedTerm]:
    """By kind, what the agency gets now for its live purpose."""
    found = await session.execute(FEEDS, {"agency": agency})
    return {row.kind: FeedTerm(frozenset(row.schools), row.first, row.last) for row in found}


async def kinds_of(session: Asking, agency: str, student_id: str) -> Kinds:
    """What may be judged of one student."""
    found = await session.execute(ONE, {"agency": agency, "student_id": student_id})
    return _by_student(found).get(student_id, {})


async def next_people(session: Asking, agency: str, after: str, limit: int) -> Mapping[str, Kinds]:
    """The next students in the order of the district's ids, and what may be judged of each."""
    return _by_student(await session.execute(MANY, {"agency": agency, "after": after, "limit": limit}))


def _by_student(rows: Iterable[Row[tuple[object, ...]]]) -> dict[str, dict[str, ShownKind]]:
    found: dict[str, dict[str, ShownKind]] = {}
    for row in rows:
        kind = ShownKind(row.student, row.pseudonym, row.consent_from, row.consent_through)
        found.setdefault(row.student_id, {})[row.kind] = kind
    return found
