from __future__ import annotations

from datetime import date

from services.ingest.formats.base import Found, Item, Rejection
from services.ingest.formats.calendar import (
    CalendarDay,
    CalendarEntry,
    CalendarKey,
    SchoolSession,
    instructional_weekdays,
    school_days,
)
from services.ingest.rows.parse import SchoolDayRow

NINTH = CalendarKey("burke", "9", "2021")
TENTH = CalendarKey("burke", "10", "2021")
FALL = SchoolSession("burke", date(2021, 9, 6), date(2021, 9, 10))


def entries(*rows: CalendarEntry) -> list[Found[CalendarEntry]]:
    return [Item(row, "calendar", line) for line, row in enumerate(rows, start=1)]


def test_weekdays_of_a_session_leave_out_weekends_and_federal_holidays():
    assert instructional_weekdays(date(2021, 9, 3), date(2021, 9, 8)) == [
        date(2021, 9, 3),
        date(2021, 9, 7),
        date(2021, 9, 8),
    ]


def test_a_holiday_on_a_weekend_is_kept_on_the_weekday_on_which_it_is_observed():
    assert date(2021, 12, 24) not in instructional_weekdays(date(2021, 12, 20), date(2022, 1, 3))
    assert date(2021, 12, 31) not in instructional_weekdays(date(2021, 12, 20), date(2022, 1, 3))


def test_a_school_with_rows_of_its_own_does_not_use_its_sessions():
    row = SchoolDayRow("burke", date(2021, 9, 7), instructional=False)
    other = SchoolSession("orchard", date(2021, 9, 7), date(2021, 9, 7))

    days = [found.row for found in school_days(entries(FALL, other, row), set(), set()) if isinstance(found, Item)]

    assert days == [row, SchoolDayRow("orchard", date(2021, 9, 7), instructional=True)]


def test_a_calendar_that_is_not_the_schools_says_nothing_about_it():
    days = list(school_days(entries(CalendarDay(NINTH, date(2021, 9, 7), instructional=True), FALL), {NINTH}, set()))
    assert len(days) == 4


def test_a_school_has_school_when_any_of_its_calendars_has():
    day = date(2021, 9, 7)
    closed = CalendarDay(TENTH, day, instructional=False)
    opened = CalendarDay(NINTH, day, instructional=True)
    for order in ((closed, opened), (opened, closed)):
        (found,) = school_days(entries(*order), set(), set())
        assert isinstance(found, Item)
        assert found.row == SchoolDayRow("burke", day, instructional=True)


def test_overlapping_sessions_give_each_day_once():
    whole = SchoolSession("burke", date(2021, 9, 1), date(2021, 9, 30))
    days = [found.row.date for found in school_days(entries(FALL, whole), set(), set()) if isinstance(found, Item)]
    assert len(days) == len(set(days)) == 21


def test_rejections_pass_through():
    rejection = Rejection("calendar", 1, None, "bad")
    assert list(school_days([rejection], set(), set())) == [rejection]


def test_a_calendar_that_students_follow_comes_beside_their_schools():
    day = date(2021, 9, 7)
    closed = CalendarDay(TENTH, day, instructional=False)
    opened = SchoolDayRow("burke", day, instructional=True, reported=True, calendar="9")
    found = school_days(entries(closed, opened), set(), {("burke", "9"), ("burke", "10"), ("orchard", "9")})

    assert sorted((one.row for one in found if isinstance(one, Item)), key=lambda row: row.calendar or "") == [
        SchoolDayRow("burke", day, instructional=True, reported=True),
        SchoolDayRow("burke", day, instructional=False, calendar="10"),
        SchoolDayRow("burke", day, instructional=True, calendar="9"),
    ]


def test_a_students_own_calendar_is_followed_though_it_says_nothing_about_the_school():
    day = CalendarDay(NINTH, date(2021, 9, 7), instructional=True)
    (found,) = school_days(entries(day), {NINTH}, {("burke", "9")})
    assert isinstance(found, Item)
    assert found.row == SchoolDayRow("burke", date(2021, 9, 7), instructional=True, calendar="9")
