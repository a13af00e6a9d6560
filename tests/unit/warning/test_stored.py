"""What is stored comes back as it was, is small, and is written when it changes and not otherwise."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone

import msgspec
import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given, settings

from models.attendance import EXCUSED, NO_TIME, UNEXCUSED, SectionMark
from models.engine.past import past_of
from models.policy import Policy
from models.school import School
from services.contracts import topics
from services.contracts.ids import Pseudonym
from services.contracts.marks import AttendanceMark
from services.contracts.reference import SchoolDay
from services.contracts.sealed import UnsealError, seal, sealed_for, unseal
from services.platform.keys.ring import NoKeyError
from services.warning.capacity import CapacityControl
from services.warning.cells import Block, Cell, decode_block, decode_cell
from services.warning.loading import load_partition
from services.warning.partition import Partition
from services.warning.records import take
from services.warning.school_year import BLOCK
from services.warning.sealing import TOPIC, open_stored, seal_changes
from services.warning.stored import VERSION, UnreadableStateError, decode_month, dump_head, encode, known
from services.warning.student import NO_ROW, Student
from tests.sealing import sealed_in
from tests.unit.warning.driving import (
    PLACE,
    POLICY,
    TAKEN_AT,
    Record,
    Worker,
    batch,
    close,
    consent,
    counts,
    enrollment,
    erased,
    loaded,
    mark,
    school_day,
    worker_with,
)
from tests.unit.warning.keys import CIPHERS, FakeKeys
from tests.unit.warning.worlds import FIRST, World, at, school_days, worlds

DAYS = school_days(45)


def known_student(name: str, school: str = "A") -> Worker:
    return worker_with(enrollment(name, (school, FIRST, None)), consent(name, FIRST))


def head_parts(student: Student) -> tuple[object, ...]:
    """Who the student is and what was told."""
    return tuple(
        getattr(student, name)
        for name in Student.__slots__
        if name not in ("turns", "changes", "row", "pending", "level_at_close")
    )


def columns_of(partition: Partition, student: Student) -> tuple[object, ...]:
    """The student's days, what each came to, and the course of the levels."""
    if student.row == NO_ROW:
        return ()
    year, row = partition.years[student.year], student.row
    register = year.cohort.register
    said = register.said[row, : register.columns]
    at_days = {day: (said[n], register.kept[row, n]) for n, day in enumerate(register.days) if said[n]}
    days = past_of(register, row).ordinals
    return list(year.marks.of_row(row)), at_days, days, list(year.levels.course(row))


def check_same(again: Partition, before: Partition) -> None:
    assert again.students.keys() == before.students.keys()
    for name, student in before.students.items():
        assert head_parts(again.students[name]) == head_parts(student)
        assert columns_of(again, again.students[name]) == columns_of(before, student)
    for name, school in before.school_facts.schools.items():
        loaded = again.school_facts.schools.get(name, School())
        for slot in School.__slots__:
            assert getattr(loaded, slot) == getattr(school, slot), (name, slot)


@pytest.mark.slow
@settings(max_examples=20, deadline=None)
@given(worlds(withdrawals=True))
def test_what_is_loaded_is_what_was_dumped(world: World) -> None:
    worker = worker_with(*world.records())

    check_same(worker.successor().partition, worker.partition)


@pytest.mark.parametrize(
    "step",
    [timedelta(minutes=1), timedelta(seconds=1), timedelta(milliseconds=1), timedelta(microseconds=1)],
    ids=["minutes", "seconds", "milliseconds", "microseconds"],
)
@pytest.mark.parametrize("hours", [-5, 0, 14])
def test_moments_come_back_to_the_microsecond(step: timedelta, hours: int) -> None:
    """Also those said long before or after the day, and on the day before it in UTC."""
    worker, zone = known_student("ann"), timezone(timedelta(hours=hours))
    moments = [datetime.combine(day, time(0, 5), zone) + number * step for number, day in enumerate(DAYS[:8])]
    moments[3], moments[5] = moments[3] - timedelta(days=3), moments[5] + timedelta(days=90)
    emitted = [mark("ann", day, "absent", recorded_at=moment) for day, moment in zip(DAYS, moments, strict=False)]
    worker.take(batch(*emitted, mark("ann", DAYS[8], "tardy"), mark("ann", DAYS[30], "absent")))

    again = worker.successor()

    check_same(again.partition, worker.partition)
    year = again.partition.years[2016]
    found = [rows[0].recorded_at for _, rows in year.marks.of_row(again.partition.students[Pseudonym("ann")].row)]
    given = [round(moment.timestamp() * 1_000_000) for moment in moments]
    assert found == [*given, NO_TIME, NO_TIME]
    earlier = mark("ann", DAYS[0], "present", recorded_at=moments[0] - timedelta(microseconds=1))
    assert again.take(batch(earlier)) == []
    check_same(again.partition, worker.partition)


