"""Accepted, duplicate or not consented."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.attendance import UNEXCUSED
from services.contracts.ids import Pseudonym, Slot
from services.contracts.marks import AttendanceStatus
from services.ingest.classification.classify import Horizon, Key, Memory, Taking, classify
from services.ingest.classification.digests import mark_digest
from services.ingest.consent.in_force import Run
from services.ingest.identity.consented import ConsentedStudent
from services.ingest.rows.outcomes import Status
from services.ingest.rows.parse import MarkRow

DAY = date(2016, 12, 5)
KNOWN = {"s": ConsentedStudent(1, Pseudonym("p"), Slot(7), Run(DAY - timedelta(days=30), DAY + timedelta(days=30)))}
NINE = datetime(2016, 12, 5, 14, tzinfo=UTC)


def mark(status: AttendanceStatus = "absent", **more: Any) -> MarkRow:
    return MarkRow(**{"student_id": "s", "school_id": "0455", "date": DAY, "status": status, **more})


MARK = mark()
PRESENT = mark("present")


EVER = Horizon.of(date(2100, 1, 1), UTC)


class Batches:
    """Hands batches to `classify` one after another, as if each was acknowledged."""

    def __init__(self, *, live: bool) -> None:
        self.live = live
        self.memory = Memory()
        self.now = 1_000_000_000_000_000
        self.warnings: list[str | None] = []

    def __call__(self, *rows: MarkRow) -> list[Status]:
        self.now += 1_000_000 * self.live
        return self.take(rows)

    def next_import(self) -> Batches:
        """What comes now is another import."""
        self.now += 1_000_000
        return self

    def take(self, rows: Sequence[MarkRow]) -> list[Status]:
        times = [row.recorded_at for row in rows]
        as_of = None if self.live else datetime.fromtimestamp(self.now / 1e9, UTC)
        taking = Taking(self.now, live=self.live, as_of=as_of, horizon=EVER, agency="hope")
        outcomes, accepted, _ = classify(rows, times, KNOWN, self.memory, taking)
        new = [one.place for one in accepted if rows[one.place].status != "retracted"]
        taken = [i for i, o in enumerate(outcomes) if o.status == "accepted"]
        assert new == [place for place in taken if rows[place].status != "retracted"]
        self.warnings = [outcome.warning for outcome in outcomes]
        return [outcome.status for outcome in outcomes]


def test_a_mark_outside_the_run_or_of_an_unknown_student_is_not_consented() -> None:
    early = mark(date=DAY - timedelta(days=31))
    late = mark(date=DAY + timedelta(days=31))
    assert Batches(live=True)(early, late, mark(student_id="t")) == ["not_consented"] * 3


def test_the_same_mark_twice_is_one_within_a_batch_and_after_it() -> None:
    take = Batches(live=False)
    assert take(MARK, MARK) == ["accepted", "duplicate"]
    assert take(MARK) == ["duplicate"]


def test_marks_of_other_sections_statuses_excuses_and_times_are_their_own() -> None:
    others = [
        mark(section_id="7A"),
        PRESENT,
        mark(excused=False),
        mark(excused=True),
        mark(recorded_at=NINE),
        mark(school_id="0456"),
    ]
    assert Batches(live=False)(MARK, *others) == ["accepted"] * 7


def test_live_a_correction_back_is_accepted() -> None:
    take = Batches(live=True)
    assert [take(MARK), take(PRESENT), take(MARK), take(MARK)] == [
        ["accepted"],
        ["accepted"],
        ["accepted"],
        ["duplicate"],
    ]


def test_in_one_import_any_identical_mark_is_a_duplicate() -> None:
    take = Batches(live=False)
    assert [take(MARK), take(PRESENT), take(MARK)] == [["accepted"], ["accepted"], ["duplicate"]]


def test_a_later_import_corrects_an_earlier_one_both_ways() -> None:
    take = Batches(live=False)
    said = [take.next_import()(row) for row in (MARK, PRESENT, PRESENT, MARK, MARK)]
    assert said == [["accepted"], ["accepted"], ["duplicate"], ["accepted"], ["duplicate"]]
    assert take.memory.standing(Key(1, DAY, "0455", "")) == (take.now // 1_000 - 1_000, UNEXCUSED)


def test_of_several_rows_of_one_import_each_is_repeated_by_the_next_however_it_is_cut() -> None:
    take, timed = Batches(live=False), mark("present", recorded_at=NINE)
    assert take(MARK, timed) == ["accepted", "accepted"]
    take.next_import()
    for row in (MARK, timed):
        assert take(row) == ["duplicate"]
        key = Key(1, DAY, "0455", "")  # as the store does with what goes on being said
        take.memory.said[key] = [
            said._replace(taken=take.now) if said.digest == digest_of(row) else said for said in take.memory.said[key]
        ]


def digest_of(row: MarkRow) -> int:
    return mark_digest(row.school_id, row.status, row.excused, row.section_id or "", row.recorded_at)


def test_a_repeat_of_the_last_import_is_one_whatever_http_said_since() -> None:
    take = Batches(live=False)
    take(MARK)
    take.live = True
    assert take(PRESENT) == ["accepted"]
    take.live = False
    assert take.next_import()(MARK) == ["duplicate"]
    assert take.next_import()(PRESENT) == ["accepted"]


def test_a_row_older_than_what_stands_is_accepted_with_a_warning() -> None:
    take = Batches(live=False)
    assert take(mark(recorded_at=NINE)) == ["accepted"]
    assert take(mark("present", recorded_at=NINE - timedelta(hours=1))) == ["accepted"]
    assert take.warnings == ["Something said later stands: this changes nothing"]


@pytest.mark.parametrize("live", [True, False])
def test_taking_back_is_accepted_when_it_takes_something_back_else_a_duplicate(*, live: bool) -> None:
    take, back = Batches(live=live), mark("retracted")
    said = [take.next_import()(row) for row in (back, MARK, back, back, MARK)]
    assert said == [["duplicate"], ["accepted"], ["accepted"], ["duplicate"], ["accepted"]]


def test_at_one_moment_any_other_row_beats_taking_back() -> None:
    take = Batches(live=False)
    assert take(MARK, mark("retracted")) == ["accepted", "duplicate"]
    assert take(mark("retracted", recorded_at=datetime(1970, 1, 2, tzinfo=UTC))) == ["duplicate"]


def test_why_a_mark_is_not_consented_is_told() -> None:
    early, late = mark(date=DAY - timedelta(days=31)), mark(date=DAY + timedelta(days=31))
    rows = [early, late, mark(student_id="t"), mark(student_id="u")]
    taking = Taking(1, live=True, as_of=None, horizon=EVER, agency="hope")
    outcomes, *_ = classify(rows, [None] * 4, KNOWN, Memory(), taking, {"u": "purpose"})
    assert [outcome.why_not for outcome in outcomes] == ["not_yet", "ended", "unknown_student", "purpose"]


def test_live_a_mark_of_another_section_makes_no_correction() -> None:
    take = Batches(live=True)
    assert take(MARK, mark("present", section_id="7A"), MARK) == ["accepted", "accepted", "duplicate"]


def test_live_a_given_time_that_was_taken_is_a_duplicate_whatever_came_since() -> None:
    take = Batches(live=True)
    first = mark(recorded_at=NINE)
    assert take(first, mark("present", recorded_at=NINE), first) == ["accepted", "accepted", "duplicate"]


def test_the_same_event_is_one_whatever_it_says() -> None:
    take = Batches(live=True)
    first = mark(event_id="e1")
    assert take(first, mark("present", event_id="e1")) == ["accepted", "duplicate"]
    assert take(mark(event_id="e1", date=DAY + timedelta(days=1))) == ["duplicate"]


def test_a_time_is_the_same_moment_in_any_offset() -> None:
    boston = NINE.astimezone(tz=None)
    assert mark_digest("s", "absent", None, "", NINE) == mark_digest("s", "absent", None, "", boston)


rows = st.lists(
    st.builds(
        MarkRow,
        student_id=st.sampled_from(["s", "t"]),
        school_id=st.just("0455"),
        date=st.sampled_from([DAY, DAY + timedelta(days=1)]),
        status=st.sampled_from(["absent", "present", "tardy"]),
        section_id=st.sampled_from([None, "7A"]),
    ),
    max_size=12,
)


@given(rows, st.integers(1, 5))
def test_a_file_taken_again_in_any_batches_counts_nothing_twice(marks: list[MarkRow], size: int) -> None:
    take = Batches(live=False)
    first = [status for start in range(0, len(marks), size) for status in take(*marks[start : start + size])]
    assert "accepted" not in take(*marks)
    assert first == Batches(live=False)(*marks)


@given(
    st.lists(
        st.builds(
            lambda status, hour: mark(status, recorded_at=NINE + timedelta(hours=hour)),
            st.sampled_from(["absent", "present", "retracted"]),
            st.integers(0, 3),
        ),
        max_size=6,
    ),
    st.randoms(),
)
def test_with_a_time_every_order_of_imports_ends_alike(marks: list[MarkRow], random: Random) -> None:
    def standing(order: Sequence[MarkRow]) -> tuple[int, int] | None:
        take = Batches(live=False)
        for row in order:
            take.next_import()(row)
        return take.memory.standing(Key(1, DAY, "0455", ""))

    assert standing(marks) == standing(random.sample(marks, len(marks)))


@pytest.mark.parametrize("given_time", [None, NINE])
def test_a_mark_too_far_ahead_is_rejected_whoever_it_is_of(given_time: datetime | None) -> None:
    ahead, unknown = mark(date=DAY + timedelta(days=2)), mark(date=DAY + timedelta(days=2), student_id="t")
    tomorrow = mark(date=DAY + timedelta(days=1))
    taking = Taking(1, live=True, as_of=None, horizon=Horizon.of(DAY, UTC), agency="hope")
    times = [given_time, given_time, given_time, NINE + timedelta(days=2)]
    outcomes, accepted, _ = classify([tomorrow, ahead, unknown, MARK], times, KNOWN, Memory(), taking)
    assert [outcome.status for outcome in outcomes] == ["accepted", "rejected", "rejected", "rejected"]
    assert [outcome.field for outcome in outcomes] == [None, "date", "date", "recorded_at"]
    assert [new.place for new in accepted] == [0]
