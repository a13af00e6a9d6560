"""What is kept about one pseudonym, and whether any of it can still be read: pure, over keys and values as they lie.

A value that is about a student says so in the open: by its record's key, as whose it is sealed, or in a batch's list.
So a value without the pseudonym's bytes is passed over unread.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.contracts.packed import SealedBatch, decode
from services.contracts.sealed import UnsealError, binding, is_sealed, sealed_for, unseal
from services.contracts.topics import MARKS

_JSON: Final = b"{"
_IN_KEYS: Final = b"|"
"""Between the parts of a key of the worker's changelog."""


class SearchResult(NamedTuple):
    """What was found about a pseudonym."""

    records: int
    readable: int
    by_topic: dict[str, int]


class Search:
    """Counts the records about a pseudonym, and those that open with a key at hand."""

    def __init__(self, pseudonym: str, keys: Iterable[bytes]) -> None:
        self._pseudonym = pseudonym
        self._name = pseudonym.encode()
        self._ciphers = [AESGCM(key) for key in keys]
        self._by_place: Counter[str] = Counter()
        self._readable = 0

    def begin(self, place: str) -> None:
        """It is among the places that are looked at, also when nothing is found."""
        self._by_place[place] += 0

    def take(self, place: str, topic: str, key: bytes | None, value: bytes | None) -> None:
        """Look at a record, or an item of a store; `topic` is the one for which its values are sealed.

        A tombstone holds nothing.
        """
        if value is not None and (self._is_key(key) or self._name in value):
            readable = self._reads(topic, key, value)
            if readable is not None:
                self._by_place[place] += 1
                self._readable += readable

    def hold(self, place: str, number: int) -> None:
        """So many rows of a table of the database are about the pseudonym: they can be read as they are."""
        if number:
            self._by_place[place] += number
            self._readable += number

    def found(self) -> SearchResult:
        """All of it so far."""
        return SearchResult(self._by_place.total(), self._readable, dict(self._by_place))

    def _is_key(self, key: bytes | None) -> bool:
        return key is not None and self._name in key.split(_IN_KEYS)

    def _reads(self, topic: str, key: bytes | None, value: bytes) -> bool | None:
        """Whether it can be read; None when it is not about the pseudonym."""
        if is_sealed(value):
            return self._opens(topic, value) if self._is_key(key) or _whose(value) == self._pseudonym else None
        if topic == MARKS.name and (batch := _batch(value)) is not None:
            return self._opens_marks(batch)
        parts = [one for one in sealed_inside(value) if _whose(one) == self._pseudonym]
        if parts:
            return any(self._opens(topic, one) for one in parts)
        return True  # it speaks of the pseudonym, and nothing of it is sealed

    def _opens(self, topic: str, value: bytes) -> bool:
        for cipher in self._ciphers:
            try:
                unseal(cipher, topic, value)
            except UnsealError:
                continue
            return True
        return False

    def _opens_marks(self, batch: SealedBatch) -> bool | None:
        mine = [one for whose, one in zip(batch.students, batch.sealed, strict=False) if whose == self._pseudonym]
        if not mine:
            return None
        return any(_decrypts(cipher, batch.nonce, one, self._pseudonym) for cipher in self._ciphers for one in mine)


def sealed_inside(value: bytes) -> Iterator[bytes]:
    """The sealed values inside a MessagePack value, at any depth; none in what is not MessagePack."""
    if value.startswith(_JSON):
        return
    try:
        left: list[object] = [msgspec.msgpack.decode(value)]
    except ValueError:
        return
    while left:
        one = left.pop()
        if isinstance(one, bytes):
            if is_sealed(one):
                yield one
        elif isinstance(one, dict):
            left += [*one.keys(), *one.values()]
        elif isinstance(one, Sequence) and not isinstance(one, str):
            left += one


def _whose(value: bytes) -> str | None:
    try:
        return sealed_for(value)
    except UnsealError:
        return None


def _batch(value: bytes) -> SealedBatch | None:
    try:
        return decode(value)
    except ValueError:
        return None


def _decrypts(cipher: AESGCM, nonce: bytes, value: bytes, pseudonym: str) -> bool:
    try:
        cipher.decrypt(nonce, value, binding(MARKS.name, pseudonym))
    except (InvalidTag, ValueError):
        return False
    return True
