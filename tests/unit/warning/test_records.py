"""A record does what its topic says; one that cannot be read leaves the state usable."""

from __future__ import annotations

import struct
from datetime import date

import msgspec
import pytest

from services.contracts import topics
from services.contracts.marks import AttendanceMark, MarkBatch
from services.contracts.packed import NO_MOMENT, PackedCounts, PlainMark, decode, encode, pack
from services.contracts.sealed import binding
from services.platform.keys.ring import KeyAwayError, NoKeyError
from services.warning import records
from services.warning.keys import SKIPPED
from tests.unit.warning.driving import (
    PLACE,
    TAKEN_AT,
    TOKEN,
    Record,
    Worker,
    batch,
    close,
    consent,
    counts,
    enrollment,
    mark,
    school_day,
    worker_with,
)
from tests.unit.warning.keys import CIPHERS
from tests.unit.warning.worlds import FIRST, school_days

DAYS = school_days(45)
NONCE = b"nonce nonce!"
REFERENCE = [enrollment("ann", ("A", FIRST, None)), consent("ann", FIRST)]


def json_batch(one: AttendanceMark) -> bytes:
    """A batch in the clear."""
    return MarkBatch(taken_at=TAKEN_AT, marks=[one], counts=[]).model_dump_json().encode()


def packed(names: str = "ann", **changes: object) -> Record:
    """A batch of a mark and a school's counts, with something strange in it."""
    marks = [PlainMark.of(mark(name, DAYS[2], "absent", section="s")) for name in names.split()]
    batch = decode(pack(marks, TAKEN_AT, CIPHERS, [counts("A", DAYS[2], 1, 2)]))
    return Record(topics.MARKS.name, b"0", encode(msgspec.structs.replace(batch, **changes)))


def items(name: str, *marks: tuple[int, int]) -> bytes:
    """A student's marks, days and codes, sealed as in a batch with names of one byte."""
    plain = b"".join(struct.pack("<IqBsss", day, NO_MOMENT, code, b"A", b"", b"") for day, code in marks)
    return CIPHERS[name].encrypt(NONCE, plain, binding(topics.MARKS.name, name))


def strange(*marks: tuple[int, int], cut: int = 0) -> Record:
    """Batches of one and of two students, one of whom says this."""
    told = items("ann", *marks)
    if cut:
        plain = CIPHERS["ann"].decrypt(NONCE, told, binding(topics.MARKS.name, "ann"))[:-cut]
        told = CIPHERS["ann"].encrypt(NONCE, plain, binding(topics.MARKS.name, "ann"))
    return packed(nonce=NONCE, sealed=[told], school_width=1, section_width=1, reason_width=1)


def take(worker: Worker, record: Record) -> object:
    return records.take(worker.partition, PLACE, *record, TAKEN_AT.timestamp(), worker.keys)


def test_only_a_close_is_answered() -> None:
    worker = Worker()
    assert take(worker, close("A", DAYS[0])) == TOKEN
    for record in (*REFERENCE, school_day("A", DAYS[0], instructional=True), batch(mark("ann", DAYS[0]))):
        assert take(worker, record) is None


@pytest.mark.parametrize(
    "poison",
    [
        Record(topics.MARKS.name, b"0", b"{"),
        Record(topics.MARKS.name, b"0", None),
        Record(
            topics.MARKS.name, b"0", b'{"type":"marks","taken_at":"2016-09-01T12:00:00Z","marks":[{"student":"x"}]}'
        ),
        Record(topics.MARKS.name, b"0", b'{"type":"unheard of"}'),
        Record(topics.ENROLLMENTS.name, None, b"{}"),
        Record(topics.ENROLLMENTS.name, b"\xff", b"{}"),
        Record(topics.ENROLLMENTS.name, b"ann", b"[]"),
        Record(topics.CONSENTS.name, b"ann", b'{"student":"ann","valid_from":"soon"}'),
        Record(topics.SCHOOL_DAYS.name, b"A", b"not json"),
        Record(topics.MARKS.name, b"0", batch(mark("ann", DAYS[0])).value and b'{"type":"days_closed","closes":3}'),
        Record(topics.MARKS.name, b"0", json_batch(mark("ann", DAYS[2], "absent"))),
        Record(topics.CONSENTS.name, b"ann", b'{"student":"ann","valid_from":"2016-09-01"}'),
        Record(topics.CONSENTS.name, b"ben", consent("ann", FIRST).value),
        Record(topics.CONSENTS.name, b"ann", enrollment("ann").value),
        Record(topics.CONSENTS.name, b"ann", (consent("ann", FIRST).value or b"")[:-1]),
        packed(counts=[PackedCounts("A", 10**9, 1, 2, 3)]),
        packed(counts=[PackedCounts("A", DAYS[0].toordinal(), -1, 2, 3)]),
        packed(students=["ben"]),
        packed(students=[]),
        packed("ann ben", students=["ben", "ann"]),
        packed(nonce=b"0" * 12),
        packed(school_width=0),
        packed(school_width=2),
        strange((DAYS[2].toordinal(), 7)),
        strange((0, 1)),
        strange((date.max.toordinal() + 1, 1)),
        strange((DAYS[2].toordinal(), 1), (DAYS[2].toordinal(), 7)),
        strange((DAYS[2].toordinal(), 1), (0, 1)),
        strange((DAYS[2].toordinal(), 1), (2**31, 1)),
        strange((DAYS[2].toordinal(), 1), cut=1),
        Record(
            topics.RISK_WEEKS.name,
            b"",
            b'{"week":"2016-09-05","partition":0,"partitions":2,"token":"6f1e5d5e-6d0c-5f43-9d5c-0f1b57be11aa",'
            b'"entered":100000000000000000000,"waiting":[],"passed":[]}',
        ),
    ],
)
def test_a_record_that_cannot_be_read_leaves_the_state_as_it_was(poison: Record) -> None:
    records_ = [*REFERENCE, *(batch(mark("ann", day, "absent")) for day in DAYS[:2])]
    worker, undisturbed = worker_with(*records_), worker_with(*records_)
    with pytest.raises(ValueError):  # noqa: PT011 - pydantic's and Unicode's errors are kinds of it
        take(worker, poison)
    following = [batch(mark("ann", DAYS[2], "absent")), close("A", *DAYS[:3])]
    assert worker.take(*following) == undisturbed.take(*following)
    assert worker.windows() == undisturbed.windows()
    worker.check_reader()


