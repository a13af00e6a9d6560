"""Feeds' keys for tests: each pseudonym's is made of it, so that whoever seals and opens needs nothing in common."""

from __future__ import annotations

import hashlib

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.warning.cells import decode_block
from services.warning.stored import known


def key_of(pseudonym: str) -> bytes:
    """The key of a student's feed."""
    return hashlib.sha256(f"key of {pseudonym}".encode()).digest()


def cipher_of(pseudonym: str) -> AESGCM:
    """The cipher of a student's feed."""
    return AESGCM(key_of(pseudonym))


class Ciphers(dict[str, AESGCM]):
    """The ciphers of all students, as `pack` wants them."""

    def __missing__(self, pseudonym: str) -> AESGCM:
        """Made when asked for."""
        cipher = self[pseudonym] = cipher_of(pseudonym)
        return cipher


def sealed_in(key: str, value: bytes) -> list[bytes]:
    """What is sealed in a value of the worker's table; nothing when it is about no single student."""
    if key.startswith("s|"):
        return [value]
    if key.startswith("b|"):
        return [cell for cell in known(value, decode_block).cells if cell]
    return []
