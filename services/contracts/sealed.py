"""A value about one student, sealed with the key of its feed: AES-256-GCM, bound to its topic and pseudonym.

Sealed values begin with a byte that no JSON does, and say whose they are, so that a reader finds the key. Without it,
and after a withdrawal nobody has it, they are noise.
"""

from __future__ import annotations

import os
from typing import Final, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.contracts.topics import Topic

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
_MARK: Final = b"\x01"
_PSEUDONYM: Final = 22
_HEAD: Final = len(_MARK) + _PSEUDONYM


class EventOfStudent(Protocol):
    """An event that is about one student."""

    @property
    def student(self) -> str:
        """The student's pseudonym."""

    def model_dump_json(self) -> str:
        """The event as JSON."""


class UnsealError(ValueError):
    """The value was not sealed by this key for this topic and student, or was changed since."""


def binding(topic: str, pseudonym: str) -> bytes:
    """The additional data of what is sealed: it opens in its own topic and for its own student alone."""
    return f"{topic}|{pseudonym}".encode()


def new_nonce() -> bytes:
    """A random nonce: a key sees a few thousand in its life, far from the 2^32 after which two might be alike."""
    return os.urandom(NONCE_BYTES)


def seal(key: AESGCM, topic: str, pseudonym: str, value: bytes) -> bytes:
    """The value as it travels; raises `ValueError` when the pseudonym has not a pseudonym's length."""
    whose = pseudonym.encode()
    if len(whose) != _PSEUDONYM:
        raise ValueError("not a pseudonym")
    nonce = new_nonce()
    return b"".join((_MARK, whose, nonce, key.encrypt(nonce, value, binding(topic, pseudonym))))


def is_sealed(value: bytes) -> bool:
    """Whether a value is sealed; what is open is JSON."""
    return value.startswith(_MARK)


def sealed_for(value: bytes) -> str:
    """Of whom a sealed value is; raises `UnsealError` when it says nobody."""
    if not is_sealed(value) or len(value) < _HEAD + NONCE_BYTES:
        raise UnsealError("not a sealed value")
    try:
        return value[len(_MARK) : _HEAD].decode("ascii")
    except UnicodeDecodeError as error:
        raise UnsealError("not a sealed value") from error


def unseal(key: AESGCM, topic: str, value: bytes) -> bytes:
    """What was sealed; raises `UnsealError`."""
    try:
        return key.decrypt(
            value[_HEAD : _HEAD + NONCE_BYTES], value[_HEAD + NONCE_BYTES :], binding(topic, sealed_for(value))
        )
    except InvalidTag as error:
        raise UnsealError("the value does not open with its feed's key") from error


def seal_event(key: AESGCM, topic: Topic, event: EventOfStudent) -> bytes:
    """An event about one student as it travels."""
    return seal(key, topic.name, event.student, event.model_dump_json().encode())
