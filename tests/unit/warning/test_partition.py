"""What records do to a partition, told by example."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from models.engine.scores import MOST_AT_HOME
from services.contracts.alerts import AlertEvent
from services.contracts.ids import Pseudonym
from services.contracts.marks import AttendanceStatus
from services.contracts.sealed import sealed_for
from services.warning import records
from tests.sealing import sealed_in
from tests.unit.models.hand_made import artifact
from tests.unit.warning.driving import (
    PLACE,
    Record,
    Worker,
    batch,
    close,
    consent,
    counts,
    enrollment,
    erased,
    mark,
    school_day,
)
from tests.unit.warning.worlds import FIRST, at, school_days

DAYS = school_days(60)
NOVEMBER = [day for day in DAYS if day >= date(2016, 11, 1)]
STATUS: dict[str, tuple[AttendanceStatus, bool | None]] = {
    "P": ("present", None),
    "U": ("absent", None),
    "E": ("absent", True),
    "T": ("tardy", None),
}


def known(
    student: str = "ann", *, school: str = "A", household: str | None = None, since: date = FIRST
) -> list[Record]:
    return [enrollment(student, (school, since, None), household=household), consent(student, since)]


def went(worker: Worker, kinds: str, *, student: str = "ann", start: int = 0, closed: bool = True) -> list[AlertEvent]:
    """Goes through days one by one, a character a day; a point is a day without a row."""
    caused = []
    for day, kind in zip(DAYS[start:], kinds, strict=False):
        if kind != ".":
            status, excused = STATUS[kind]
            caused += worker.take(batch(mark(student, day, status, excused=excused)))
        if closed:
            caused += worker.take(close("A", day))
    return caused


def emitted(events: list[AlertEvent]) -> list[tuple[str, str]]:
    return [(event.type, event.level) for event in events]


def worker_for_ann() -> Worker:
    worker = Worker()
    worker.take(*known())
    return worker


def assert_nothing_is_kept(worker: Worker, name: str) -> None:
    """Neither in memory nor in what is stored."""
    partition = worker.partition
    assert name not in partition.students
    assert all(name not in year.rows for year in partition.years.values())
    assert name not in {student.pseudonym for students in partition.homes._homes.values() for student in students}
    assert f"s|{name}" not in worker.stored
    owners = {sealed_for(each) for key, value in worker.stored.items() for each in sealed_in(key, value)}
    assert name not in owners


def test_no_row_on_a_closed_day_is_present() -> None:
    worker = worker_for_ann()
    went(worker, "U..U.")
    window = worker.window("ann")
    assert window is not None
    assert (window["enrolled_days"], window["absent_days"], window["current_streak"]) == (5, 2, 0)
    assert window["as_of"] == DAYS[4].isoformat()


def test_a_day_that_no_school_closed_is_no_data() -> None:
    worker = worker_for_ann()
    went(worker, "U..U.", closed=False)
    window = worker.window("ann")
    assert window is not None
    assert (window["enrolled_days"], window["absent_days"], window["current_streak"]) == (2, 2, 2)


def test_own_marks_count_at_once_and_the_marks_of_others_end_no_streak() -> None:
    worker = worker_for_ann()
    worker.take(*known("ben"))
    went(worker, "UU")
    worker.take(batch(mark("ben", DAYS[2], "present")))
    window = worker.window("ann")
    assert window is not None
    assert window["current_streak"] == 2
    raised = worker.take(batch(mark("ann", DAYS[2], "absent")))
    assert emitted(raised) == [("AlertRaised", "watch")]
    assert raised[0].raised_on == DAYS[2]


def test_the_marks_of_a_school_of_which_nothing_else_came_count_after_a_restart_too() -> None:
    worker = worker_for_ann()
    went(worker, "UUU", closed=False)
    window, standing = worker.window("ann"), worker.standing()
    worker.restart()
    assert len(standing) == 1
    assert (worker.window("ann"), worker.standing()) == (window, standing)


def test_marks_of_days_without_consent_count_nowhere() -> None:
    worker = Worker()
    worker.take(enrollment("ann", ("A", FIRST, None)), consent("ann", DAYS[2], DAYS[4]))
    went(worker, "UUUPPUUUU")
    window = worker.window("ann")
    assert window is not None
    assert (window["enrolled_days"], window["absent_days"]) == (3, 1)
    assert worker.standing() == set()


def test_marks_on_days_without_school_count_nowhere() -> None:
    worker = Worker()
    worker.take(*[school_day("A", day, day != DAYS[1]) for day in DAYS], *known())
    went(worker, "PUP")
    worker.take(batch(mark("ann", DAYS[2] + timedelta(days=2), "absent")))
    window = worker.window("ann")
    assert window is not None
    assert (window["enrolled_days"], window["absent_days"]) == (2, 0)


def test_a_school_without_a_calendar_is_open_on_the_weekdays_it_reports() -> None:
    worker = worker_for_ann()
    saturday = date(2016, 9, 10)
    worker.take(batch(mark("ann", saturday, "absent")), close("A", saturday, saturday + timedelta(days=2)))
    window = worker.window("ann")
    assert window is not None
    assert (window["enrolled_days"], window["absent_days"]) == (1, 0)


def test_a_school_without_a_name_is_a_school_as_any_other() -> None:
    """Its closes are not those of the days on which a student is enrolled nowhere."""
    worker = Worker()
    worker.take(enrollment("ann", ("A", DAYS[0], DAYS[0])), consent("ann", FIRST), batch(mark("ann", DAYS[0])))
    worker.take(enrollment("ben", ("", DAYS[0], None)), consent("ben", FIRST))
    worker.take(close("", *DAYS[:3]), close("A", DAYS[0]))
    worker.restart()
    windows = worker.windows()
    assert (windows["ann"]["enrolled_days"], windows["ben"]["enrolled_days"]) == (1, 3)


def test_a_mark_outside_every_enrollment_counts_nowhere() -> None:
    worker = Worker()
    worker.take(enrollment("ann", ("A", DAYS[1], DAYS[2])), consent("ann", FIRST))
    went(worker, "UUUU")
    worker.take(batch(mark("ann", DAYS[1], "absent", school="B")))
    window = worker.window("ann")
    assert window is not None
    assert window["enrolled_days"] == 2


def test_a_day_in_two_enrollments_counts_once_at_the_school_entered_later() -> None:
    worker = Worker()
    worker.take(enrollment("ann", ("A", FIRST, None), ("B", DAYS[1], DAYS[2])), consent("ann", FIRST))
    for day in DAYS[:4]:
        worker.take(batch(mark("ann", day, "absent", school="A"), mark("ann", day, "present", school="B")))
        worker.take(close("A", day), close("B", day))
    window = worker.window("ann")
    assert window is not None
    assert (window["enrolled_days"], window["absent_days"]) == (4, 2)


def test_a_transfer_keeps_the_history() -> None:
    worker = Worker()
    worker.take(enrollment("ann", ("A", FIRST, DAYS[29]), ("B", DAYS[30], None)), consent("ann", FIRST))
    went(worker, "P" * 27 + "UUU")
    for day in DAYS[30:32]:
        worker.take(batch(mark("ann", day, "absent", school="B")), close("B", day))
    window = worker.window("ann")
    assert window is not None
    assert (window["school_id"], window["enrolled_days"], window["current_streak"]) == ("B", 32, 5)
    assert window["moves"] == 1
    (alert,) = worker.standing()
    assert (alert.level, alert.raised_on) == ("elevated", DAYS[29])
    worker.check_reader()


def test_ten_percent_is_chronic_from_the_tenth_enrolled_day_on() -> None:
    worker = worker_for_ann()
    assert went(worker, "UPPPPPPPP") == []
    (raised,) = went(worker, "P", start=9)
    assert (raised.type, raised.level, raised.raised_on) == ("AlertRaised", "watch", DAYS[9])
    assert [(reason.rule, reason.dates) for reason in raised.reasons] == [("rate_10", [DAYS[0]])]


def test_alerts_are_told_on_level_changes_only_and_clear_after_three_calm_days() -> None:
    worker = worker_for_ann()
    went(worker, "P" * 50)
    events = went(worker, "UUUUPPPPPPPPP", start=50)
    assert emitted(events) == [("AlertRaised", "watch"), ("AlertLevelChanged", "elevated")]
    assert [event.previous_level for event in events] == [None, "watch"]
    assert all(event.because == "attendance" and not event.superseded for event in events)
    worker.check_reader()


def test_an_excused_note_that_comes_later_withdraws_the_alert() -> None:
    worker = worker_for_ann()
    went(worker, "P" * 40 + "UUU")
    note = batch(mark("ann", DAYS[42], "absent", excused=True, recorded_at=at(DAYS[43], 0)))
    (withdrawn,) = worker.take(note)
    assert (withdrawn.type, withdrawn.because, withdrawn.seq) == ("AlertWithdrawn", "correction", 2)
    assert worker.reader.alerts() == set()
    assert worker.take(note) == []


def test_a_correction_of_the_evidence_amends_the_alert() -> None:
    worker = worker_for_ann()
    (raised,) = went(worker, "P" * 40 + "UUU")
    (amended,) = worker.take(batch(mark("ann", DAYS[39], "absent", recorded_at=at(DAYS[43], 0))))
    assert (amended.type, amended.level, amended.because) == ("AlertLevelChanged", "elevated", "correction")
    assert (amended.alert_id, amended.raised_on) == (raised.alert_id, DAYS[41])
    worker.check_reader()


def test_a_late_close_that_changes_the_figures_amends_the_text() -> None:
    worker = worker_for_ann()
    went(worker, "P" * 30)
    went(worker, "P" * 9 + "UUU", start=31)
    (amended,) = worker.take(close("A", DAYS[30]))
    assert amended.type == "AlertAmended"
    assert [reason.usual for reason in amended.reasons] == ["7% of days, over the last 43 that count"]
    worker.check_reader()


def test_an_alert_that_was_cleared_stays_cleared_when_its_evidence_is_corrected() -> None:
    worker = worker_for_ann()
    went(worker, "P" * 40 + "UUUPPPP")
    assert {alert.status for alert in worker.reader.alerts()} == {"cleared"}
    assert worker.take(batch(mark("ann", DAYS[5], "tardy", recorded_at=at(DAYS[50], 0)))) == []
    (cleared,) = worker.take(batch(mark("ann", DAYS[25], "absent", recorded_at=at(DAYS[51], 0))))
    assert (cleared.type, cleared.because, cleared.level) == ("AlertCleared", "correction", "watch")
    assert {alert.status for alert in worker.reader.alerts()} == {"cleared"}
    worker.check_reader()


def test_a_cleared_alert_that_had_stood_higher_stays_cleared() -> None:
    """The sibling of a child whose alert is over turns out to have turned bad at the same time."""
    worker = siblings()
    absent(worker, "ann", 40, 41, 42)
    worker.take(batch(*(mark("ann", DAYS[number]) for number in range(43, 50))))
    events = absent(worker, "ben", 41, 42, 43)
    assert [(e.student, e.type, e.level) for e in events if not e.superseded] == [
        ("ann", "AlertCleared", "elevated"),
        ("ben", "AlertLevelChanged", "watch"),
    ]
    worker.check_reader()


def test_an_alert_that_moves_leaves_its_number_to_the_one_raised_on_its_day() -> None:
    """The alert of the third day moves to an earlier one, then a new one is raised on the third day again."""
    worker = worker_for_ann()
    went(worker, "P" * 40 + "PPUUU")
    worker.take(batch(*(mark("ann", day, "absent", recorded_at=at(day, 60)) for day in DAYS[36:42])))
    worker.check_reader()
    worker.take(batch(*(mark("ann", day, "present", recorded_at=at(day, 90)) for day in DAYS[39:42])))
    worker.check_reader()
    assert len({event.event_id for event in worker.reader.events}) == len(worker.reader.events)


def test_what_the_same_evaluation_went_past_is_superseded() -> None:
    worker = worker_for_ann()
    marks = [mark("ann", day, "absent" if number >= 40 else "present") for number, day in enumerate(DAYS[:50])]
    events = worker.take(batch(*marks))
    assert emitted(events) == [
        ("AlertRaised", "watch"),
        ("AlertLevelChanged", "elevated"),
        ("AlertLevelChanged", "urgent"),
    ]
    assert [event.superseded for event in events] == [True, True, False]


def test_an_alert_that_cleared_within_one_evaluation_is_history() -> None:
    worker = worker_for_ann()
    kinds = "P" * 40 + "UUUPPPP"
    events = worker.take(batch(*(mark("ann", day, STATUS[k][0]) for day, k in zip(DAYS, kinds, strict=False))))
    assert [(event.type, event.superseded) for event in events] == [("AlertRaised", True), ("AlertCleared", False)]
    worker.check_reader()


def test_an_imported_history_raises_only_what_stands_at_the_last_reported_date() -> None:
    worker = worker_for_ann()
    worker.take(*known("ben"))
    kinds = {"ann": "P" * 30 + "UUUUU" + "P" * 15, "ben": "P" * 47 + "UUU"}
    for student, text in kinds.items():
        marks = [mark(student, day, STATUS[kind][0], history=True) for day, kind in zip(DAYS, text, strict=False)]
        assert worker.take(batch(*marks)) == []
    assert worker.take(close("A", *DAYS[:49], history=True)) == []
    events = worker.take(close("A", DAYS[49]))
    raised = {event.student: event for event in events}
    assert {student: (event.type, event.raised_on) for student, event in raised.items()} == {
        "ann": ("AlertRaised", DAYS[49]),
        "ben": ("AlertRaised", DAYS[49]),
    }
    assert [reason.rule for reason in raised["ann"].reasons] == ["rate_10"]
    assert [reason.rule for reason in raised["ben"].reasons] == ["streak_3"]


def test_a_live_close_of_a_day_of_the_history_decides_on_it_however_late() -> None:
    worker = worker_for_ann()
    worker.take(batch(*(mark("ann", day, "absent", history=True) for day in DAYS[:3])))
    worker.take(batch(*(mark("ann", day, "present", history=True) for day in DAYS[3:9])))
    worker.take(close("A", *DAYS[:8], history=True), close("A", DAYS[8]))
    assert worker.standing() == set()
    worker.take(close("A", DAYS[2]))
    standing = worker.standing()
    worker.restart()
    assert worker.standing() == standing
    assert {alert.raised_on for alert in standing} == {DAYS[2]}
    worker.check_reader()


def test_a_correction_of_a_history_after_it_raises_nothing_by_itself() -> None:
    worker = worker_for_ann()
    worker.take(batch(*(mark("ann", day, "present", history=True) for day in DAYS[:40])))
    worker.take(close("A", *DAYS[:39], history=True), close("A", DAYS[39]))
    events = worker.take(batch(*(mark("ann", day, "absent", recorded_at=at(day, 1)) for day in DAYS[20:23])))
    assert events == []


def snow(
    worker: Worker, day: date, absent: list[str], heads: tuple[int, int, int], *, before: bool
) -> list[AlertEvent]:
    counted = counts("A", day, *heads)
    marks = [mark(student, day, "absent") for student in absent]
    caused = worker.take(batch(*marks, counts=[counted] if before else []))
    return caused + worker.take(close("A", day, counts=counted))


@pytest.mark.parametrize("heads", [(70, 100, 0), (70, 75, 100), (70, 70, 100), (100, 100, 100)])
@pytest.mark.parametrize("usual", ["P" * 30, "P" * 20 + "UPP" * 3 + "U", "P" * 28 + "UU", "P" * 30 + "UPPPPPPPP"])
@pytest.mark.slow
def test_a_snow_day_raises_nobody_that_day_or_by_itself_later(usual: str, heads: tuple[int, int, int]) -> None:
    snowed, spared = worker_for_ann(), worker_for_ann()
    for worker in (snowed, spared):
        for day in DAYS[: len(usual)]:
            worker.take(batch(counts=[counts("A", day, 5, heads[1], heads[2])]))
        went(worker, usual)
    number = len(usual)
    assert snow(snowed, DAYS[number], ["ann"], heads, before=True) == []
    went(spared, "P", start=number)
    went(snowed, "PPPPP", start=number + 1)
    went(spared, "PPPPP", start=number + 1)
    raised = [{(a.level, a.raised_on) for a in worker.reader.alerts()} for worker in (snowed, spared)]
    assert raised[0] == raised[1]
    snowed.check_reader()
    window = snowed.window("ann")
    assert window is not None
    assert window["shock_days"] == 1


def test_a_snow_day_known_only_at_its_close_withdraws_what_its_morning_raised() -> None:
    worker = worker_for_ann()
    went(worker, "P" * 40 + "UU")
    events = snow(worker, DAYS[42], ["ann"], (70, 100, 0), before=False)
    assert emitted(events) == [("AlertRaised", "watch"), ("AlertWithdrawn", "watch")]
    assert worker.standing() == set()


def test_a_day_that_turns_out_to_be_no_snow_day_counts_however_late() -> None:
    worker = worker_for_ann()
    went(worker, "P" * 40 + "UU")
    snow(worker, DAYS[42], ["ann"], (70, 100, 0), before=True)
    went(worker, "P", start=43)
    assert worker.standing() == set()
    (raised, cleared) = (worker.take(batch(counts=[counts("A", DAYS[42], 6, 100)])), worker.standing())
    assert emitted(raised) == [("AlertRaised", "watch")]
    assert {alert.raised_on for alert in cleared} == {DAYS[42]}
    worker.check_reader()


def siblings() -> Worker:
    worker = Worker()
    worker.take(*known("ann", household="h"), *known("ben", household="h"), *known("cyd"))
    for student in ("ann", "ben", "cyd"):
        worker.take(batch(*(mark(student, day) for day in DAYS[:40])))
    return worker


def absent(worker: Worker, student: str, *numbers: int) -> list[AlertEvent]:
    return worker.take(batch(*(mark(student, DAYS[number], "absent") for number in numbers)))


def test_a_calendar_that_comes_before_any_student_says_which_days_a_snow_day_is_compared_with() -> None:
    heads = [batch(counts=[counts("A", day, 1 if number % 2 else 50, 100)]) for number, day in enumerate(DAYS[:7])]
    calendar = [
        school_day("A", day, instructional=number % 2 == 1 or number == 6) for number, day in enumerate(DAYS[:7])
    ]
    student = [*known(), batch(*(mark("ann", day, "absent") for day in DAYS[:7])), close("A", *DAYS[:7])]
    for order in ([*student, *heads, *calendar], [*heads, *calendar, *student]):
        worker = Worker()
        worker.take(*order)
        window = worker.window("ann")
        assert window is not None
        assert window["shock_days"] == 1


def test_two_children_of_a_household_lift_each_other_until_one_is_calm() -> None:
    worker = siblings()
    absent(worker, "ann", 40, 41, 42)
    absent(worker, "cyd", 40, 41, 42)
    events = absent(worker, "ben", 42, 43, 44)
    assert [(e.student, e.type, e.level) for e in events if not e.superseded] == [
        ("ann", "AlertLevelChanged", "elevated"),
        ("ben", "AlertRaised", "elevated"),
    ]
    assert [reason.rule for reason in events[-1].reasons] == ["streak_3", "household_2"]
    events = worker.take(batch(*(mark("ben", DAYS[number]) for number in range(45, 48))))
    assert [(e.student, e.type, e.level) for e in events] == [
        ("ann", "AlertLevelChanged", "watch"),
        ("ben", "AlertCleared", "elevated"),
    ]
    worker.check_reader()


def test_a_siblings_end_of_erased_the_lift() -> None:
    worker = siblings()
    absent(worker, "ann", 40, 41, 42)
    absent(worker, "ben", 40, 41, 42)
    events = worker.take(erased("ben"))
    assert [(e.student, e.type, e.because) for e in events] == [
        ("ann", "AlertLevelChanged", "correction"),
    ]
    worker.check_reader()


def test_a_household_that_becomes_known_later_lifts_and_one_that_ends_lets_go() -> None:
    worker = siblings()
    absent(worker, "ann", 40, 41, 42)
    absent(worker, "cyd", 40, 41, 42)
    events = worker.take(enrollment("cyd", ("A", FIRST, None), household="h"))
    assert {(e.student, e.level) for e in events} == {("ann", "elevated"), ("cyd", "elevated")}
    worker.check_reader()
    events = worker.take(enrollment("cyd", ("A", FIRST, None)))
    assert {(e.student, e.level) for e in events} == {("ann", "watch"), ("cyd", "watch")}
    worker.check_reader()


def test_of_who_is_erased_nothing_is_kept_and_nothing_is_said() -> None:
    worker = worker_for_ann()
    went(worker, "P" * 40 + "UUU")
    assert worker.take(erased("ann")) == []
    assert worker.window("ann") is None
    assert_nothing_is_kept(worker, "ann")
    assert worker.take(erased("ann")) == []


def test_what_is_removed_is_counted_until_it_is_written() -> None:
    worker = worker_for_ann()
    went(worker, "PUUU")
    records.take(worker.partition, PLACE, *erased("ann"), 0.0, worker.keys)
    assert worker.partition.removals == {
        "ann": {"warning.windows": 1, "warning.days": 4, "warning.alerts": 1},
    }


def test_nothing_that_comes_later_brings_back_who_is_erased() -> None:
    worker = worker_for_ann()
    went(worker, "PUP")
    worker.take(erased("ann"), *known(), batch(mark("ann", DAYS[3], "absent"), mark("ben", DAYS[3])))
    assert_nothing_is_kept(worker, "ann")
    assert worker.partition.students.keys() == {"ben"}
    worker.restart()
    worker.take(close("A", DAYS[3]))
    assert_nothing_is_kept(worker, "ann")


def test_alerts_that_wait_to_be_told_are_dropped() -> None:
    worker = worker_for_ann()
    went(worker, "UU")
    partition = worker.partition
    records.take(partition, PLACE, *batch(mark("ann", DAYS[2], "absent")), 0.0, worker.keys)
    while partition.evaluate():
        pass
    (student,) = partition.emitting
    partition.remove(Pseudonym("ann"))
    assert not partition.emitting
    partition.emitted(student, 1)  # a checkpoint that had begun before
    worker.take(batch())
    assert_nothing_is_kept(worker, "ann")


def test_a_new_school_year_clears_alerts_and_starts_anew() -> None:
    worker = worker_for_ann()
    went(worker, "P" * 40 + "UUU")
    september = date(2017, 9, 7)
    (cleared,) = worker.take(close("A", september))
    assert (cleared.type, cleared.changed_on, cleared.because) == ("AlertCleared", date(2017, 7, 1), "attendance")
    window = worker.window("ann")
    assert window is not None
    assert (window["enrolled_days"], window["absent_days"], window["marks"]) == (1, 0, [])
    assert went(worker, "UUU", start=43) == [], "last year's late marks are of no window"


def test_a_slip_of_the_year_ends_no_window_and_the_mark_waits_for_its_year() -> None:
    worker = worker_for_ann()
    went(worker, "P" * 40 + "UUU")
    september = date(2017, 9, 7)
    assert worker.take(batch(mark("ann", september, "absent"))) == []
    window = worker.window("ann")
    assert window is not None
    assert (window["enrolled_days"], window["absent_days"]) == (43, 3)
    worker.restart()
    assert worker.window("ann") == window
    worker.take(close("A", september))
    window = worker.window("ann")
    assert window is not None
    assert (window["enrolled_days"], window["absent_days"]) == (1, 1)
    worker.take(batch(mark("ann", date(2019, 9, 5), "absent")), erased("ann"))
    assert_nothing_is_kept(worker, "ann")


def test_closes_of_the_new_year_that_came_before_the_enrollment_are_caught_up() -> None:
    early, late = Worker(), Worker()
    reference = known()
    records = [batch(mark("ann", DAYS[0], "absent")), close("A", DAYS[0]), close("A", date(2017, 9, 7))]
    early.take(*reference, *records)
    late.take(*records, *reference)
    assert early.windows() == late.windows()
    assert early.window("ann") is not None


def test_a_school_of_which_nothing_came_leaves_an_empty_window() -> None:
    window = worker_for_ann().window("ann")
    assert window is not None
    assert (window["as_of"], window["absence_rate"], window["enrolled_days"]) == (None, None, 0)


def test_the_window_of_a_student_who_left_before_the_school_year_is_empty() -> None:
    worker = Worker()
    worker.take(
        close("A", DAYS[0]), consent("ann", FIRST), enrollment("ann", ("A", date(2010, 9, 1), date(2011, 6, 1)))
    )
    window = worker.window("ann")
    assert window is not None
    assert (window["enrolled_days"], window["moves"], window["marks"]) == (0, 0, [])


def test_enrollments_that_are_dropped_take_their_days_with_them() -> None:
    worker = worker_for_ann()
    went(worker, "P" * 40 + "UUU")
    (withdrawn,) = worker.take(enrollment("ann"))
    assert withdrawn.type == "AlertWithdrawn"
    worker.check_reader()


def test_rows_a_microsecond_apart_are_told_apart() -> None:
    worker = worker_for_ann()
    moment = datetime(2016, 9, 6, 14, 0, 0, 122_100, UTC)
    worker.take(
        batch(
            mark("ann", DAYS[0], "absent", recorded_at=moment),
            mark("ann", DAYS[0], "present", recorded_at=moment + timedelta(microseconds=1)),
        )
    )
    window = worker.window("ann")
    assert window is not None
    assert window["absent_days"] == 0


@pytest.mark.slow
def test_a_household_of_too_many_is_none() -> None:
    """Somebody wrote one number in place of all that were not known."""
    names = [f"s{number:02}" for number in range(MOST_AT_HOME + 2)]

    def handed_in(order: list[str], household: str | None, *, upto: int) -> Worker:
        worker = Worker(artifact=artifact(1), capacity=2)
        for name in order[:upto]:
            worker.take(enrollment(name, ("A", DAYS[0], None), household=household), consent(name, DAYS[0]))
            worker.take(*(batch(mark(name, day, "absent")) for day in DAYS[: 3 + int(name[1:]) % 5]))
        worker.take(close("A", *DAYS[:8]))
        return worker

    for upto in (MOST_AT_HOME + 1, MOST_AT_HOME + 2):
        crowded, alone = handed_in(names, "h", upto=upto), handed_in(names, None, upto=upto)
        assert crowded.scores() == alone.scores()
    assert handed_in(names, "h", upto=5).scores() != handed_in(names, None, upto=5).scores()
    left = handed_in(names, "h", upto=MOST_AT_HOME + 1)
    left.take(enrollment(names[MOST_AT_HOME], ("A", DAYS[0], None), household="other"))
    never = handed_in(names, "h", upto=MOST_AT_HOME)
    assert {name: left.scores()[name] for name in names[:MOST_AT_HOME]} == never.scores()