@pytest.mark.parametrize("strange", [date.max, date.min, date(1, 12, 31)])
def test_a_date_at_the_end_of_time_stops_nobody(strange: date) -> None:
    worker = worker_with(*REFERENCE, enrollment("ben", ("B", FIRST, None)), consent("ben", FIRST))
    worker.take(
        batch(mark("ann", strange, "absent")), close("A", strange), school_day("A", strange, instructional=True)
    )
    worker.take(*(batch(mark("ben", day, "absent", school="B")) for day in DAYS[:3]))
    worker.restart()
    assert worker.windows().keys() == {"ann", "ben"}
    assert {alert.student for alert in worker.standing()} == {"ben"}


def test_a_calendar_record_without_a_calendar_says_nothing_of_the_day() -> None:
    worker = worker_with(*REFERENCE, close("A", DAYS[0]))
    worker.take(school_day("A", DAYS[0], instructional=None))
    window = worker.window("ann")
    assert window is not None
    assert window["enrolled_days"] == 1


def test_a_tombstone_of_a_school_day_is_passed_over() -> None:
    assert take(Worker(), Record(topics.SCHOOL_DAYS.name, b"A|2016-09-06", None)) is None


def test_marks_whose_key_is_gone_are_passed_over_and_the_others_of_their_batch_are_not() -> None:
    worker = worker_with(*REFERENCE, enrollment("ben", ("A", FIRST, None)), consent("ben", FIRST))
    worker.keys.drop(["ben"])
    before = skipped(topics.MARKS.name)
    worker.take(packed("ann ben"), packed("ben"), packed("ben ben"))
    assert skipped(topics.MARKS.name) == before + 3
    assert [len(worker.windows()[name]["marks"]) for name in ("ann", "ben")] == [1, 0]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "record", [packed("ann ben"), packed("ben"), enrollment("ben", ("A", FIRST, None)), consent("ben", FIRST)]
)
def test_while_a_key_is_away_nothing_of_a_record_is_applied_and_it_can_be_tried_again(record: Record) -> None:
    worker, undisturbed = worker_with(*REFERENCE), worker_with(*REFERENCE)
    worker.keys.away = {"ben"}
    with pytest.raises(KeyAwayError):
        take(worker, record)
    assert worker.windows() == undisturbed.windows()
    assert worker.partition.school_facts.schools.keys() == undisturbed.partition.school_facts.schools.keys()
    assert "ben" in records.students_of(record.topic, record.value)
    worker.keys.away = set()
    worker.take(record)
    undisturbed.take(record)
    assert worker.windows() == undisturbed.windows()


@pytest.mark.parametrize("record", [packed("ann ben"), packed("ben"), consent("ben", FIRST)])
def test_a_record_sealed_with_a_key_that_was_never_made_is_refused(record: Record) -> None:
    worker = worker_with(*REFERENCE)
    worker.keys.never = {"ben"}
    with pytest.raises(NoKeyError):
        take(worker, record)


@pytest.mark.parametrize("nobody_has_it", [True, False])
def test_what_does_not_open_of_one_student_takes_nothing_from_the_others_of_the_batch(nobody_has_it: bool) -> None:
    worker = worker_with(*REFERENCE, enrollment("ben", ("A", FIRST, None)), consent("ben", FIRST))
    record, error = packed("ann ben"), NoKeyError
    if nobody_has_it:
        worker.keys.never = {"ben"}
    else:
        batch_ = decode(record.value or b"")
        record = packed("ann ben", nonce=batch_.nonce, sealed=[batch_.sealed[0], b"sealed with another key"])
        error = ValueError
    with pytest.raises(error):
        take(worker, record)
    assert [len(worker.windows()[name]["marks"]) for name in ("ann", "ben")] == [1, 0]  # type: ignore[arg-type]
    assert DAYS[2].toordinal() in worker.partition.school_facts.schools["A"].counts


def skipped(topic: str) -> float:
    return SKIPPED.labels(topic)._value.get()
