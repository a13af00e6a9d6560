"""Which cases changed, told to who shows them: the database says that there is something, and here it is read.

What is told are ids. Who hears of a case asks for it anew, and is then shown what may be shown at that moment.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable, Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

import psycopg
from sqlalchemy import Row, text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine
from tenacity import AsyncRetrying, retry_if_exception_type, wait_random_exponential

from services.casework.changes.kept import CHANNEL, ChangeKind
from services.platform.consent import DATABASE_AWAY
from services.platform.consumer import log_retry
from services.platform.identity.caller import Caller

CONSENTS: Final = "firstbell_consents"
"""What ingest says: a pseudonym whose consent has ended, or nothing where the agreement is another."""
OVERLAP: Final = 200
"""Positions that are looked at again: of two transactions at once the later may have the lower position."""
MOST_MISSED: Final = 500
"""Who missed more than these asks for everything again."""
MOST_WAITING: Final = 200
"""Changes that wait for one listener; who is slower asks for everything again."""
GATHER_SECONDS: Final = 0.05
LOOK_SECONDS: Final = 15.0
"""Also finds what was said while the connection broke."""

_SINCE: Final = text("""
    SELECT position, case_id, kind, agency, schools FROM casework.changes
    WHERE position > :position ORDER BY position LIMIT :limit
""")
_LAST: Final = text("SELECT coalesce(max(position), 0) FROM casework.changes")
_OF_STUDENT: Final = text("""
    SELECT DISTINCT c.id AS case_id, c.agency FROM casework.alerts a JOIN casework.cases c ON c.id = a.case_id
    WHERE a.student = :student
""")


class CaseChange(NamedTuple):
    """A case is new, changed or gone; without a case all that is shown is to be asked for again."""

    position: int
    case: UUID | None
    kind: ChangeKind


class _Said(NamedTuple):
    change: CaseChange
    agency: str | None
    schools: frozenset[str] | None
    """None: whoever is of the agency."""

    def is_for(self, caller: Caller) -> bool:
        if self.change.case is None:
            return True
        if caller.confined_to is not None and caller.confined_to != self.agency:
            return False
        return caller.schools is None or self.schools is None or bool(caller.schools & self.schools)


class _Listener:
    def __init__(self, caller: Caller, position: int) -> None:
        self.caller = caller
        self.waiting: asyncio.Queue[CaseChange | None] = asyncio.Queue(MOST_WAITING)
        self._position = position

    def hear(self, said: _Said) -> None:
        self._position = max(self._position, said.change.position)
        if not said.is_for(self.caller):
            return
        if self.waiting.full():
            while not self.waiting.empty():
                self.waiting.get_nowait()
            self.waiting.put_nowait(CaseChange(self._position, None, "changed"))
        else:
            self.waiting.put_nowait(said.change)

    def end(self) -> None:
        while self.waiting.full():
            self.waiting.get_nowait()
        self.waiting.put_nowait(None)


class ChangeFeed:
    """One connection that listens, and any number of streams that are told."""

    def __init__(self, engine: AsyncEngine, url: str) -> None:
        self._engine = engine
        self._url = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._listeners: set[_Listener] = set()
        self._position = 0
        self._seen: set[int] = set()
        self._stopped = False

    def stop(self) -> None:
        """End all streams, and begin no more: the service stops."""
        self._stopped = True
        for listener in self._listeners:
            listener.end()

    async def run(self) -> None:
        """Listen until cancelled."""
        retrying = AsyncRetrying(
            retry=retry_if_exception_type((psycopg.OperationalError, *DATABASE_AWAY)),
            wait=wait_random_exponential(multiplier=0.1, max=5),
            before_sleep=log_retry,
        )
        async for attempt in retrying:
            with attempt:
                await self._listen()

    async def subscribe(self, caller: Caller, after: int | None) -> AsyncGenerator[CaseChange, None]:
        """What changes for the caller from now on, and before it what came after a position; ends with the service."""
        if self._stopped:
            return
        listener = _Listener(caller, self._position)
        self._listeners.add(listener)
        try:
            for missed in await self._missed(caller, after):
                yield missed
            while (change := await listener.waiting.get()) is not None:
                yield change
        finally:
            self._listeners.discard(listener)

    async def _missed(self, caller: Caller, after: int | None) -> Sequence[CaseChange]:
        if after is None:
            return ()
        rows = await self._since(after)
        if len(rows) > MOST_MISSED:
            return [CaseChange(rows[-1].position, None, "changed")]
        return [said.change for said in map(_said, rows) if said.is_for(caller)]

    async def _listen(self) -> None:
        async with await self._connected() as connection:
            for channel in (CHANNEL, CONSENTS):
                await connection.execute(f"LISTEN {channel}".encode())
            await self._begin()
            while True:
                heard = [one async for one in connection.notifies(timeout=LOOK_SECONDS, stop_after=1)]
                if heard:  # what comes within moments is read at once
                    heard += [one async for one in connection.notifies(timeout=GATHER_SECONDS)]
                if not heard and connection.closed:
                    raise psycopg.OperationalError
                await self._tell(heard)

    async def _connected(self) -> psycopg.AsyncConnection[Any]:
        """A connection; one that is being made while it is cancelled is closed, which psycopg leaves to the caller."""
        making = asyncio.ensure_future(psycopg.AsyncConnection.connect(self._url, autocommit=True))
        try:
            return await asyncio.shield(making)
        except asyncio.CancelledError:
            await (await making).close()
            raise

    async def _begin(self) -> None:
        """From here on; who listens already may have missed something."""
        async with self._engine.connect() as connection:
            self._position = await connection.scalar(_LAST) or 0
        await self._unseen()
        self._spread([_Said(CaseChange(self._position, None, "changed"), None, None)])

    async def _tell(self, heard: Iterable[psycopg.Notify]) -> None:
        for one in heard:
            if one.channel == CONSENTS:
                await self._say_gone(one.payload)
        while new := await self._unseen():
            self._spread(map(_said, new))

    async def _unseen(self) -> list[Row[Any]]:
        rows = await self._since(self._position - OVERLAP)
        new = [row for row in rows if row.position not in self._seen]
        self._position = max([self._position, *(row.position for row in rows)])
        self._seen = {row.position for row in rows if row.position > self._position - OVERLAP}
        return new

    async def _say_gone(self, student: str) -> None:
        if not student:
            self._spread([_Said(CaseChange(self._position, None, "changed"), None, None)])
            return
        async with self._engine.connect() as connection:
            rows = (await connection.execute(_OF_STUDENT, {"student": student})).all()
        self._spread(_Said(CaseChange(self._position, row.case_id, "gone"), row.agency, None) for row in rows)

    async def _since(self, position: int) -> Sequence[Row[Any]]:
        async with self._engine.connect() as connection:
            return (await connection.execute(_SINCE, {"position": position, "limit": MOST_MISSED + OVERLAP})).all()

    def _spread(self, said: Iterable[_Said]) -> None:
        told = list(said)
        for listener in list(self._listeners):
            for one in told:
                listener.hear(one)


def _said(row: Row[Any]) -> _Said:
    return _Said(CaseChange(row.position, row.case_id, row.kind), row.agency, frozenset(row.schools))
