"""What later work will send: calendars of some students, assumed ones, days not shared, marks taken back."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from msgspec.structs import replace

from services.contracts import topics
from services.contracts.alerts import AlertEvent
from services.contracts.marks import AttendanceMark
from services.contracts.packed import PlainMark, SealedBatch, decode, encode, pack
from services.contracts.reference import Enrollment, EnrollmentSpan, SchoolDay
from services.contracts.sealed import seal_event
from tests.unit.models.hand_made import artifact
from tests.unit.warning.driving import TAKEN_AT, Record, Worker, batch, close, consent, loaded, mark
from tests.unit.warning.keys import CIPHERS
from tests.unit.warning.test_plain import Judged, agrees
from tests.unit.warning.worlds import FIRST, at, school_days

DAYS = school_days(20)
RULES, MODEL = Judged(), Judged(artifact(1), 2)


def enrolled(*spans: EnrollmentSpan) -> list[Record]:
    value = seal_event(CIPHERS["ann"], topics.ENROLLMENTS, Enrollment(student="ann", spans=list(spans)))
    return [Record(topics.ENROLLMENTS.name, b"ann", value), consent("ann", FIRST)]


def calendar(day: date, *, open_: bool, name: str | None = None, assumed: bool = False) -> Record:
    value = SchoolDay(school_id="A", date=day, instructional=open_, calendar=name, assumed=assumed)
    return Record(topics.SCHOOL_DAYS.name, f"A|{day}|{name}".encode(), value.model_dump_json().encode())


def span(first: date, last: date | None = None, *, name: str | None = None, shared: bool = True) -> EnrollmentSpan:
    return EnrollmentSpan(school_id="A", entry_date=first, exit_date=last, calendar=name, shared=shared)


def taken(*records: Record, by: Judged = RULES, restarted: bool = False) -> Worker:
    worker = by.worker()
    worker.take(*records)
    if restarted:
        worker.restart()
        worker.take(batch())
    return worker


AWAY = [day for number, day in enumerate(DAYS) if number % 4 == 3]
TRACKS = [
    *enrolled(span(FIRST, name="blue")),
    *(calendar(day, open_=True) for day in DAYS),
    *(calendar(day, open_=day not in AWAY, name="blue") for day in DAYS),
    *(batch(mark("ann", day, "absent")) for day in DAYS[:9]),
    close("A", *DAYS),
]


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize("records", [TRACKS, TRACKS[::-1], [*TRACKS[2:], *TRACKS[:2]]])
def test_a_student_follows_the_calendar_that_the_enrollment_names(records: list[Record], *, restarted: bool) -> None:
    worker = taken(*records, restarted=restarted)
    agrees(worker, records, RULES)
    window = worker.window("ann")
    assert window is not None
    assert (window["enrolled_days"], window["absent_days"]) == (len(DAYS) - len(AWAY), 7)


@pytest.mark.parametrize("by", [RULES, MODEL])
@pytest.mark.parametrize("restarted", [False, True])
def test_where_the_calendar_is_assumed_neither_rates_nor_the_model_say_anything(by: Judged, *, restarted: bool) -> None:
    absences = [batch(mark("ann", day, "absent")) for day in DAYS[8:15]]
    guessed = [*enrolled(span(FIRST)), *(calendar(day, open_=True, assumed=True) for day in DAYS), *absences]
    worker = taken(*guessed, close("A", *DAYS), by=by, restarted=restarted)
    rules = {reason.split('"rule":"')[1].split('"')[0] for alert in worker.standing() for reason in alert.reasons}
    assert not any(rule.startswith(("rate", "change", "model")) for rule in rules)
    known = [calendar(day, open_=True) for day in [*DAYS, DAYS[-1] + timedelta(days=90)]]
    worker.take(*known)
    agrees(worker, [*guessed, close("A", *DAYS), *known], by)


@pytest.mark.parametrize("restarted", [False, True])
def test_days_that_are_not_shared_end_a_streak_and_count_nowhere(*, restarted: bool) -> None:
    spans = (span(FIRST, DAYS[4]), span(DAYS[5], DAYS[6], shared=False), span(DAYS[7]))
    absent = [batch(mark("ann", day, "absent")) for day in DAYS[3:9]]
    worker = taken(*enrolled(*spans), *absent, close("A", *DAYS[:9]), restarted=restarted)
    window = worker.window("ann")
    assert window is not None
    assert (window["enrolled_days"], window["absent_days"], window["school_id"]) == (7, 4, "A")
    assert (window["current_streak"], window["longest_streak"], window["not_shared_days"]) == (2, 2, 2)
    assert not any('"rule":"streak' in reason for alert in worker.standing() for reason in alert.reasons)


def day_by_day(worker: Worker, number: int, *, absent: range) -> list[AlertEvent]:
    """Each day's mark, then its close, as a live stream has them; what was told."""
    told = []
    for place, day in enumerate(DAYS[:number]):
        told += worker.take(batch(mark("ann", day, "absent" if place in absent else "present")), close("A", day))
    return told