def test_moments_at_the_same_minutes_of_every_day_take_a_byte_each() -> None:
    worker = known_student("ann")
    worker.take(batch(*(mark("ann", day, recorded_at=datetime.combine(day, time(8, 30), UTC)) for day in DAYS[:15])))

    assert {len(cell.moments) for cell in cells_of(worker, "ann")} == {15}


def test_without_a_moment_none_is_stored() -> None:
    worker = known_student("ann")
    worker.take(batch(*(mark("ann", day) for day in DAYS[:15])))

    assert [(cell.moments, len(encode(cell)) < 35) for cell in cells_of(worker, "ann")] == [(b"", True)]


def test_days_of_several_sections_and_schools_come_back() -> None:
    worker = known_student("ann")
    sections = [mark("ann", DAYS[0], "absent", section=name, recorded_at=at(DAYS[0], 1)) for name in ("s1", "s2")]
    worker.take(batch(*sections, mark("ann", DAYS[0], "absent", excused=True, section="s3")))
    worker.take(batch(mark("ann", DAYS[1], "absent"), mark("ann", DAYS[1], "present", school="B")))

    again = worker.successor()

    check_same(again.partition, worker.partition)
    year = again.partition.years[2016]
    assert [len(rows) for _, rows in year.marks.of_row(0)] == [3, 2]
    assert year.marks.several_of(0)[DAYS[0].toordinal()][2] == SectionMark("A", "s3", EXCUSED, NO_TIME)
    for each in (worker, again):
        each.take(batch(mark("ann", DAYS[0], "present", section="s1", recorded_at=at(DAYS[0], 2))))
    check_same(again.partition, worker.partition)


def test_another_school_every_day_comes_back() -> None:
    worker = Worker()
    for student in range(30):
        worker.take(enrollment(f"s{student}", ("A", FIRST, None)), consent(f"s{student}", FIRST))
    marks = [
        mark(f"s{student}", day, "absent", school=f"school {student} {number}")
        for student in range(30)
        for number, day in enumerate(DAYS[:10])
    ]
    worker.take(batch(*marks))

    assert {len(cell.schools) for cell in cells_of(worker, "s7")} == {10}
    check_same(worker.successor().partition, worker.partition)


def test_a_month_of_sections_with_long_names_stays_far_below_what_kafka_takes() -> None:
    worker, students = Worker(), [f"s{number}" for number in range(BLOCK)]
    for student in students:
        worker.take(enrollment(student, ("A", FIRST, None)), consent(student, FIRST))
    worker.take(
        *(
            batch(
                *(mark(student, day, section=f"{number} {'x' * 100}") for student in students for number in range(10))
            )
            for day in DAYS[:19]
        )
    )

    assert max(map(len, worker.stored.values())) < 100_000
    check_same(worker.successor().partition, worker.partition)


def test_a_schools_facts_come_back() -> None:
    worker = worker_with(
        school_day("A", DAYS[0], instructional=True),
        school_day("A", DAYS[1], instructional=False),
        close("A", DAYS[0], history=True),
        close("A", DAYS[25], counts=counts("A", DAYS[25], 60, 70, 80)),
    )

    check_same(worker.successor().partition, worker.partition)
    months = {key: known(value, decode_month) for key, value in worker.stored.items() if key.startswith("c|")}
    assert months.keys() == {"c|A|2016-09", "c|A|2016-10"}
    assert months["c|A|2016-10"].counts == {DAYS[25].toordinal(): (60, 70, 80)}


def test_a_calendar_that_is_no_guess_any_more_is_none_after_a_restart_either() -> None:
    worker = Worker()
    for day, assumed in ((DAYS[25], True), (DAYS[0], False)):
        value = SchoolDay(school_id="A", date=day, instructional=True, assumed=assumed).model_dump_json().encode()
        worker.take(Record(topics.SCHOOL_DAYS.name, f"A|{day}".encode(), value))

    check_same(worker.successor().partition, worker.partition)
    assert not worker.partition.school_facts.schools["A"].assumed


