"""What a command shows of students is on record before it is shown, as an answer by HTTP is."""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterable

from services.cli.common import CommandError
from services.ingest.intake import SERVICE
from services.platform.audit.entry import AuditEntry
from services.platform.audit.log import AuditAwayError, AuditLog


async def put_on_record(url: str, action: str, pseudonyms: Iterable[str]) -> None:
    """That whoever runs the command is shown something of these; raises `CommandError` when that cannot be written."""
    log = AuditLog(url, service=SERVICE)
    entry = AuditEntry(
        subject=who(),
        role="steward",
        agency=None,
        action=action,
        students=dict.fromkeys(pseudonyms),
    )
    try:
        await log.record(entry)
    except AuditAwayError as error:
        raise CommandError("It cannot be put on record, so nothing is shown. See `firstbell doctor`.") from error
    finally:
        await log.close()


def who() -> str:
    """Whoever runs the command."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):  # a user id without a name, as in containers
        return f"cli:{os.getuid()}"
