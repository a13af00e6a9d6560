"""What was sealed comes out as it went in, one mark or many."""

from __future__ import annotations

from datetime import UTC, date, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from models.attendance import NO_TIME, RETRACTED, code_of
from services.contracts.packed import NO_MOMENT, STATUSES, PlainMark, decode, pack
from services.warning.columns import MarkColumns, SingleMark, columns_of
from tests.unit.warning.keys import CIPHERS, FakeKeys

TAKEN_AT = datetime(2026, 9, 1, tzinfo=UTC)
names = st.sampled_from(["A", "0455", "école", "日" * 20, ""])
marks = st.builds(
    PlainMark,
    student=st.sampled_from(["ann", "ben", "cyd"]),
    school_id=st.sampled_from(["A", "0455", "école"]),
    date=st.dates(),
    status=st.sampled_from(STATUSES),
    excused=st.sampled_from([True, False, None]),
    section=names.map(lambda name: name or None),
    moment=st.sampled_from([NO_MOMENT, 0, -5, 2**62]),
    reason=names.map(lambda name: name or None),
    history=st.booleans(),
)


def as_said(mark: PlainMark) -> SingleMark:
    code = RETRACTED if mark.status == "retracted" else code_of(mark.status, mark.excused)
    moment = NO_TIME if mark.moment == NO_MOMENT else mark.moment
    return SingleMark(
        mark.student, mark.school_id, mark.section or "", mark.date.toordinal(), code, moment, mark.history
    )


def each(found: MarkColumns) -> list[SingleMark]:
    section = found.section or [""] * len(found.day)
    columns = (found.day, found.code, found.moment, found.history)
    return [
        SingleMark(found.students[of], found.schools[at], section[place], *(column[place].item() for column in columns))
        for place, (of, at) in enumerate(zip(found.of.tolist(), found.at.tolist(), strict=True))
    ]


@settings(deadline=None)
@given(st.lists(marks, min_size=1, max_size=6), st.sets(st.sampled_from(["ann", "ben"])))
def test_of_every_batch_the_marks_whose_keys_there_are_come_back(said: list[PlainMark], gone: set[str]) -> None:
    keys = FakeKeys()
    keys.drop(gone)
    found = columns_of(decode(pack(said, TAKEN_AT, CIPHERS)), keys.cipher)
    together = [m for name in dict.fromkeys(m.student for m in said) for m in said if m.student == name]
    expected = [as_said(mark) for mark in together if mark.student not in gone]
    if isinstance(found, SingleMark):
        assert [found] == expected
        assert each(found.columns()) == expected
    else:
        assert (each(found) if found is not None else []) == expected
        assert found is None or (found.section is None) == all(not mark.section for mark in expected)


def test_a_batch_of_one_is_read_without_arrays() -> None:
    one = PlainMark("ann", "A", date(2026, 9, 1), "absent", None, None, 5, "ill", False)
    assert isinstance(columns_of(decode(pack([one], TAKEN_AT, CIPHERS)), FakeKeys().cipher), SingleMark)
    assert isinstance(columns_of(decode(pack([one, one], TAKEN_AT, CIPHERS)), FakeKeys().cipher), MarkColumns)
