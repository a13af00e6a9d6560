"""Keys in memory, for a process that opens many values a second: with a lease, and gone as soon as it is told.

A key is used for at most `LEASE_SECONDS` after the database last said that it is not deleted: then everybody waits. So
does who asks before `open`: the database may have been restored, and not know yet what was erased since.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from prometheus_client import Gauge
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from tenacity import AsyncRetrying, retry_if_exception_type, wait_random_exponential

from services.platform.consent import DATABASE_AWAY
from services.platform.keys.feed_keys import find_keys
from services.platform.keys.master import MasterKeys

log = logging.getLogger(__name__)

LEASE_SECONDS: Final = 30.0
REFRESH_SECONDS: Final = 1.0
AT_ONCE: Final = 5_000
"""Keys looked up in one statement: unwrapping them holds up everything else for some 20 ms."""
CIPHERS: Final = 16_384
"""Ciphers kept ready at most, the last made: 2.5 KB each, 40 MB; making one anew takes 1.5 µs. A key takes 0.2 KB."""

IN_MEMORY: Final = Gauge("firstbell_keys_held", "Feeds' keys in memory")

_GONE_SINCE: Final = text("SELECT pseudonym, gone FROM erasure.ledger WHERE gone > :last ORDER BY gone")
_LAST: Final = text("SELECT coalesce(max(gone), 0) FROM erasure.ledger")


class KeyAwayError(Exception):
    """The key is not at hand now: `await KeyRing.find(…)`, then try again."""


class NoKeyError(LookupError):
    """No key of this pseudonym was ever made, as far as the database knows: nobody can open what it sealed."""


class KeyRing:
    """The keys of the feeds whose values this process opens and seals."""

    def __init__(self, engine: AsyncEngine, masters: MasterKeys, clock: Callable[[], float] = time.monotonic) -> None:
        self._engine = engine
        self._masters = masters
        self._clock = clock
        self._keys: dict[str, bytes] = {}
        self._ciphers: OrderedDict[str, AESGCM] = OrderedDict()
        self._gone: set[str] = set()
        self._unknown: set[str] = set()
        self._last = 0
        self._leased_until = float("-inf")
        self._asking = asyncio.Lock()
        self._opened = asyncio.Event()

    def open(self) -> None:
        """The database knows every erasure: keys may be asked of it."""
        self._opened.set()

    @property
    def problem(self) -> str | None:
        """Why no key can be used now, or None."""
        if not self._opened.is_set():
            return "what was erased is being compared with the database"
        if self._clock() > self._leased_until:
            return "the keys of students' feeds are not at hand: the database does not answer; see FIRSTBELL_DATABASE"
        return None

    def cipher(self, pseudonym: str) -> AESGCM | None:
        """The feed's cipher; None when its key is gone. Raises `KeyAwayError`, and `NoKeyError` when there is none.

        The database knows of every key before anything is sealed with it: what it does not know nobody can open.
        """
        found = self._ciphers.get(pseudonym)
        if found is None:
            found = self._make(pseudonym)
            if found is None:
                return None
        if self._clock() > self._leased_until:
            raise KeyAwayError
        return found

    def is_gone(self, pseudonym: str) -> bool:
        """Whether its key was deleted, as far as this process knows."""
        return pseudonym in self._gone

    def drop(self, pseudonyms: Iterable[str]) -> None:
        """The keys of these are deleted: nothing of theirs is opened or sealed any more."""
        for pseudonym in pseudonyms:
            self._gone.add(pseudonym)
            self._keys.pop(pseudonym, None)
            self._ciphers.pop(pseudonym, None)
        IN_MEMORY.set(len(self._keys))

    async def find(self, pseudonyms: Iterable[str]) -> None:
        """Return when each of these is known, gone, or known not to be there, and the lease holds.

        While the database is away it is asked again; raises `MasterKeyLostError`.
        """
        wanted = list(pseudonyms)
        await self._opened.wait()
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(DATABASE_AWAY),
            wait=wait_random_exponential(multiplier=0.1, max=5),
            before_sleep=lambda state: log.warning("keys are waited for; attempt %d", state.attempt_number),
        )
        async for attempt in retrying:
            with attempt:
                for first in range(0, max(1, len(wanted)), AT_ONCE):
                    await self._ask(wanted[first : first + AT_ONCE])

    async def refresh_forever(self) -> None:
        """Renew the lease until cancelled, and ask anew of what was never made."""
        while True:
            self._unknown.clear()
            try:
                await self._ask(())
            except DATABASE_AWAY as error:
                log.warning("the lease of the keys is not renewed: %s", type(error).__name__)
            await asyncio.sleep(REFRESH_SECONDS)

    def _make(self, pseudonym: str) -> AESGCM | None:
        key = self._keys.get(pseudonym)
        if key is None:
            if pseudonym in self._gone:
                return None
            if pseudonym in self._unknown:
                raise NoKeyError
            raise KeyAwayError
        cipher = self._ciphers[pseudonym] = AESGCM(key)
        if len(self._ciphers) > CIPHERS:
            self._ciphers.popitem(last=False)
        return cipher

    async def _ask(self, pseudonyms: Collection[str]) -> None:
        async with self._asking:
            asked = self._clock()
            async with self._engine.connect() as connection:
                await self._forget(connection)
                missing = [one for one in pseudonyms if one not in self._keys and one not in self._gone]
                if missing:
                    found = await find_keys(connection, self._masters, missing)
                    self._unknown.difference_update(found.keys)
                    self._unknown |= set(missing) - found.keys.keys() - set(found.gone)
                    self._keys |= {one: key for one, key in found.keys.items() if one not in self._gone}
                    self.drop(found.gone)
            self._leased_until = asked + LEASE_SECONDS

    async def _forget(self, connection: AsyncConnection) -> None:
        """Drop what was deleted since the last look; a database from before it (a dump restored) begins anew."""
        last: int = (await connection.execute(_LAST)).scalar_one()
        if last < self._last:
            self._keys.clear()
            self._ciphers.clear()
            self._last = 0
        if last > self._last:
            for row in await connection.execute(_GONE_SINCE, {"last": self._last}):
                if row.pseudonym is not None:
                    self.drop([row.pseudonym])
                self._last = row.gone
