"""A local SMTP server that keeps each mail as a file: `python -m services.platform.embedded.smtp_sink --help`."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from datetime import UTC, datetime
from email.parser import BytesHeaderParser
from functools import partial
from pathlib import Path

import click
from aiosmtpd.smtp import SMTP, Envelope, Session

from services.platform.embedded.ports import accepts_connections
from services.platform.processes import Command
from services.platform.supervisor import ChildSpec, inherited_environment


class Keeper:
    """aiosmtpd's handler: a mail is on disk before it is said to be taken. What arrives twice is kept twice."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keep the mail; returns the SMTP reply."""
        content = envelope.content
        if not isinstance(content, bytes):
            return "554 5.6.0 no content"
        try:
            await asyncio.to_thread(keep, self._folder, content, envelope.rcpt_tos, datetime.now(UTC))
        except OSError as error:
            return f"451 4.3.0 the mail cannot be stored: {error.strerror}"
        return "250 2.0.0 kept"


def keep(folder: Path, content: bytes, recipients: list[str], now: datetime) -> Path:
    """Write one mail and return its file; a mail that is seen in the folder is whole and synced to disk."""
    message_id = BytesHeaderParser().parsebytes(content).get("Message-ID", "")
    name = f"{now:%Y%m%dT%H%M%S.%fZ}-{safe_name(message_id)}"
    delivered = "".join(f"Delivered-To: {recipient}\r\n" for recipient in recipients)
    new = folder / f".{name}.new"
    with new.open("xb") as file:
        file.write(delivered.encode() + content)
        file.flush()
        os.fsync(file.fileno())
    path = folder / f"{name}.eml"
    new.rename(path)
    return path


def safe_name(message_id: str) -> str:
    """A Message-ID as a part of a file name."""
    return re.sub(r"[^A-Za-z0-9@._-]", "", message_id).lstrip(".")[:100] or "no-id"


def sink_spec(*, port: int, folder: Path) -> ChildSpec:
    """How to run the sink as a child process on loopback."""
    module = [sys.executable, "-m", "services.platform.embedded.smtp_sink"]
    argv = [*module, "--host", "127.0.0.1", "--port", str(port), "--dir", str(folder)]
    return ChildSpec(
        command=Command(name="smtp", argv=argv, env=inherited_environment()),
        ready=lambda: accepts_connections(f"127.0.0.1:{port}"),
        grace=10,
    )


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=int, required=True)
@click.option("--dir", "folder", type=click.Path(path_type=Path, file_okay=False), required=True)
def main(host: str, port: int, folder: Path) -> None:
    """Take mail on HOST:PORT until SIGTERM and keep each as a file in DIR."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    asyncio.run(_serve(host, port, folder))


async def _serve(host: str, port: int, folder: Path) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_number, stop.set)
    factory = partial(SMTP, Keeper(folder), hostname="localhost", enable_SMTPUTF8=True, loop=loop)
    server = await loop.create_server(factory, host, port)
    async with server:
        await stop.wait()


if __name__ == "__main__":
    main()
