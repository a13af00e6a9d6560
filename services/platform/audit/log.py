"""Writes entries; whoever hands one in goes on when it is committed.

Answers that come at the same time share a statement and a commit, which is most of what an entry costs; the statement
is its own transaction, so that they wait for one round trip.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from contextvars import Context
from typing import Final

from prometheus_client import Counter
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from services.platform.audit.entry import AuditEntry
from services.platform.database import make_lone_engine
from services.platform.rows import as_json

logger = logging.getLogger(__name__)

AT_ONCE: Final = 200
"""Entries in one statement."""
SECONDS: Final = 10.0
"""Longer the database is not waited for."""

written = Counter("firstbell_audit_entries", "Entries written to the audit")
unwritten = Counter("firstbell_audit_unwritten", "Entries that could not be written, so that nothing was served")

_WRITE: Final = text("""
    WITH written AS (
        INSERT INTO audit.entries (subject, role, agency, action, students, consents, outcome, agreement, purpose)
        SELECT subject, role, agency, action, students, consents, outcome,
               (SELECT id || '/' || version FROM ingest.agreement_in_force),
               (SELECT purpose FROM ingest.live_purposes WHERE live_purposes.agency = given.agency)
        FROM json_to_recordset(CAST(:entries AS json)) AS given (
            subject text, role text, agency text, action text, students text[], consents date[], outcome text)
        RETURNING entry)
    INSERT INTO audit.unchained SELECT entry FROM written
""")

_Waiting = tuple[Sequence[AuditEntry], asyncio.Future[None]]


class AuditAwayError(Exception):
    """An entry cannot be written: what it would have said must not happen."""


class AuditLog:
    """One process's way into the audit, over a connection of its own: answers that hold all others do not hold it."""

    def __init__(self, url: str, *, service: str) -> None:
        self._engine = make_lone_engine(url, service=service)
        self._waiting: deque[_Waiting] = deque()
        self._writer: asyncio.Task[None] | None = None

    async def record(self, *entries: AuditEntry) -> None:
        """Return when they are committed; raises `AuditAwayError`."""
        if not entries:
            return
        committed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((entries, committed))
        if self._writer is None or self._writer.done():
            # In a context of its own: it is not the caller's of one answer that writes those of all.
            self._writer = asyncio.create_task(self._write_all(), context=Context())
        await committed

    async def close(self) -> None:
        """Finish, and disconnect."""
        if self._writer is not None:
            await self._writer
        await self._engine.dispose()

    async def _write_all(self) -> None:
        while self._waiting:
            some = [self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))]
            entries = [entry for of_one, _ in some for entry in of_one]
            error: str | None = "it was not written"
            try:
                error = await self._write(entries)
            finally:  # whatever happens, nobody waits for what will not come
                for _, committed in some:
                    if committed.done():  # who asked has gone
                        continue
                    if error is None:
                        committed.set_result(None)
                    else:
                        committed.set_exception(AuditAwayError(error))

    async def _write(self, entries: Sequence[AuditEntry]) -> str | None:
        """Commit them, or say what is wrong."""
        try:
            async with asyncio.timeout(SECONDS):
                await self._commit(entries)
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            unwritten.inc(len(entries))
            logger.error("the audit cannot be written, nothing is served (%s)", type(error).__name__)
            return type(error).__name__
        return None

    async def _commit(self, entries: Sequence[AuditEntry]) -> None:
        """Over a new connection when the one before has died; if it died after the commit, they are there twice."""
        try:
            async with self._engine.connect() as connection:
                await write_entries(connection, entries)
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
            async with self._engine.connect() as connection:
                await write_entries(connection, entries)


async def write_entries(connection: AsyncConnection, entries: Sequence[AuditEntry]) -> None:
    """Write them in a transaction of the caller's; they are on record when it is committed."""
    if entries:
        await connection.execute(_WRITE, {"entries": as_json(_row(entry) for entry in entries)})
        written.inc(len(entries))


def _row(entry: AuditEntry) -> dict[str, object]:
    return {
        "subject": entry.subject,
        "role": entry.role,
        "agency": entry.agency,
        "action": entry.action,
        "students": list(entry.students),
        "consents": list(entry.students.values()),
        "outcome": entry.outcome,
    }
