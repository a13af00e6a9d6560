"""The delivery loop: woken when mails are added and when one is due again, a few mails a transaction.

At least once: when the process dies between the server's 250 and the commit, those few are sent again with the same
Message-ID, by which a mail server or reader can tell.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from email.message import EmailMessage
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from tenacity import AsyncRetrying, retry_if_exception_type, wait_random_exponential

from services.notify import outbox
from services.notify.mail import Notification
from services.notify.mailer import Mailer
from services.platform.consent import DATABASE_AWAY
from services.platform.consumer import log_retry

LONGEST_WAIT_SECONDS: Final = 30.0
"""Also finds what another process has added and left behind."""
SHORTEST_WAIT_SECONDS: Final = 0.2
"""When what is due is in another process's hands."""
STOP_SECONDS: Final = 5.0
AT_ONCE: Final = 10
"""Mails in one transaction: what a crash may send twice, against what a transaction costs."""


class Delivery:
    """Sends what is in the outbox."""

    def __init__(
        self,
        sessions: async_sessionmaker[AsyncSession],
        mailer: Mailer,
        compose: Callable[[Notification], EmailMessage],
        backoff: outbox.Backoff,
    ) -> None:
        self._sessions = sessions
        self._mailer = mailer
        self._compose = compose
        self._backoff = backoff
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """There is something new in the outbox."""
        self._wake.set()

    async def run(self) -> None:
        """Deliver until cancelled; a mail that is being sent is finished first."""
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(DATABASE_AWAY),
            wait=wait_random_exponential(multiplier=0.1, max=5),
            before_sleep=log_retry,
        )
        while True:
            self._wake.clear()
            wait: float = await retrying(self._deliver_due)
            try:
                async with asyncio.timeout(wait):  # `wait_for` of Python 3.11 may lose a cancellation
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def _deliver_due(self) -> float:
        """Send all that is due; returns the seconds until more is."""
        while await _finished(self._deliver_some()):
            pass
        await self._mailer.close()
        async with self._sessions() as session:
            wait = await outbox.seconds_to_next(session)
        return min(max(LONGEST_WAIT_SECONDS if wait is None else wait, SHORTEST_WAIT_SECONDS), LONGEST_WAIT_SECONDS)

    async def _deliver_some(self) -> bool:
        async with self._sessions.begin() as session:
            mails = await outbox.claim(session, AT_ONCE)
            for mail in mails:
                if not await self._settle(session, mail):
                    break
        return bool(mails)

    async def _settle(self, session: AsyncSession, mail: outbox.Claimed) -> bool:
        """Whether the server is there for the next one."""
        if not mail.consented:
            await outbox.cancel(session, mail.notification.id)
            return True
        outcome = await self._mailer.send(self._compose(mail.notification))
        await outbox.settle(session, mail.notification.id, outcome, self._backoff)
        return outcome.kind != "away"


async def _finished(step: Coroutine[None, None, bool]) -> bool:
    """The step's result; a cancellation waits for it, so that no mail is sent and then forgotten."""
    task = asyncio.create_task(step)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task], timeout=STOP_SECONDS)
        task.cancel()
        raise
