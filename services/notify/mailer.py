"""SMTP: a few connections that are kept between mails, and what became of each mail."""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

from aiosmtplib import SMTP, SMTPDataError, SMTPException, SMTPRecipientsRefused

from services.notify.mail import Mail

TIMEOUT_SECONDS: Final = 30.0
CHECK_SECONDS: Final = 3.0
IMPLICIT_TLS_PORT: Final = 465
PERMANENT: Final = 500
CONNECTIONS: Final = 4
WORTH_A_CONNECTION: Final = 10
"""Mails for which one more connection pays; a mail server may not like many."""


@dataclass(frozen=True, slots=True)
class DeliveryOutcome:
    """How a try ended: `sent`; `refused` for good; `later`, this mail only; or the server is `away`."""

    kind: Literal["sent", "refused", "later", "away"]
    at: datetime
    """The moment of the server's 250, or of the error (UTC)."""
    error: str | None = None
    """The class of the error and the server's code; its words may quote an address."""


class Mailer:
    """Sends mails to one server; STARTTLS is used when the server offers it."""

    def __init__(self, host: str, port: int, *, user: str | None = None, password: str | None = None) -> None:
        self._address = (host, port)
        self._user = user
        self._password = password
        self._clients: dict[int, SMTP] = {}

    async def send(self, mails: Sequence[Mail], *, seconds: float) -> list[DeliveryOutcome | None]:
        """Hand mails over; what became of each, in their order. Never raises for what the server or the network does.

        None is a mail that was not tried: none is begun, but the first, after so many seconds or once the server was
        `away`.
        """
        burst = _Burst(mails, time.monotonic() + seconds)
        await self._send_next(0, burst)  # alone, since it says whether the server is there
        connections = min(CONNECTIONS, math.ceil(len(mails) / WORTH_A_CONNECTION))
        async with asyncio.TaskGroup() as group:
            for number in range(connections):
                group.create_task(self._send_over(number, burst))
        return burst.outcomes

    async def close(self) -> None:
        """End the connections politely, where there are any."""
        clients, self._clients = self._clients, {}
        for client in clients.values():
            if client.is_connected:
                try:
                    await client.quit(timeout=CHECK_SECONDS)
                except (SMTPException, OSError):
                    client.close()

    async def check(self) -> str | None:
        """A readiness check: the server greets, on a connection of its own."""
        client = self._new(CHECK_SECONDS)
        try:
            async with asyncio.timeout(CHECK_SECONDS), client:
                await client.ehlo()
        except (SMTPException, OSError):
            return "the SMTP server does not answer; see FIRSTBELL_SMTP"
        return None

    async def _send_over(self, connection: int, burst: _Burst) -> None:
        """Send what is left; the server may not want more connections than the first."""
        if connection > 0:
            try:
                await self._connected(connection)
            except (SMTPException, OSError):
                self._drop(connection)
                return
        while await self._send_next(connection, burst):
            pass

    async def _send_next(self, connection: int, burst: _Burst) -> bool:
        place = burst.next()
        if place is None:
            return False
        burst.settle(place, await self._try(connection, burst.mails[place]))
        return True

    async def _try(self, connection: int, mail: Mail) -> DeliveryOutcome:
        try:
            client = await self._connected(connection)
            await client.sendmail(mail.sender, mail.recipient, mail.as_bytes())
        except SMTPRecipientsRefused as refusal:
            return _refused(refusal, refusal.recipients[0].code)
        except SMTPDataError as refusal:
            return _refused(refusal, refusal.code)
        except ValueError as error:  # an address or a header that cannot be sent
            return DeliveryOutcome("refused", datetime.now(UTC), type(error).__name__)
        except (SMTPException, OSError) as error:
            self._drop(connection)
            return DeliveryOutcome("away", datetime.now(UTC), _named(error))
        return DeliveryOutcome("sent", datetime.now(UTC))

    async def _connected(self, connection: int) -> SMTP:
        client = self._clients.get(connection)
        if client is None or not client.is_connected:
            client = self._clients[connection] = self._new(TIMEOUT_SECONDS)
            await client.connect()
        return client

    def _drop(self, connection: int) -> None:
        client = self._clients.pop(connection, None)
        if client is not None:
            client.close()

    def _new(self, timeout: float) -> SMTP:
        host, port = self._address
        return SMTP(
            hostname=host,
            port=port,
            username=self._user,
            password=self._password,
            timeout=timeout,
            use_tls=port == IMPLICIT_TLS_PORT,
        )


class _Burst:
    """Mails that several connections share out among themselves."""

    def __init__(self, mails: Sequence[Mail], end: float) -> None:
        self.mails = mails
        self.outcomes: list[DeliveryOutcome | None] = [None] * len(mails)
        self._left = deque(range(len(mails)))
        self._end = end
        self._away = False

    def next(self) -> int | None:
        """The place of the next mail to begin; None when no more is to be begun."""
        begun = len(self._left) < len(self.mails)
        if not self._left or self._away or (begun and time.monotonic() >= self._end):
            return None
        return self._left.popleft()

    def settle(self, place: int, outcome: DeliveryOutcome) -> None:
        """What became of one."""
        self.outcomes[place] = outcome
        self._away = self._away or outcome.kind == "away"


def _refused(error: SMTPException, code: int) -> DeliveryOutcome:
    kind: Literal["refused", "later"] = "refused" if code >= PERMANENT else "later"
    return DeliveryOutcome(kind, datetime.now(UTC), f"{type(error).__name__} {code}")


def _named(error: Exception) -> str:
    code = getattr(error, "code", None)
    return type(error).__name__ if code is None else f"{type(error).__name__} {code}"
