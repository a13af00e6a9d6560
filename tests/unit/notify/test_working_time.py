from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notify.escalation import REPEATS, EscalationPlan
from services.notify.working_time import WorkingTime, end_of_quiet, parse_days
from services.platform.day_hours import DayHours

BOSTON = ZoneInfo("America/New_York")
NIGHT = DayHours.parse("21:00-07:00")
OFFICE = WorkingTime(DayHours.parse("08:00-17:00"), parse_days("mon-fri"), BOSTON)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BOSTON).astimezone(UTC)


@pytest.mark.parametrize(
    ("now", "ends"),
    [
        ("2016-12-07T21:00", "2016-12-08T07:00"),
        ("2016-12-08T06:59", "2016-12-08T07:00"),
        ("2016-12-08T07:00", None),
        ("2016-12-08T20:59", None),
        ("2016-11-05T22:00", "2016-11-06T07:00"),
        ("2016-11-06T01:30", "2016-11-06T07:00"),
        ("2017-03-11T22:00", "2017-03-12T07:00"),
        ("2017-03-12T02:30", "2017-03-12T07:00"),
    ],
)
def test_quiet_hours_end_by_the_clock_on_the_wall(now: str, ends: str | None) -> None:
    assert end_of_quiet(at(now), NIGHT, BOSTON) == (None if ends is None else at(ends))


def test_the_night_is_an_hour_longer_in_autumn_and_shorter_in_spring() -> None:
    lengths = []
    for day in ("2016-11-05", "2017-03-11", "2016-12-07"):
        begins = at(f"{day}T21:00")
        ends = end_of_quiet(begins, NIGHT, BOSTON)
        assert ends is not None
        lengths.append(ends - begins)
    assert lengths == [timedelta(hours=11), timedelta(hours=9), timedelta(hours=10)]


MOMENTS = st.integers(0, 2 * 365 * 24 * 60).map(lambda minutes: at("2016-01-01T00:00") + timedelta(minutes=minutes))
MINUTES = st.integers(0, 1439)


@given(MOMENTS, MINUTES, MINUTES)
def test_what_waits_comes_within_a_day_and_then_at_once(now: datetime, begins: int, ends: int) -> None:
    if begins == ends:
        return
    quiet = DayHours(begins, ends)
    until = end_of_quiet(now, quiet, BOSTON)
    if until is not None:
        assert now < until <= now + timedelta(hours=25)
        assert until.astimezone(BOSTON).minute == ends % 60
        assert end_of_quiet(until, quiet, BOSTON) is None


@pytest.mark.parametrize(
    ("since", "hours", "due"),
    [
        ("2016-12-07T09:00", 4, "2016-12-07T13:00"),
        ("2016-12-07T15:00", 4, "2016-12-08T10:00"),
        ("2016-12-09T16:00", 4, "2016-12-12T11:00"),
        ("2016-12-10T12:00", 4, "2016-12-12T12:00"),
        ("2016-12-07T03:00", 0.5, "2016-12-07T08:30"),
        ("2016-12-07T09:00", 18, "2016-12-09T09:00"),
    ],
)
def test_working_hours_alone_count(since: str, hours: float, due: str) -> None:
    assert OFFICE.after(at(since), hours) == at(due)


def test_an_urgent_case_is_told_of_six_times_at_most_at_the_same_interval() -> None:
    plan = EscalationPlan(OFFICE, 4, 2)
    urgent = plan.moments("urgent", at("2016-12-07T08:00"))
    assert len(urgent) == 1 + REPEATS
    assert urgent[:3] == [at("2016-12-07T12:00"), at("2016-12-07T16:00"), at("2016-12-08T11:00")]
    assert plan.moments("watch", at("2016-12-07T08:00"))[0] == at("2016-12-08T17:00")


@pytest.mark.parametrize("given", ["", "21:00", "25:00-07:00", "07:00-07:00", "21:00-24:01"])
def test_hours_that_cannot_be_are_refused(given: str) -> None:
    with pytest.raises(ValueError, match=r"HH|hours"):
        DayHours.parse(given)


def test_days_go_over_the_weekend() -> None:
    assert parse_days("sat-mon") == {5, 6, 0}
    assert parse_days("mon,wed") == {0, 2}
    with pytest.raises(ValueError, match="weekdays"):
        parse_days("someday")


@given(MOMENTS, st.floats(0.01, 40), st.floats(0.01, 40))
def test_more_hours_end_later(since: datetime, one: float, more: float) -> None:
    assert since < OFFICE.after(since, one) < OFFICE.after(since, one + more)
