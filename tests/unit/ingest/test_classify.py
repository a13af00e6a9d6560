"""Accepted, duplicate or not consented."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.contracts.ids import Pseudonym, Slot
from services.contracts.marks import AttendanceStatus
from services.ingest.classify import Memory, classify
from services.ingest.consents import Run
from services.ingest.digests import mark_digest
from services.ingest.known import Known
from services.ingest.outcomes import Status
from services.ingest.rows import MarkRow

DAY = date(2016, 12, 5)
KNOWN = {"s": Known(1, Pseudonym("p"), Slot(7), Run(DAY - timedelta(days=30), DAY + timedelta(days=30)))}
NINE = datetime(2016, 12, 5, 14, tzinfo=UTC)


def mark(status: AttendanceStatus = "absent", **more: Any) -> MarkRow:
    return MarkRow(**{"student_id": "s", "school_id": "0455", "date": DAY, "status": status, **more})


MARK = mark()
PRESENT = mark("present")


class Taking:
    """Hands batches to `classify` one after another, as if each was acknowledged."""

    def __init__(self, *, live: bool) -> None:
        self.live = live
        self.memory = Memory()
        self.now = 0

    def __call__(self, *rows: MarkRow) -> list[Status]:
        self.now += 1_000
        times = [row.recorded_at for row in rows]
        outcomes, accepted = classify(rows, times, KNOWN, self.memory, now=self.now, live=self.live, latest=date.max)
        assert [new.place for new in accepted] == [i for i, o in enumerate(outcomes) if o.status == "accepted"]
        return [outcome.status for outcome in outcomes]


def test_a_mark_outside_the_run_or_of_an_unknown_student_is_not_consented() -> None:
    early = mark(date=DAY - timedelta(days=31))
    late = mark(date=DAY + timedelta(days=31))
    assert Taking(live=True)(early, late, mark(student_id="t")) == ["not_consented"] * 3


def test_the_same_mark_twice_is_one_within_a_batch_and_after_it() -> None:
    take = Taking(live=False)
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
    assert Taking(live=False)(MARK, *others) == ["accepted"] * 7


def test_live_a_correction_back_is_accepted() -> None:
    take = Taking(live=True)
    assert [take(MARK), take(PRESENT), take(MARK), take(MARK)] == [
        ["accepted"],
        ["accepted"],
        ["accepted"],
        ["duplicate"],
    ]


def test_in_files_any_identical_mark_is_a_duplicate() -> None:
    take = Taking(live=False)
    assert [take(MARK), take(PRESENT), take(MARK)] == [["accepted"], ["accepted"], ["duplicate"]]


def test_live_a_mark_of_another_section_makes_no_correction() -> None:
    take = Taking(live=True)
    assert take(MARK, mark("present", section_id="7A"), MARK) == ["accepted", "accepted", "duplicate"]


def test_live_a_given_time_that_was_taken_is_a_duplicate_whatever_came_since() -> None:
    take = Taking(live=True)
    first = mark(recorded_at=NINE)
    assert take(first, mark("present", recorded_at=NINE), first) == ["accepted", "accepted", "duplicate"]


def test_the_same_event_is_one_whatever_it_says() -> None:
    take = Taking(live=True)
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
    take = Taking(live=False)
    first = [status for start in range(0, len(marks), size) for status in take(*marks[start : start + size])]
    assert "accepted" not in take(*marks)
    assert first == Taking(live=False)(*marks)


def test_a_mark_after_the_latest_day_is_rejected_whoever_it_is_of() -> None:
    ahead, unknown = mark(date=DAY + timedelta(days=1)), mark(date=DAY + timedelta(days=1), student_id="t")
    rows = [MARK, ahead, unknown]
    outcomes, accepted = classify(rows, [None] * 3, KNOWN, Memory(), now=1, live=True, latest=DAY)
    assert [outcome.status for outcome in outcomes] == ["accepted", "rejected", "rejected"]
    assert [outcome.field for outcome in outcomes] == [None, "date", "date"]
    assert [new.place for new in accepted] == [0]
