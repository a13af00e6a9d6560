"""Which days a school's files close, and which of them raises alerts."""

from __future__ import annotations

from datetime import date

from models.school import School
from services.ingest.reporting.schools import SchoolReport, school_year_start

MON, TUE, WED, SAT = date(2025, 9, 8), date(2025, 9, 9), date(2025, 9, 10), date(2025, 9, 13)
CALENDAR = {MON: True, TUE: False, WED: True}


def test_every_school_day_up_to_the_last_reported_date_is_due() -> None:
    report = SchoolReport(CALENDAR, seen={WED})
    assert report.due() == [MON, WED]
    assert report.raising(report.due()) == WED


def test_days_that_are_closed_already_are_not_due_again() -> None:
    report = SchoolReport(CALENDAR, closed={MON}, seen={MON, WED})
    assert report.due() == [WED]


def test_a_last_date_that_is_no_school_day_is_closed_and_the_school_day_before_it_raises() -> None:
    report = SchoolReport(CALENDAR, seen={SAT})
    assert report.due() == [MON, WED, SAT]
    assert report.raising(report.due()) == WED


def test_older_days_raise_nothing_when_a_later_one_is_closed() -> None:
    report = SchoolReport(CALENDAR, closed={WED}, seen={MON})
    assert report.due() == [MON]
    assert report.raising(report.due()) is None


def test_a_school_without_a_calendar_closes_the_weekdays_that_it_reported() -> None:
    report = SchoolReport(seen={MON, WED, SAT})
    assert report.due() == [MON, WED, SAT]
    assert report.raising(report.due()) == WED


def test_a_school_year_without_calendar_rows_is_one_without_a_calendar() -> None:
    """As the worker sees it (`models.school`)."""
    next_year, weekend = date(2026, 9, 8), date(2026, 9, 12)
    report = SchoolReport(CALENDAR, seen={WED, next_year, weekend})
    school = School()
    for day, instructional in CALENDAR.items():
        school.set_calendar(day.toordinal(), instructional=instructional)
    for day in (MON, TUE, SAT, next_year, weekend):
        assert report.is_instructional(day) == school.is_instructional(day.toordinal())
    assert report.due() == [MON, WED, next_year, weekend]


def test_a_school_that_reported_nothing_closes_nothing() -> None:
    assert SchoolReport(CALENDAR).due() == []


def test_a_school_year_starts_on_the_first_of_july() -> None:
    assert school_year_start(date(2026, 6, 30)) == date(2025, 7, 1)
    assert school_year_start(date(2026, 7, 1)) == date(2026, 7, 1)
