"""A batch of marks gives back what was put in, and nothing of a student whose key is gone."""

from __future__ import annotations

from datetime import UTC, date, datetime

import msgspec
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from services.contracts.marks import AttendanceMark, DayCounts, MarkBatch
from services.contracts.packed import (
    NO_MOMENT,
    STATUSES,
    PlainMark,
    decode,
    pack,
    read_marks_record,
    unseal_marks,
)
from services.contracts.sealed import UnsealError
from tests.sealing import Ciphers, cipher_of

NOW = datetime(2016, 12, 7, 13, tzinfo=UTC)
NAMES = st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=30)
MARKS = st.builds(
    PlainMark,
    student=st.sampled_from(["a", "b", "c"]),
    school_id=NAMES,
    date=st.dates(date(2000, 1, 1), date(2100, 1, 1)),
    status=st.sampled_from(STATUSES),
    excused=st.sampled_from([None, True, False]),
    section=st.none() | NAMES,
    moment=st.just(NO_MOMENT) | st.integers(0, 4_000_000_000_000_000),
    reason=st.none() | NAMES,
    history=st.booleans(),
)


def opened(value: bytes, *, gone: str = "") -> MarkBatch:
    batch = read_marks_record(value, lambda student: None if student in gone else cipher_of(student))
    assert isinstance(batch, MarkBatch)
    return batch


@given(st.lists(MARKS, min_size=1, max_size=20))
def test_marks_come_out_as_they_went_in_each_students_in_order(marks: list[PlainMark]) -> None:
    counts = [DayCounts(school_id="dearborn", date=date(2016, 12, 7), absent=1, reported=2, expected=3)]
    batch = opened(pack(marks, NOW, Ciphers(), counts))
    assert batch.taken_at == NOW
    assert batch.counts == counts
    students = dict.fromkeys(mark.student for mark in marks)
    assert list(map(PlainMark.of, batch.marks)) == [mark for name in students for mark in marks if mark.student == name]


@given(st.lists(MARKS, min_size=1, max_size=20))
def test_of_a_student_without_a_key_nothing_comes_out_and_of_the_others_all(marks: list[PlainMark]) -> None:
    batch = opened(pack(marks, NOW, Ciphers()), gone="b")
    assert sorted(map(PlainMark.of, batch.marks), key=repr) == sorted(
        (mark for mark in marks if mark.student != "b"), key=repr
    )


def mark(student: str = "a", section: str | None = None, reason: str | None = None) -> PlainMark:
    return PlainMark(student, "dearborn", NOW.date(), "absent", None, section, 1, reason, history=False)


def test_what_is_said_of_a_student_is_not_in_the_value() -> None:
    value = pack([mark(section="homeroom-7", reason="evicted")], NOW, Ciphers())
    assert not [word for word in (b"dearborn", b"homeroom", b"evicted") if word in value]


def test_marks_of_one_student_do_not_open_as_anothers() -> None:
    batch = decode(pack([mark("a"), mark("b")], NOW, Ciphers()))
    swapped = msgspec.structs.replace(batch, students=["b", "a"])
    with pytest.raises(UnsealError):
        unseal_marks(swapped, cipher_of)


def test_an_error_of_whoever_has_the_keys_goes_through() -> None:
    def away(_: str) -> AESGCM:
        raise LookupError

    with pytest.raises(LookupError):
        read_marks_record(pack([mark()], NOW, Ciphers()), away)


def test_a_batch_of_the_contract_is_read_as_it_was_written() -> None:
    given = AttendanceMark(student="a", school_id="ä", date=NOW.date(), status="tardy", excused=False, recorded_at=NOW)
    assert opened(pack([PlainMark.of(given)], NOW, Ciphers())).marks == [given]
