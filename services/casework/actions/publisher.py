"""Sends what is kept and not yet published to `case.actions.v1`, sealed: acknowledged by Kafka, and then noted.

At least once: what a crash leaves between the two is sent again with the same `action_id`. An action of a student whose
consent is not in force, or whose key is gone, stays where it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC
from typing import Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from tenacity import AsyncRetrying, retry_if_exception_type, retry_if_not_exception_type, wait_random_exponential

from services.casework.tables import ActionRow, AlertRow
from services.contracts.cases import CaseAction
from services.contracts.sealed import seal_event
from services.contracts.topics import CASE_ACTIONS
from services.platform.consent import DATABASE_AWAY, consented_students, may_be_shown
from services.platform.consumer import INCURABLE, log_retry, stop_client
from services.platform.kafka import make_producer
from services.platform.keys.feed_keys import find_keys
from services.platform.keys.master import MasterKeys

LONGEST_WAIT_SECONDS: Final = 30.0
"""Also finds what another process has kept and left behind."""
AT_ONCE: Final = 100
"""Actions in one transaction."""


class ActionPublisher:
    """Publishes actions in the order in which they were taken."""

    def __init__(self, bootstrap: str, sessions: async_sessionmaker[AsyncSession], masters: MasterKeys) -> None:
        self._bootstrap = bootstrap
        self._sessions = sessions
        self._masters = masters
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """There is something new to publish."""
        self._wake.set()

    async def run(self) -> None:
        """Publish until cancelled; raises what neither Kafka's nor the database's return would cure."""
        retrying = AsyncRetrying(
            retry=retry_if_exception_type((KafkaError, *DATABASE_AWAY)) & retry_if_not_exception_type(INCURABLE),
            wait=wait_random_exponential(multiplier=0.2, max=5),
            before_sleep=log_retry,
        )
        async for attempt in retrying:
            with attempt:
                await self._session()

    async def _session(self) -> None:
        producer = make_producer(self._bootstrap)
        try:
            await producer.start()
            while True:
                self._wake.clear()
                while await self._publish_some(producer):
                    pass
                with suppress(TimeoutError):
                    async with asyncio.timeout(LONGEST_WAIT_SECONDS):  # `wait_for` of 3.11 may lose a cancellation
                        await self._wake.wait()
        finally:
            await stop_client(producer)

    async def _publish_some(self, producer: AIOKafkaProducer) -> bool:
        async with self._sessions.begin() as session:
            actions = await _unpublished(session)
            ciphers = (await find_keys(session, self._masters, {action.student for action in actions})).ciphers()
            sealable = [action for action in actions if action.student in ciphers]
            for action in sealable:
                value = seal_event(ciphers[action.student], CASE_ACTIONS, action)
                await producer.send_and_wait(CASE_ACTIONS.name, value, key=str(action.alert_id).encode())
                sent = update(ActionRow).where(ActionRow.action_id == action.action_id)
                await session.execute(sent.values(published_at=func.clock_timestamp()))
        return bool(sealable)


async def _unpublished(session: AsyncSession) -> Sequence[CaseAction]:
    """The next actions to publish. Another process that has locked them is waited for, so that order is kept."""
    query = (
        select(ActionRow, AlertRow.student)
        .join(AlertRow, AlertRow.id == ActionRow.alert_id)
        .join(consented_students, may_be_shown(AlertRow.student, AlertRow.school_id))
        .where(ActionRow.published_at.is_(None))
        .order_by(ActionRow.position)
        .limit(AT_ONCE)
        .with_for_update(of=ActionRow)
    )
    return [_event(row, student) for row, student in await session.execute(query)]


def _event(row: ActionRow, student: str) -> CaseAction:
    return CaseAction.model_validate(
        {
            "action_id": row.action_id,
            "alert_id": row.alert_id,
            "student": student,
            "action": row.action,
            "outcome": row.outcome,
            "on": row.on,
            "at": row.at.astimezone(UTC),
            **{name: value for name, value in (row.of_case or {}).items() if name != "action"},
        }
    )
