"""The delivery loop: woken when mails are added and when one is due again, a lot of mails a transaction.

At least once: when the process dies between the server's 250 and the commit, that lot is sent again with the same
Message-IDs, by which a mail server or reader drops the second. What is handed over is on record before, each try anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from datetime import UTC, datetime
from typing import Final, TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from tenacity import AsyncRetrying, retry_if_exception_type, wait_random_exponential

from services.notify import outbox
from services.notify.mail import Mail, Notification
from services.notify.mailer import Mailer
from services.notify.quiet import QuietHours
from services.platform.audit.log import AuditAwayError, AuditLog
from services.platform.consent import DATABASE_AWAY
from services.platform.consumer import log_retry

LONGEST_WAIT_SECONDS: Final = 30.0
"""Also finds what another process has added and left behind."""
SHORTEST_WAIT_SECONDS: Final = 0.2
"""When what is due is in another process's hands."""
KEEP_SECONDS: Final = 5.0
"""So long the connections stay open for mails to come."""
STOP_SECONDS: Final = 5.0
AT_ONCE: Final = 50
"""Mails in one transaction: what a crash may send twice, against what a transaction costs."""
CONSENT_SECONDS: Final = 2.0
"""A mail is not begun later than this after the look at its consent; the next transaction looks again."""

T = TypeVar("T")


class Delivery:
    """Sends what is in the outbox."""

    def __init__(
        self,
        sessions: async_sessionmaker[AsyncSession],
        mailer: Mailer,
        compose: Callable[[Notification], Mail],
        backoff: outbox.Backoff,
        audit: AuditLog,
        quiet: QuietHours,
    ) -> None:
        self._sessions = sessions
        self._mailer = mailer
        self._compose = compose
        self._backoff = backoff
        self._audit = audit
        self._quiet = quiet
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """There is something new in the outbox."""
        self._wake.set()

    async def run(self) -> None:
        """Deliver until cancelled; a lot of mails that is being sent is finished first."""
        retrying = AsyncRetrying(
            retry=retry_if_exception_type((*DATABASE_AWAY, AuditAwayError)),
            wait=wait_random_exponential(multiplier=0.1, max=5),
            before_sleep=log_retry,
        )
        while True:
            self._wake.clear()
            wait: float = await retrying(self._deliver_due)
            if await self._woken(min(wait, KEEP_SECONDS)) or wait <= KEEP_SECONDS:
                continue
            await self._mailer.close()
            await self._woken(wait - KEEP_SECONDS)

    def _held(self, notifications: Iterable[Notification]) -> dict[UUID, datetime]:
        """Those whose recipients are not to be disturbed now, and until when."""
        now = datetime.now(UTC)
        ends = {each.id: self._quiet.until(each.recipient, each.level, now) for each in notifications}
        return {notification: until for notification, until in ends.items() if until is not None}

    async def _woken(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):  # `wait_for` of Python 3.11 may lose a cancellation
                return await self._wake.wait()
        except TimeoutError:
            return False

    async def _deliver_due(self) -> float:
        """Send all that is due; returns the seconds until more is."""
        claimed, wait = True, 0.0
        while claimed and wait <= 0:
            claimed, wait = await _finished(self._deliver_some())
        return min(max(wait, SHORTEST_WAIT_SECONDS), LONGEST_WAIT_SECONDS)

    async def _deliver_some(self) -> tuple[bool, float]:
        """Whether there was something to do, and the seconds until there is more."""
        async with self._sessions.begin() as session:
            claimed = await outbox.claim(session, AT_ONCE)
            await outbox.cancel(session, {each.notification.id: each.unwanted for each in claimed if each.unwanted})
            wanted = [each for each in claimed if not each.unwanted]
            held = self._held(each.notification for each in wanted)
            await outbox.hold(session, held)
            ready = [each for each in wanted if each.notification.id not in held]
            await self._audit.record(*(each.entry for each in ready))
            due = [each.notification for each in ready]
            sent = await self._mailer.send([self._compose(each) for each in due], seconds=CONSENT_SECONDS)
            tried = [(each.id, outcome) for each, outcome in zip(due, sent, strict=True) if outcome is not None]
            await outbox.settle(session, tried, self._backoff)
            wait = await outbox.seconds_to_next(session)
        return bool(claimed), LONGEST_WAIT_SECONDS if wait is None else wait


async def _finished(step: Coroutine[None, None, T]) -> T:
    """The step's result; a cancellation waits for it, so that no mail is sent and then forgotten."""
    task = asyncio.create_task(step)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task], timeout=STOP_SECONDS)
        task.cancel()
        raise
