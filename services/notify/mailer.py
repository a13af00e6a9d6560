"""SMTP: one connection for a burst of mails, and what became of each."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Final, Literal

from aiosmtplib import SMTP, SMTPDataError, SMTPException, SMTPRecipientsRefused

TIMEOUT_SECONDS: Final = 30.0
CHECK_SECONDS: Final = 3.0
IMPLICIT_TLS_PORT: Final = 465
PERMANENT: Final = 500


@dataclass(frozen=True, slots=True)
class Outcome:
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
        self._client: SMTP | None = None

    async def send(self, message: EmailMessage) -> Outcome:
        """Hand one mail over; never raises for what the server or the network does."""
        try:
            client = await self._connected()
            await client.send_message(message)
        except SMTPRecipientsRefused as refusal:
            return _refused(refusal, refusal.recipients[0].code)
        except SMTPDataError as refusal:
            return _refused(refusal, refusal.code)
        except ValueError as error:  # an address or a header that cannot be sent
            return Outcome("refused", datetime.now(UTC), type(error).__name__)
        except (SMTPException, OSError) as error:
            self._drop()
            return Outcome("away", datetime.now(UTC), _named(error))
        return Outcome("sent", datetime.now(UTC))

    async def close(self) -> None:
        """End the connection politely, when there is one."""
        client, self._client = self._client, None
        if client is not None and client.is_connected:
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

    async def _connected(self) -> SMTP:
        if self._client is None or not self._client.is_connected:
            self._client = self._new(TIMEOUT_SECONDS)
            await self._client.connect()
        return self._client

    def _drop(self) -> None:
        client, self._client = self._client, None
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


def _refused(error: SMTPException, code: int) -> Outcome:
    kind: Literal["refused", "later"] = "refused" if code >= PERMANENT else "later"
    return Outcome(kind, datetime.now(UTC), f"{type(error).__name__} {code}")


def _named(error: Exception) -> str:
    code = getattr(error, "code", None)
    return type(error).__name__ if code is None else f"{type(error).__name__} {code}"
