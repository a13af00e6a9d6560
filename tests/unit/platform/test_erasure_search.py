"""What is about a pseudonym is found wherever it lies, and counted as readable only when it opens."""

from __future__ import annotations

from datetime import UTC, date, datetime

import msgspec
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.contracts.packed import NO_MOMENT, PlainMark, pack
from services.contracts.sealed import seal
from services.contracts.topics import ALERTS, CONSENTS, MARKS, PROGRESS, WINDOWS_CHANGELOG, Topic
from services.platform.erasure.searching import Search, SearchResult
from tests.sealing import Ciphers, cipher_of, key_of

HERS, HIS = "-" + "a" * 21, "b" * 22
CHANGELOG_KEY = f"3|s|{HERS}".encode()


def sealed(topic: Topic, pseudonym: str = HERS) -> bytes:
    return seal(cipher_of(pseudonym), topic.name, pseudonym, b"what was said")


def batch(*pseudonyms: str) -> bytes:
    marks = [
        PlainMark(one, "s1", date(2016, 10, 3), "absent", None, None, NO_MOMENT, None, history=False)
        for one in pseudonyms
    ]
    return pack(marks, datetime(2016, 10, 3, tzinfo=UTC), Ciphers())


def block(*cells: bytes) -> bytes:
    return msgspec.msgpack.encode([4, [["s1", {"cells": list(cells)}], 7], None])


def look(topic: Topic, key: bytes | None, value: bytes | None, *, key_is_there: bool) -> tuple[int, int]:
    search = Search(HERS, [key_of(HERS)] if key_is_there else [])
    search.take(topic.name, topic.name, key, value)
    return search.found().records, search.found().readable


@pytest.mark.parametrize(
    ("topic", "key", "value"),
    [
        (CONSENTS, HERS.encode(), sealed(CONSENTS)),
        (ALERTS, b"an alert's id", sealed(ALERTS)),
        (MARKS, None, batch(HIS, HERS)),
        (WINDOWS_CHANGELOG, CHANGELOG_KEY, sealed(WINDOWS_CHANGELOG)),
        (WINDOWS_CHANGELOG, b"3|b|2016|0|10", block(sealed(WINDOWS_CHANGELOG, HIS), sealed(WINDOWS_CHANGELOG))),
    ],
    ids=["a consent", "an alert", "marks", "a head", "a block"],
)  # fmt: skip
def test_what_is_sealed_opens_while_its_key_is_there(topic: Topic, key: bytes | None, value: bytes) -> None:
    assert look(topic, key, value, key_is_there=True) == (1, 1)
    assert look(topic, key, value, key_is_there=False) == (1, 0)


@pytest.mark.parametrize(
    ("topic", "key", "value"),
    [
        (CONSENTS, HERS.encode(), b'{"consent_from":"2016-09-01"}'),
        (PROGRESS, None, b'{"student":"' + HERS.encode() + b'"}'),
        (WINDOWS_CHANGELOG, CHANGELOG_KEY, msgspec.msgpack.encode([4, "open"])),
        (WINDOWS_CHANGELOG, b"3|i", msgspec.msgpack.encode([4, [HERS]])),
        (WINDOWS_CHANGELOG, CHANGELOG_KEY, b"\xff no MessagePack"),
    ],
    ids=["a consent", "an answer", "a head", "an index", "what is no MessagePack"],
)
def test_what_lies_open_is_readable_by_everybody(topic: Topic, key: bytes | None, value: bytes) -> None:
    assert look(topic, key, value, key_is_there=False) == (1, 1)


@pytest.mark.parametrize(
    ("topic", "key", "value"),
    [
        (CONSENTS, HERS.encode(), None),
        (CONSENTS, HIS.encode(), sealed(CONSENTS, HIS)),
        (MARKS, None, batch(HIS)),
        (MARKS, None, b'{"kind":"closed"}'),
        (WINDOWS_CHANGELOG, b"3|b|2016|0|10", block(sealed(WINDOWS_CHANGELOG, HIS))),
    ],
    ids=["a tombstone", "another's consent", "another's marks", "a close", "another's block"],
)
def test_what_is_about_somebody_else_and_a_tombstone_are_not_counted(
    topic: Topic, key: bytes | None, value: bytes | None
) -> None:
    assert look(topic, key, value, key_is_there=True) == (0, 0)


def test_what_was_damaged_or_is_of_another_topic_does_not_open() -> None:
    assert look(CONSENTS, HERS.encode(), sealed(ALERTS), key_is_there=True) == (1, 0)
    assert look(CONSENTS, HERS.encode(), b"\x01", key_is_there=True) == (1, 0)
    assert look(CONSENTS, HERS.encode(), sealed(CONSENTS)[:-1], key_is_there=True) == (1, 0)


def test_every_key_at_hand_is_tried_and_each_place_is_told() -> None:
    search = Search(HERS, [AESGCM.generate_key(256), key_of(HERS)])
    search.begin(CONSENTS.name)
    search.begin(ALERTS.name)
    search.take(CONSENTS.name, CONSENTS.name, HERS.encode(), sealed(CONSENTS))
    search.take("rocksdb", WINDOWS_CHANGELOG.name, CHANGELOG_KEY, sealed(WINDOWS_CHANGELOG))
    assert search.found() == SearchResult(2, 2, {CONSENTS.name: 1, ALERTS.name: 0, "rocksdb": 1})
