"""The keys of the made-up students' feeds: each is made of the pseudonym, so that nobody has to hand them on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from cryptography.hazmat.primitives.ciphers.aead import AESGCM


def key_of(pseudonym: str) -> bytes:
    """The key of a student's feed."""
    return hashlib.sha256(f"benchmark {pseudonym}".encode()).digest()


class Ciphers(dict[str, AESGCM]):
    """The ciphers of all students, made at first use; in the place of the worker's ring of keys, too."""

    def __missing__(self, pseudonym: str) -> AESGCM:
        """Make it."""
        cipher = self[pseudonym] = AESGCM(key_of(pseudonym))
        return cipher

    def cipher(self, pseudonym: str) -> AESGCM | None:
        """The feed's cipher."""
        return self[pseudonym]

    def drop(self, pseudonyms: Iterable[str]) -> None:
        """Nobody is erased here: those who are would have their keys again."""

    async def find(self, pseudonyms: Iterable[str]) -> None:
        """All are at hand."""