def test_marks_of_a_later_year_are_kept_for_it() -> None:
    worker = known_student("ann")
    worker.take(batch(mark("ann", DAYS[0]), mark("ann", date(2017, 9, 7), "absent", recorded_at=at(DAYS[0], 1))))

    again = worker.successor()

    check_same(again.partition, worker.partition)
    again.take(close("A", date(2017, 9, 7)))
    window = again.window("ann")
    assert window is not None
    assert (window["enrolled_days"], window["absent_days"]) == (1, 1)


def test_events_that_kafka_has_not_acknowledged_survive_a_restart() -> None:
    partition = Partition(POLICY)
    for record in (
        enrollment("ann", ("A", FIRST, None)),
        consent("ann", FIRST),
        batch(*(mark("ann", day, "absent") for day in DAYS[:3])),
    ):
        take(partition, PLACE, *record, 0.0, FakeKeys())
    partition.evaluate()
    (student,) = partition.emitting
    stored = {key: value for key, value in sealed(partition) if value is not None}

    (again,) = loaded(stored).emitting

    assert again.pending == student.pending
    assert [event.type for event in again.pending] == ["AlertRaised"]


def test_an_empty_student_is_small() -> None:
    assert len(dump_head(Student(Pseudonym("a" * 22)), None).value) < 64


def blocks(worker: Worker) -> list[Block]:
    return [known(value, decode_block) for key, value in worker.stored.items() if key.startswith("b|")]


def sealed(partition: Partition) -> list[tuple[str, bytes | None]]:
    """What is written next."""
    return seal_changes(partition.take_changes(), FakeKeys().cipher)


def cells_of(worker: Worker, name: str) -> list[Cell]:
    """The student's days, opened."""
    found = [cell for block in blocks(worker) for cell in block.cells if cell and sealed_for(cell) == name]
    return [decode_cell(open_stored(cell, CIPHERS.__getitem__) or b"") for cell in found]


def head_of(worker: Worker, name: str) -> bytes:
    return open_stored(worker.stored[f"s|{name}"], CIPHERS.__getitem__) or b""


@pytest.mark.parametrize("kind", ["s|", "b|", "c|", "r|"])
@pytest.mark.parametrize("value", [[VERSION + 1], [VERSION - 1, "something", {"else": 1}], {"marks": {}}])
def test_a_format_of_another_release_is_refused_with_what_to_do(kind: str, value: object) -> None:
    """Also that of releases that sealed nothing."""
    worker = known_student("ann")
    worker.take(batch(mark("ann", DAYS[0])), close("A", DAYS[0]))
    stored = {key: encode(value) if key.startswith(kind) else old for key, old in worker.stored.items()}

    version = value[0] if isinstance(value, list) else 0
    with pytest.raises(UnreadableStateError, match=rf"format {version}, and this First Bell reads {VERSION}.*anew"):
        loaded(stored)


@pytest.mark.parametrize("kind", ["s|", "b|", "c|", "r|"])
def test_a_value_that_only_says_another_version_is_refused_too(kind: str) -> None:
    """Its fields may be read, and mean something else."""
    worker = known_student("ann")
    worker.take(batch(mark("ann", DAYS[0])), close("A", DAYS[0]))
    stored = dict(worker.stored)
    key = next(key for key in stored if key.startswith(kind))
    parts = msgspec.msgpack.decode(head_of(worker, "ann") if kind == "s|" else stored[key])
    other = encode([VERSION + 1, *parts[1:]])
    stored[key] = seal(CIPHERS["ann"], TOPIC, "ann", other) if kind == "s|" else other

    with pytest.raises(UnreadableStateError, match=f"format {VERSION + 1}"):
        loaded(stored)


@pytest.mark.parametrize("data", [b"", b"\x93", b"not a student"])
def test_bytes_that_are_no_students_are_refused(data: bytes) -> None:
    with pytest.raises((msgspec.DecodeError, UnreadableStateError)):
        loaded({"s|ann": data})


def two_in_a_block() -> Worker:
    worker = Worker()
    for name in ("ann", "ben"):
        worker.take(enrollment(name, ("A", FIRST, None)), consent(name, FIRST))
        worker.take(batch(*(mark(name, day, "absent") for day in DAYS[:3])))
    worker.take(batch())  # writes that the alerts were acknowledged
    return worker


