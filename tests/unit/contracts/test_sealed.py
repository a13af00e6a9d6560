"""What is sealed opens with its own key, in its own topic, for its own student, and in no other way."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts.sealed import UnsealError, is_sealed, seal, sealed_for, unseal
from tests.sealing import cipher_of

TOPIC = "alerts.v1"
STUDENT = "A-fictional_pseudonym0"


@given(st.binary(max_size=2_000))
def test_what_is_sealed_says_whose_it_is_and_opens(plain: bytes) -> None:
    value = seal(cipher_of(STUDENT), TOPIC, STUDENT, plain)
    assert is_sealed(value)
    assert sealed_for(value) == STUDENT
    assert unseal(cipher_of(STUDENT), TOPIC, value) == plain


def test_two_seals_of_one_value_have_nothing_in_common_behind_the_pseudonym() -> None:
    first, second = (seal(cipher_of(STUDENT), TOPIC, STUDENT, b"absent") for _ in range(2))
    start = len(STUDENT) + 2
    assert first[:start] == second[:start]
    assert first[start:] != second[start:]


def test_another_key_topic_or_student_does_not_open_it() -> None:
    value = seal(cipher_of(STUDENT), TOPIC, STUDENT, b"absent")
    other = "B-fictional_pseudonym0"
    with pytest.raises(UnsealError):
        unseal(cipher_of(other), TOPIC, value)
    with pytest.raises(UnsealError):
        unseal(cipher_of(STUDENT), "attendance.marks.v1", value)
    with pytest.raises(UnsealError):
        unseal(cipher_of(STUDENT), TOPIC, value.replace(STUDENT.encode(), other.encode()))


@given(st.integers(min_value=0), st.integers(min_value=1, max_value=255))
def test_a_changed_byte_is_noticed(place: int, change: int) -> None:
    value = bytearray(seal(cipher_of(STUDENT), TOPIC, STUDENT, b"absent"))
    value[place % len(value)] ^= change
    with pytest.raises(UnsealError):
        unseal(cipher_of(STUDENT), TOPIC, bytes(value))


@pytest.mark.parametrize("value", [b"", b"\x01", b"\x01\x16", b"\x01\x02\xff\xff" + bytes(40), b'{"student": "x"}'])
def test_what_is_no_sealed_value_is_told(value: bytes) -> None:
    with pytest.raises(UnsealError):
        unseal(cipher_of(STUDENT), TOPIC, value)
