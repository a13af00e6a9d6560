"""Judges every student of whom an agency gets records for its live purpose, over the running system's database."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncEngine

from models.engagement.days import ReportedDays
from models.engagement.judgement import Engagement, judge
from models.engagement.policy import EngagementPolicy
from services.casework.engagement.calendars import reported_days
from services.casework.engagement.gathering import gather
from services.casework.engagement.people import AskedDay, FeedTerm, asked_day, feed_terms, next_people
from services.ingest.store import agreements
from services.lab.engagement.readership import Readership
from services.platform.errors import OperatorError

AT_ONCE = 1_000
"""Students whose facts are in memory together."""


class NotLiveError(OperatorError):
    """The reader gets nothing live, or the day has not come; the message says what to do."""


class LiveBatch(NamedTuple):
    """Some students in order, the pseudonyms of what is told of them, and where to go on."""

    students: dict[str, Engagement]
    pseudonyms: list[str]
    last: str


class LiveEngagement(NamedTuple):
    """For whom, as of when, and what is the same for all students."""

    readership: Readership
    day: AskedDay
    feeds: dict[str, FeedTerm]
    days: ReportedDays

    @classmethod
    async def begin(
        cls, engine: AsyncEngine, as_of: date | None, recipient: str | None, purpose: str | None
    ) -> LiveEngagement:
        """Begin, as of today if no day is given; the engine is casework's, who sees what may be judged now.

        Raises `NoAgreementError`, `NoReaderError` and `NotLiveError`.
        """
        async with engine.connect() as connection:
            agreement = await agreements.in_force(connection)
            if agreement is None:
                raise agreements.NoAgreementError
            readership = Readership.of(agreement, recipient, purpose)
            if readership not in {(feed.agency, feed.purpose) for feed in agreement.feeds()}:
                raise NotLiveError(f"Nothing flows to {readership.recipient} for {readership.purpose}: judge a folder.")
            day = await asked_day(connection, as_of)
            if day.as_of > day.today:
                raise NotLiveError(f"Today is {day.today}: nothing can be known of a day to come.")
            feeds = await feed_terms(connection, readership.recipient)
            return cls(readership, day, feeds, await reported_days(connection, day))

    async def next(self, engine: AsyncEngine, policy: EngagementPolicy, after: str) -> LiveBatch | None:
        """The students after this one, as the database is now; None when there are no more."""
        async with engine.connect() as connection:
            people = await next_people(connection, self.readership.recipient, after, AT_ONCE)
            if not people:
                return None
            gathered = await gather(connection, self.feeds, people, self.day, self.days)
        shown = {student: one for student, one in gathered.items() if one.consents}
        return LiveBatch(
            {student: judge(one.facts, policy, self.day.as_of) for student, one in shown.items()},
            [name for one in shown.values() for name in one.consents],
            max(people),
        )