def test_leaving_the_scope_clears_the_alert_when_the_school_left_reports_the_next_day() -> None:
    worker = taken(*enrolled(span(FIRST, DAYS[4]), span(DAYS[5], shared=False)))
    assert [event.type for event in day_by_day(worker, 5, absent=range(2, 5))] == ["AlertRaised"]
    [cleared] = worker.take(close("A", DAYS[5]))
    assert (cleared.type, cleared.because, cleared.changed_on) == ("AlertCleared", "not_shared", DAYS[5])
    assert (cleared.reasons[0].rule, cleared.reasons[0].dates) == ("not_shared", [DAYS[5]])
    assert cleared.reasons[0].text.startswith("Since 13 Sep at a school whose attendance is not shared")
    assert worker.take(close("A", DAYS[6])) == []
    worker.restart()
    assert worker.take(close("A", DAYS[7])) == []
    window = worker.window("ann")
    assert window is not None
    assert (window["not_shared_days"], window["moves"], window["current_streak"]) == (3, 1, 0)


def test_a_write_that_was_cut_short_before_the_day_not_shared_is_made_good() -> None:
    """Of a write the student's head comes first: it has the clearing, and the close that made it is not there yet."""
    worker = taken(*enrolled(span(FIRST, DAYS[4]), span(DAYS[5], shared=False)))
    day_by_day(worker, 5, absent=range(2, 5))
    before = {key: value for key, value in worker.stored.items() if key.startswith("c|")}
    worker.take(close("A", DAYS[5]))
    cleared = worker.standing()
    worker.stored |= before
    again = Worker(loaded(worker.stored))
    again.reader = worker.reader
    again.take(batch())
    assert [turn.level for turn in again.turns()["ann"]] == [1]
    again.take(close("A", DAYS[5]))
    assert again.standing() == cleared
    again.check_reader()


def test_an_enrollment_elsewhere_that_is_heard_of_later_clears_the_alert_at_once_and_a_correction_raises_it() -> None:
    worker = taken(*enrolled(span(FIRST)))
    day_by_day(worker, 6, absent=range(2, 5))
    away, _ = enrolled(span(FIRST, DAYS[4]), span(DAYS[5], shared=False))
    [cleared] = worker.take(away)
    assert (cleared.type, cleared.because) == ("AlertCleared", "not_shared")
    here, _ = enrolled(span(FIRST))
    assert [event.because for event in worker.take(here)] == ["correction"]
    worker.check_reader()


@pytest.mark.parametrize("by", [RULES, MODEL])
@pytest.mark.parametrize("restarts", [False, True])
def test_who_comes_back_has_moved_twice_and_begins_without_a_level(by: Judged, *, restarts: bool) -> None:
    spans = (span(FIRST, DAYS[4]), span(DAYS[5], DAYS[6], shared=False), span(DAYS[7]))
    records, worker = enrolled(*spans), by.worker()
    worker.take(*records)
    for place, day in enumerate(DAYS[:10]):
        status = "absent" if place in (2, 3, 4, 8) else "present"
        records += [*([] if place in (5, 6) else [batch(mark("ann", day, status))]), close("A", day)]
        worker.take(*records[-2:])
        if restarts:
            worker.restart()
    agrees(worker, records, by)
    worker.check_reader()
    window = worker.window("ann")
    assert window is not None
    assert (window["moves"], window["not_shared_days"], window["enrolled_days"]) == (2, 2, 8)
    levels = {turn.day: turn.level for turn in worker.turns()["ann"]}
    assert (levels[DAYS[5]], min(levels)) == (0, DAYS[4])


@pytest.mark.parametrize("restarted", [False, True])
def test_a_mark_that_is_taken_back_says_nothing_more(*, restarted: bool) -> None:
    said = [batch(mark("ann", day, "absent", recorded_at=at(day, 0))) for day in DAYS[:4]]
    back = [batch(mark("ann", DAYS[1], "retracted", recorded_at=at(DAYS[1], 5)))]
    same = [batch(mark("ann", DAYS[2], "retracted", recorded_at=at(DAYS[2], 0)))]
    records = [*enrolled(span(FIRST)), *said, *back, *same]
    worker = taken(*records, restarted=restarted)
    agrees(worker, records, RULES)
    window = worker.window("ann")
    assert window is not None
    assert (window["enrolled_days"], window["absent_days"]) == (3, 3)


def test_marks_without_a_moment_were_said_when_their_import_began() -> None:
    early, late = (
        Record(topics.MARKS.name, b"0", encode(_as_of(mark("ann", FIRST, status), minutes)))
        for status, minutes in (("absent", 0), ("present", 9))
    )
    for order in ([early, late], [late, early]):
        window = taken(*enrolled(span(FIRST)), *order).window("ann")
        assert window is not None
        assert window["absent_days"] == 0


def _as_of(one: AttendanceMark, minutes: int) -> SealedBatch:
    batch = decode(pack([PlainMark.of(one)], TAKEN_AT, CIPHERS))
    return replace(batch, as_of=round(at(FIRST, minutes).timestamp() * 1_000_000))
