"""The feeds' keys, waited for: without one nothing is done, until the partitions move or the worker ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import TypeVar

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.contracts.packed import CipherOf
from services.platform.keys.ring import KeyAwayError
from services.warning.keys import FeedKeys
from services.warning.owned import PartitionLostError

Done = TypeVar("Done")


class PatientKeys:
    """FeedKeys, and waits for them that can be ended."""

    def __init__(self, keys: FeedKeys) -> None:
        self._keys = keys
        self._waits: set[asyncio.Future[None]] = set()
        self._ended = False

    def cipher(self, pseudonym: str) -> AESGCM | None:
        """As `FeedKeys.cipher`."""
        return self._keys.cipher(pseudonym)

    def drop(self, pseudonyms: Iterable[str]) -> None:
        """The keys of these are gone."""
        self._keys.drop(pseudonyms)

    async def find(self, pseudonyms: Iterable[str]) -> None:
        """As `FeedKeys.find`; raises `PartitionLostError` when the wait is ended."""
        wait = asyncio.ensure_future(self._keys.find(pseudonyms))
        self._waits.add(wait)
        try:
            if not self._ended:
                await asyncio.wait({wait})
        finally:
            self._waits.discard(wait)
            if not wait.done():
                wait.cancel()
        if wait.cancelled() or self._ended:
            raise PartitionLostError
        wait.result()

    async def with_keys(self, do: Callable[[CipherOf], Done], whose: Callable[[], Iterable[str]]) -> Done:
        """What `do` comes to when the keys of these are at hand; it may be called more than once.

        Raises `PartitionLostError` when the wait is ended, and what `do` raises.
        """
        while True:
            try:
                return do(self.cipher)
            except KeyAwayError:
                await self.find(whose())

    def end_waits(self) -> None:
        """The partitions moved: whoever waits now waits for what is not theirs any more."""
        for wait in self._waits:
            wait.cancel()

    def wait_no_more(self) -> None:
        """The worker ends: nobody waits any more."""
        self._ended = True
        self.end_waits()
