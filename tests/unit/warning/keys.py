"""Feeds' keys in memory: all are at hand, but for those that a test takes away."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.platform.keys.ring import KeyAwayError, NoKeyError
from tests.sealing import Ciphers

CIPHERS = Ciphers()


class FakeKeys:
    """In place of the ring: `away` keys come when `back` is set, or when the set is emptied."""

    def __init__(self) -> None:
        self.gone: set[str] = set()
        self.never: set[str] = set()
        self.away: set[str] = set()
        self.asked: list[set[str]] = []
        self.back = asyncio.Event()

    def cipher(self, pseudonym: str) -> AESGCM | None:
        if pseudonym in self.gone:
            return None
        if pseudonym in self.never:
            raise NoKeyError
        if pseudonym in self.away:
            raise KeyAwayError
        return CIPHERS[pseudonym]

    def drop(self, pseudonyms: Iterable[str]) -> None:
        self.gone.update(pseudonyms)

    async def find(self, pseudonyms: Iterable[str]) -> None:
        wanted = set(pseudonyms) & self.away
        if wanted:
            self.asked.append(wanted)
            await self.back.wait()
            self.away -= wanted
