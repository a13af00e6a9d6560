"""Marks in Kafka records."""

from __future__ import annotations

from datetime import UTC, date, datetime

from hypothesis import given
from hypothesis import strategies as st

from services.contracts.marks import AttendanceMark, DayCounts, MarkBatch
from services.contracts.packed import PlainMark, read_marks_record
from services.ingest.publish.batches import MAX_BYTES, MAX_MARKS, Record, mark_records
from tests.sealing import Ciphers

NOW = datetime(2016, 12, 5, tzinfo=UTC)
DAY = date(2016, 12, 5)
CIPHERS = Ciphers()


def mark(student: str, section: str = "1") -> AttendanceMark:
    return AttendanceMark(student=student, school_id="0455", date=DAY, status="absent", section=section)


def student(one: AttendanceMark) -> str:
    return one.student


def records_of(
    marks: list[tuple[int, AttendanceMark]], counts: dict[tuple[str, date], DayCounts] | None = None
) -> list[Record]:
    return mark_records([(partition, PlainMark.of(one)) for partition, one in marks], NOW, counts or {}, CIPHERS)


def read(record: Record) -> MarkBatch:
    assert record.value is not None
    batch = read_marks_record(record.value, CIPHERS.__getitem__)
    assert isinstance(batch, MarkBatch)
    return batch


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 50)), max_size=1_500))
def test_every_mark_travels_once_in_its_partition_and_a_students_in_order(given_marks: list[tuple[int, int]]) -> None:
    marks = [(partition, mark(f"s{number}", str(place))) for place, (partition, number) in enumerate(given_marks)]
    records = records_of(marks)
    for partition in range(4):
        sent = [one for record in records if record.partition == partition for one in read(record).marks]
        taken = [one for its, one in marks if its == partition]
        assert sorted(sent, key=student) == sorted(taken, key=student)
    assert all(0 < len(read(record).marks) <= MAX_MARKS for record in records)


def test_a_batch_is_parted_when_it_has_too_many_bytes() -> None:
    marks = [(0, mark("s" * 900, str(place))) for place in range(MAX_MARKS)]
    records = records_of(marks)
    assert all(record.value and len(record.value) <= MAX_BYTES for record in records)
    sent = [one for record in records for one in read(record).marks]
    assert sorted(sent, key=student) == sorted((one for _, one in marks), key=student)


def test_a_batch_carries_the_counts_of_its_own_days_only() -> None:
    counts = {(s, DAY): DayCounts(school_id=s, date=DAY, absent=3, reported=9, expected=30) for s in ("0455", "0456")}
    (record,) = records_of([(0, mark("s"))], counts)
    assert [one.school_id for one in read(record).counts] == ["0455"]
