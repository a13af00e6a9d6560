"""A student and a school come back from the table as they were."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from services.warning.stored_school import dump_school, load_school

from services.contracts.ids import Pseudonym
from services.warning.partition import Partition
from services.warning.records import take
from services.warning.student import Student, dump, load
from tests.unit.warning.driving import PLACE, POLICY, batch, consent, enrollment, mark, worker_with
from tests.unit.warning.worlds import FIRST, World, school_days, worlds


def parts(student: Student) -> tuple[object, ...]:
    year = student.year
    return (
        student.pseudonym,
        student.household,
        student.grade,
        student.withdrawn,
        student.last_seq,
        student.told,
        student.pending,
        year.year,
        year.marks,
        year.ahead,
        year.live,
        year.spans,
        year.consent,
    )


@settings(max_examples=20, deadline=None)
@given(worlds(withdrawals=True))
def test_what_is_loaded_is_what_was_dumped(world: World) -> None:
    worker = worker_with(*world.records())
    for student in worker.partition.students.values():
        assert parts(load(dump(student))) == parts(student)
    for school in worker.partition.schools.values():
        loaded = load_school(dump_school(school), POLICY)
        for name in school.__slots__:
            assert getattr(loaded, name) == getattr(school, name), name


def test_events_that_kafka_has_not_acknowledged_survive_a_restart() -> None:
    partition = Partition(POLICY)
    days = school_days(3)
    for record in (
        enrollment("ann", ("A", FIRST, None)),
        consent("ann", FIRST),
        batch(*(mark("ann", day, "absent") for day in days)),
    ):
        take(partition, PLACE, record.topic, record.key, record.value, 0.0)
    partition.evaluate()
    (student,) = partition.telling
    fresh = Partition(POLICY)
    fresh.add(load(dump(student)))
    (again,) = fresh.telling
    assert again.pending == student.pending
    assert [event.type for event in again.pending] == ["AlertRaised"]


def test_an_empty_student_is_small() -> None:
    assert len(dump(Student(Pseudonym("a" * 22)))) < 64


@pytest.mark.parametrize("data", [b"", b"\x93", b"not a student"])
def test_bytes_that_are_no_students_are_refused(data: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        load(data)
