"""A record does what its topic says; one that cannot be read leaves the state usable."""

from __future__ import annotations

from datetime import date

import msgspec
import pytest

from services.contracts import topics
from services.contracts.packed import PackedCounts, PlainMark, decode, encode, pack
from services.warning import records
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
from tests.unit.warning.worlds import FIRST, school_days

DAYS = school_days(45)
REFERENCE = [enrollment("ann", ("A", FIRST, None)), consent("ann", FIRST)]


def packed(**changes: object) -> Record:
    """A batch of a mark and a school's counts, with something strange in it."""
    batch = decode(
        pack([PlainMark.of(mark("ann", DAYS[2], "absent", section="s"))], TAKEN_AT, [counts("A", DAYS[2], 1, 2)])
    )
    return Record(topics.MARKS.name, b"0", encode(msgspec.structs.replace(batch, **changes)))


def take(worker: Worker, record: Record) -> object:
    return records.take(worker.partition, PLACE, record.topic, record.key, record.value, TAKEN_AT.timestamp())


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
        Record(topics.MARKS.name, b"0", b'{"type":"marks","taken_at":"2016-09-01T12:00:00","marks":[]}'),
        Record(
            topics.MARKS.name,
            b"0",
            b'{"type":"marks","taken_at":"2016-09-01T12:00:00Z","marks":[],"counts":'
            b'[{"school_id":"A","date":"2016-09-06","absent":100000000000000000000,"reported":1,"expected":1}]}',
        ),
        packed(counts=[PackedCounts("A", 10**9, 1, 2, 3)]),
        packed(counts=[PackedCounts("A", DAYS[0].toordinal(), -1, 2, 3)]),
        packed(first_day=date.max.toordinal() + 1),
        packed(first_day=date.max.toordinal(), days=b"\1\0"),
        packed(codes=b"\7"),
        packed(at=b"\1\0"),
        packed(in_section=b"\2\0"),
        packed(numbers=b"\2\0"),
        packed(moments=b"\0"),
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