def test_what_is_stored_of_a_student_is_sealed_and_bound_to_it() -> None:
    worker = two_in_a_block()

    for key, value in worker.stored.items():
        for each in sealed_in(key, value):
            name = sealed_for(each)
            assert unseal(CIPHERS[name], TOPIC, each)
            for other, topic in (("ben" if name == "ann" else "ann", TOPIC), (name, topics.ALERTS.name)):
                with pytest.raises(UnsealError):
                    unseal(CIPHERS[other], topic, each)
        if key[:2] in {"s|", "b|"}:
            assert not [text for text in (b"unexcused", b"0x", b"A" * 3) if text in value]
    assert {name for block in blocks(worker) for name in map(sealed_for, filter(None, block.cells))} == {"ann", "ben"}


def test_an_erased_student_is_in_no_stored_value_after_the_next_write_and_others_are_as_they_were() -> None:
    worker = two_in_a_block()
    before = cells_of(worker, "ben")
    assert cells_of(worker, "ann")

    worker.take(erased("ann"))

    assert cells_of(worker, "ben") == before
    assert [key for key, value in worker.stored.items() if b"ann" in value or "ann" in key] == []
    worker.take(batch(mark("ann", DAYS[5], "absent")), close("A", DAYS[5]))
    assert cells_of(worker, "ann") == []
    check_same(worker.successor().partition, worker.partition)


def test_what_a_segment_still_has_of_an_erased_student_is_noise() -> None:
    worker = two_in_a_block()
    stored = dict(worker.stored)

    for keys in (keys_without("ann"), keys_without("ann", "ben")):
        opened = [open_stored(each, keys.cipher) for key, value in stored.items() for each in sealed_in(key, value)]
        assert opened.count(None) == 2 * len(keys.gone)


def keys_without(*names: str) -> FakeKeys:
    keys = FakeKeys()
    keys.drop(names)
    return keys


def test_a_student_whose_key_is_gone_when_it_is_read_is_not_there_and_is_removed_with_the_next_write() -> None:
    worker = two_in_a_block()
    alone = two_in_a_block()
    alone.take(erased("ann"))

    partition = loaded(worker.stored, keys=keys_without("ann"))

    assert partition.students.keys() == {"ben"}
    assert partition.removals == {"ann": {"warning.windows": 1}}
    stored = dict(worker.stored)
    for key, value in seal_changes(partition.take_changes(), keys_without("ann").cipher):
        stored[key] = value or b""
    again = loaded({key: value for key, value in stored.items() if value})
    check_same(again, alone.partition)
    assert not again.removals
    assert b"ann" not in b"".join(stored.values())


def test_a_key_that_goes_before_the_write_takes_the_student_along_and_nobody_else() -> None:
    worker = two_in_a_block()
    worker.keys.drop(["ann"])

    worker.take(batch(*(mark(name, DAYS[5], "absent") for name in ("ann", "ben"))))
    worker.take(batch(mark("ben", DAYS[6])))

    assert cells_of(worker, "ann") == []
    assert len(cells_of(worker, "ben")) == 1


def test_a_student_whose_key_was_never_made_stays_in_the_table_and_its_row_is_nobody_elses() -> None:
    worker = two_in_a_block()
    whole = worker.successor()
    keys = FakeKeys()
    keys.never = {"ann"}

    again = Worker(loaded(worker.stored, keys=keys))
    again.keys, again.stored = keys, dict(worker.stored)
    assert again.partition.students.keys() == {"ben"}
    again.take(
        enrollment("cyd", ("A", FIRST, None)), consent("cyd", FIRST), batch(*(mark(n, DAYS[5]) for n in ("ben", "cyd")))
    )
    with pytest.raises(NoKeyError):
        again.take(batch(mark("ann", DAYS[5])))
    keys.never = set()
    with pytest.raises(NoKeyError):
        again.take(batch(mark("ann", DAYS[5])))

    found = loaded(again.stored)
    name = Pseudonym("ann")
    assert columns_of(found, found.students[name]) == columns_of(whole.partition, whole.partition.students[name])
    assert found.students.keys() == {"ann", "ben", "cyd"}
    assert len({student.row for student in found.students.values()}) == 3


class OtherKeys(FakeKeys):
    """Of ann the key was made anew: a dump was restored, and the consent handed in again."""

    def cipher(self, pseudonym: str) -> AESGCM | None:
        found = super().cipher(pseudonym)
        return AESGCM(b"another key for the same student") if found is not None and pseudonym == "ann" else found


def with_the_other_key(record: Record) -> Record:
    """A record of ann's as ingest sends it then."""
    value = unseal(CIPHERS["ann"], record.topic, record.value or b"")
    return record._replace(value=seal(OtherKeys().cipher("ann") or CIPHERS["ann"], record.topic, "ann", value))


