from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.engagement import rate
from models.engagement.facts import SchoolAttendance
from models.engagement.rate import days_to
from tests.unit.models.engagement.facts import AS_OF, POLICY, attendance


@pytest.mark.parametrize(
    ("absent", "days", "track"),
    [
        (1, 10, "sliding"),  # exactly 90%
        (2, 19, "off_track"),
        (11, 110, "sliding"),
        (12, 110, "off_track"),
        (1, 20, "on_track"),  # exactly 95%
        (2, 39, "sliding"),
        (5, 100, "on_track"),
        (6, 100, "sliding"),
        (0, 10, "on_track"),
        (9, 9, None),  # too few days
        (0, 0, None),
    ],
)
def test_the_lines_are_exact(absent: int, days: int, track: str | None) -> None:
    assert rate.judge(attendance(absent, days), POLICY.attendance, AS_OF).track == track


def test_one_day_is_one_day() -> None:
    (area,) = rate.judge(attendance(1, 19), POLICY.attendance, AS_OF).areas
    assert area.text.endswith("Attend the next school day without an absence and the rate is 95% again.")


def test_the_days_of_absence_are_named_and_what_would_change_it() -> None:
    (area,) = rate.judge(attendance(3, 48), POLICY.attendance, AS_OF).areas
    assert area.dates == (date(2027, 1, 27), date(2027, 1, 28), date(2027, 1, 29))
    assert area.text == (
        "Absent on 3 of 48 school days this year, an attendance rate of 93.7%. "
        "Attend the next 12 school days without an absence and the rate is 95% again."
    )


def test_a_rate_out_of_reach_is_not_promised() -> None:
    (area,) = rate.judge(attendance(25, 100), POLICY.attendance, AS_OF).areas
    assert "A rate of 90% is out of reach until the school year ends" in area.text
    assert "Attend the next" not in area.text


@given(st.integers(1, 180), st.integers(1, 180), st.sampled_from([Fraction(9, 10), Fraction(19, 20)]))
def test_so_many_days_and_no_fewer_bring_the_rate_back(absent: int, attended: int, goal: Fraction) -> None:
    days = absent + attended
    more = days_to(absent, days, goal)
    assert (more > 0) == (Fraction(attended, days) < goal)
    if more > 0:
        assert Fraction(attended + more, days + more) >= goal
        assert Fraction(attended + more - 1, days + more - 1) < goal


def test_only_the_school_year_to_date_counts() -> None:
    last_year = tuple(date(2026, 6, 1) + timedelta(n) for n in range(20))
    to_come = tuple(AS_OF + timedelta(n) for n in range(1, 20))
    this_year = attendance(0, 12)
    all_days = SchoolAttendance((*last_year, *this_year.enrolled, *to_come), (*last_year, *to_come))
    assert rate.judge(all_days, POLICY.attendance, AS_OF).track == "on_track"


def test_an_absence_on_a_day_that_does_not_count_says_nothing() -> None:
    days = attendance(0, 10)
    outside = SchoolAttendance(days.enrolled, (AS_OF - timedelta(30),))
    assert rate.judge(outside, POLICY.attendance, AS_OF).track == "on_track"


def test_an_assumed_calendar_has_no_rate() -> None:
    days = attendance(9, 20)
    assert rate.judge(SchoolAttendance(days.enrolled, days.absent, False), POLICY.attendance, AS_OF).track is None
