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


def new_nonces(number: int) -> list[bytes]:
    """As `new_nonce`, many at a time: drawing one takes as long as sealing with it."""
    drawn = os.urandom(number * NONCE_BYTES)
    return [drawn[first : first + NONCE_BYTES] for first in range(0, len(drawn), NONCE_BYTES)]


def new_nonce() -> bytes:
    """A random nonce: a key sees a few thousand in its life, far from the 2^32 after which two might be alike."""
    return os.urandom(NONCE_BYTES)


def seal(key: AESGCM, topic: str, pseudonym: str, value: bytes, nonce: bytes | None = None) -> bytes:
    """The value as it travels: a mark, the length of the pseudonym and it, the nonce, what is sealed, the tag.

    Whoever gives a `nonce` has drawn it for this key and value alone.
    """
    whose, nonce = pseudonym.encode(), nonce or new_nonce()
    return b"".join((_MARK, bytes((len(whose),)), whose, nonce, key.encrypt(nonce, value, binding(topic, pseudonym))))


def is_sealed(value: bytes) -> bool:
    """Whether a value is sealed; what is open is JSON."""
    return value.startswith(_MARK)


def sealed_for(value: bytes) -> str:
    """Of whom a sealed value is; raises `UnsealError` when it says nobody."""
    return _split(value)[0]


def unseal(key: AESGCM, topic: str, value: bytes) -> bytes:
    """What was sealed; raises `UnsealError`."""
    pseudonym, nonce, sealed = _split(value)
    try:
        return key.decrypt(nonce, sealed, binding(topic, pseudonym))
    except InvalidTag as error:
        raise UnsealError("the value does not open with its feed's key") from error


def _split(value: bytes) -> tuple[str, bytes, bytes]:
    """Whose it is, the nonce, and what is sealed."""
    end = 2 + value[1] if is_sealed(value) and len(value) > 1 else 0
    if not end or len(value) < end + NONCE_BYTES:
        raise UnsealError("not a sealed value")
    try:
        return value[2:end].decode("ascii"), value[end : end + NONCE_BYTES], value[end + NONCE_BYTES :]
    except UnicodeDecodeError as error:
        raise UnsealError("not a sealed value") from error


def seal_event(key: AESGCM, topic: Topic, event: EventOfStudent) -> bytes:
    """An event about one student as it travels."""
    return seal(key, topic.name, event.student, event.model_dump_json().encode())