@pytest.mark.parametrize("is_known_at_the_start", [True, False])
def test_a_student_whose_key_was_made_anew_begins_anew_and_nobody_else_does(is_known_at_the_start: bool) -> None:
    worker, keys = two_in_a_block(), OtherKeys()
    whole = worker.successor()
    keys.never = set() if is_known_at_the_start else {"ann"}
    again = Worker(loaded(worker.stored, keys=keys))
    again.keys, again.stored = keys, dict(worker.stored)
    assert again.partition.students.keys() == {"ben"}
    keys.never = set()

    again.take(*map(with_the_other_key, (enrollment("ann", ("A", FIRST, None)), consent("ann", FIRST))))
    again.take(close("A", DAYS[5]))

    for partition in (again.partition, loaded(again.stored, keys=keys)):
        assert partition.students.keys() == {"ann", "ben"}
        ann, ben = (partition.students[Pseudonym(name)] for name in ("ann", "ben"))
        assert not list(partition.years[2016].marks.of_row(ann.row))
        marks = whole.partition.years[2016].marks
        assert list(partition.years[2016].marks.of_row(ben.row)) == list(
            marks.of_row(whole.partition.students[Pseudonym("ben")].row)
        )


def test_a_student_whose_key_was_never_made_can_be_erased() -> None:
    worker, keys = two_in_a_block(), FakeKeys()
    keys.never = {"ann"}
    again = Worker(loaded(worker.stored, keys=keys))
    again.stored = dict(worker.stored)

    again.take(erased("ann"))

    assert [key for key, value in again.stored.items() if b"ann" in value or "ann" in key] == []
    assert cells_of(again, "ben") == cells_of(worker, "ben")


def test_a_row_is_given_to_nobody_else_also_when_nothing_else_than_that_it_was_given_is_known_of_it() -> None:
    worker, keys = two_in_a_block(), FakeKeys()
    worker.take(enrollment("cyd", ("A", FIRST, None)), consent("cyd", FIRST), close("A", DAYS[0]))
    keys.never = {"cyd"}
    again = Worker(loaded(worker.stored, keys=keys))
    again.stored = dict(worker.stored)
    again.take(enrollment("dan", ("A", FIRST, None)), consent("dan", FIRST), batch(mark("dan", DAYS[5])))

    found = loaded(again.stored)

    rows = {name: student.row for name, student in found.students.items()}
    assert len(set(rows.values())) == 4
    assert [len(list(found.years[2016].marks.of_row(rows[name]))) for name in ("cyd", "dan")] == [0, 1]


def test_the_last_of_a_block_takes_the_block_along() -> None:
    worker = known_student("ann")
    worker.take(batch(mark("ann", DAYS[0], "absent")))
    assert blocks(worker)

    worker.take(erased("ann"))

    assert blocks(worker) == []


def written(worker: Worker, *marks: AttendanceMark) -> list[str]:
    """The keys that are written when these marks are taken."""
    record = batch(*marks)
    take(worker.partition, PLACE, *record, TAKEN_AT.timestamp(), worker.keys)
    while worker.partition.touched and worker.partition.evaluate():
        pass
    return [key for key, _ in sealed(worker.partition)]


def test_one_mark_writes_one_block_and_nothing_else() -> None:
    worker = known_student("ann")
    worker.take(batch(*(mark("ann", day) for day in DAYS[:3])))

    assert written(worker, mark("ann", DAYS[10])) == ["b|2016|0|9"]
    assert written(worker, mark("ann", DAYS[30])) == ["b|2016|0|10"]


def test_a_mark_that_turns_a_level_writes_the_student_too() -> None:
    worker = known_student("ann")
    worker.take(batch(*(mark("ann", day, "absent") for day in DAYS[:2])))

    assert sorted(written(worker, mark("ann", DAYS[2], "absent"))) == ["b|2016|0|9", "s|ann"]


def test_what_did_not_change_is_not_written_again() -> None:
    worker = two_in_a_block()

    assert written(worker) == []
    assert written(worker, *(mark("ann", day, "absent") for day in DAYS[:3])) == []
    assert written(worker.successor()) in ([], ["r|"])


