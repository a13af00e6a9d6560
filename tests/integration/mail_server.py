"""An SMTP server in the test's own process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import cast

from aiosmtpd.smtp import SMTP, Envelope, Session


class Server:
    """An SMTP server that can be stopped, started, and made to refuse or to be slow.

    `most` is how many connections it greets in all, `seconds` what it needs for a mail.
    """

    def __init__(
        self, answer: Callable[[str], str] = lambda _: "250 OK", *, most: int = 100, seconds: float = 0
    ) -> None:
        self.taken: list[tuple[str, EmailMessage]] = []
        self.greeted = 0
        self._answer = answer
        self._most = most
        self._seconds = seconds
        self._server: asyncio.Server | None = None

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        answer = self._answer(address)
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        await asyncio.sleep(self._seconds)
        content = cast("bytes", envelope.content)
        mail = message_from_bytes(content, policy=policy.default)
        self.taken += [(recipient, mail) for recipient in envelope.rcpt_tos]
        return "250 OK"

    async def start(self, port: int) -> None:
        self._server = await asyncio.get_running_loop().create_server(self._greet, "127.0.0.1", port)

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    @asynccontextmanager
    async def listening(self, port: int) -> AsyncIterator[None]:
        await self.start(port)
        try:
            yield
        finally:
            await self.stop()

    async def has_taken(self, mails: int) -> bool:
        return len(self.taken) >= mails

    def _greet(self) -> asyncio.BaseProtocol:
        if self.greeted >= self._most:
            return _Busy()
        self.greeted += 1
        connection: asyncio.BaseProtocol = SMTP(self, loop=asyncio.get_running_loop(), hostname="test")
        return connection


class _Busy(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        writer = cast("asyncio.WriteTransport", transport)
        writer.write(b"421 4.3.2 too many connections\r\n")
        writer.close()
