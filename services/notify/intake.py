"""Take in a batch of alert events: state, what teams have heard, and the outbox, in one transaction."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from services.contracts.alerts import AlertEvent
from services.notify import known, outbox_writer
from services.platform.consumer import SealedEvents
from services.platform.teams import Teams

_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(727007)")
"""One batch at a time, also while Kafka moves partitions between two processes. Apart from what reads, which must see
what the batch before has written."""


class AlertIntake:
    """Handles the batches of `alerts.v1`; a repeat changes nothing and notifies nobody."""

    def __init__(self, sessions: async_sessionmaker[AsyncSession], teams: Teams, wake: Callable[[], None]) -> None:
        self._sessions = sessions
        self._teams = teams
        self._wake = wake

    async def take(self, sealed: SealedEvents[AlertEvent]) -> None:
        """Store what follows from the events, and wake the delivery once mails are committed."""
        async with self._sessions.begin() as session:
            events = await sealed.open(session)
            await session.execute(_ONE_AT_A_TIME)
            book = await known.load(session, events)
            before = dict(book.notified)
            steps = [
                outbox_writer.OutboxStep(event.event_id, event.caused_at, action)
                for event in events
                for action in book.take(event, self._teams)
            ]
            await known.save(session, book, before)
            await outbox_writer.write(session, steps, self._teams)
        if steps:
            self._wake()