def test_a_course_whose_days_differ_is_decided_anew() -> None:
    """As when the days were written and the head that goes with them was not."""
    worker = two_in_a_block()
    torn = dict(worker.stored)
    worker.take(batch(*(mark(name, DAYS[1], "present", recorded_at=at(DAYS[1], 9)) for name in ("ann",))))
    torn |= {key: value for key, value in worker.stored.items() if key.startswith("b|")}
    assert torn["s|ann"] != worker.stored["s|ann"]

    again = Worker(loaded(torn))
    again.reader = worker.reader
    assert again.partition.touched
    events = again.take(batch())

    assert [(event.student, event.type) for event in events] == [("ann", "AlertWithdrawn")]
    check_courses(again, worker)


def test_a_course_of_another_policy_is_decided_anew() -> None:
    worker = two_in_a_block()
    streak = next(rule for rule in POLICY.rules if rule.id == "streak_3").model_copy(update={"days": 4})
    other: Policy = POLICY.model_copy(update={"rules": (streak,)})

    partition = load_partition(worker.stored, other, CapacityControl(None, None), TAKEN_AT, FakeKeys().cipher)

    assert partition.touched
    while partition.evaluate():
        pass
    assert {event.type for student in partition.emitting for event in student.pending} == {"AlertWithdrawn"}


def check_courses(one: Worker, other: Worker) -> None:
    for name, student in one.partition.students.items():
        twin = other.partition.students[name]
        assert columns_of(one.partition, student) == columns_of(other.partition, twin)


def test_after_a_restart_nothing_waits_to_be_decided() -> None:
    again = two_in_a_block().successor()

    assert not again.partition.touched
    year = again.partition.years[2016]
    assert year.cohort.ledger.length[:2].tolist() == [3, 3]
    assert np.unique(year.cohort.register.said[:2, :3] & 7).tolist() == [UNEXCUSED]


def test_days_after_the_last_turn_do_not_let_it_be_decided_again() -> None:
    worker = two_in_a_block()
    worker.take(batch(*(mark(name, day, "absent") for name in ("ann", "ben") for day in DAYS[3:4])))
    assert written(worker) == []

    again = worker.successor()

    assert not again.partition.touched
    check_same(again.partition, worker.partition)


def test_a_write_cut_short_anywhere_loses_no_alert_when_its_records_come_again() -> None:
    """Kafka takes some of a write, and the worker dies: nothing of it was acknowledged."""
    before = worker_with(
        *(record for name in ("ann", "ben") for record in (enrollment(name, ("A", FIRST, None)), consent(name, FIRST))),
        batch(*(mark(name, day, "absent") for name in ("ann", "ben") for day in DAYS[:2])),
        batch(),
    )
    record = batch(*(mark(name, day, "absent") for name in ("ann", "ben") for day in DAYS[2:4]))
    worker = before.successor()
    take(worker.partition, PLACE, *record, TAKEN_AT.timestamp(), worker.keys)
    while worker.partition.evaluate():
        pass
    changes = sealed(worker.partition)
    assert len(changes) >= 3

    for length in range(len(changes) + 1):
        torn = {**before.stored, **{key: value for key, value in changes[:length] if value is not None}}
        again = Worker(loaded(torn))
        again.take(record)
        again.check_reader()
        assert {alert.student for alert in again.reader.alerts()} == {"ann", "ben"}


def test_a_write_cut_short_leaves_no_days_of_a_year_that_is_over() -> None:
    before = two_in_a_block()
    record = close("A", date(2017, 9, 7))
    worker = before.successor()
    take(worker.partition, PLACE, *record, TAKEN_AT.timestamp(), worker.keys)
    while worker.partition.evaluate():
        pass
    heads = {key: value for key, value in sealed(worker.partition) if value and key.startswith("s|")}

    again = Worker(loaded({**before.stored, **heads}))
    again.stored = {**before.stored, **heads}
    again.take(record)

    assert blocks(again) == []
    assert again.partition.years.keys() == {2017}


def test_a_write_cut_short_loses_no_mark_that_was_kept_for_its_year() -> None:
    before = two_in_a_block()
    before.take(batch(mark("ann", date(2017, 9, 8), "absent")))
    record = close("A", date(2017, 9, 7))
    worker = before.successor()
    take(worker.partition, PLACE, *record, TAKEN_AT.timestamp(), worker.keys)
    while worker.partition.evaluate():
        pass
    changes = sealed(worker.partition)

    for length in range(len(changes) + 1):
        written = {**before.stored, **dict(changes[:length])}
        torn = {key: value for key, value in written.items() if value is not None}
        again = Worker(loaded(torn))
        again.stored = torn
        again.take(record)
        again.restart()
        window = again.window("ann")
        assert window is not None
        assert window["marks"] == [{"date": "2017-09-08", "status": "absent", "excused": False, "school_id": "A"}]
