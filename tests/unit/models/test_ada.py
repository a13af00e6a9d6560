"""Average daily attendance: each day of a student once, by the days on which school was held."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from models.ada import AttendanceSums, CellKey, SchoolMonth, days_of
from models.attendance import EXCUSED, PARTIAL, TARDY, UNEXCUSED
from models.engagement.days import ReportedDays
from models.enrollment import Segment
from models.school import School

FIRST, LAST = date(2016, 10, 24), date(2016, 11, 4)
HOLIDAY = date(2016, 10, 28)


def reported() -> ReportedDays:
    """Two weeks of a school that was closed on one Friday; the last Friday is not reported yet."""
    school = School()
    for number in range(12):
        day = FIRST + timedelta(days=number)
        school.set_calendar(day.toordinal(), instructional=day.weekday() < 5 and day != HOLIDAY)
        if day < LAST:
            school.close(day.toordinal(), history=False)
    return ReportedDays({"north": school}, FIRST, LAST)


def whole(school: str = "north", first: date = FIRST, last: date = LAST) -> Segment:
    return Segment(first.toordinal(), last.toordinal(), school)


def cell(grade: str, month: int) -> CellKey:
    return CellKey("north", grade, SchoolMonth(2016, month))


def test_a_day_is_attended_unless_it_was_an_absence_for_any_reason() -> None:
    days = [FIRST + timedelta(days=number) for number in range(4)]
    codes = {("north", day): code for day, code in zip(days, (EXCUSED, UNEXCUSED, TARDY, PARTIAL), strict=True)}
    found = list(days_of([whole()], codes.get, reported()))
    assert [one.day for one in found if one.absent] == days[:2]
    assert len(found) == 8  # ten weekdays, less a holiday and one that is not reported


def test_averages_are_by_the_days_on_which_school_was_held() -> None:
    sums = AttendanceSums()
    sums.add("7", days_of([whole()], {("north", FIRST): UNEXCUSED}.get, reported()))
    sums.add("7", days_of([whole(first=date(2016, 11, 2))], {}.get, reported()))
    october, november = sums.cells([reported()], 1)
    assert (october.key, november.key) == (cell("7", 10), cell("7", 11))
    assert (october.students, october.school_days, october.membership_days, october.attended_days) == (1, 5, 5, 4)
    assert (november.students, november.school_days, november.membership_days) == (2, 3, 5)
    assert november.average_daily_attendance == november.average_daily_membership == 5 / 3
    assert october.attendance_rate == 4 / 5


def test_a_school_that_reported_nothing_is_not_there() -> None:
    sums = AttendanceSums()
    sums.add("7", days_of([whole("south")], {}.get, reported()))
    assert sums.cells([reported()], 1) == []


def test_a_day_that_two_disclosures_tell_counts_once() -> None:
    sums = AttendanceSums()
    once = list(days_of([whole()], {("north", FIRST): UNEXCUSED}.get, reported()))
    sums.add(None, [*once, *once])
    assert [(one.membership_days, one.attended_days) for one in sums.cells([reported()], 1)] == [(5, 4), (3, 3)]


def test_of_few_students_nothing_is_told_but_the_days_of_school() -> None:
    sums = AttendanceSums()
    for _ in range(9):
        sums.add("7", days_of([whole()], {}.get, reported()))
    for _ in range(10):
        sums.add("8", days_of([whole()], {}.get, reported()))
    few, _, enough, _ = sums.cells([reported()], 10)
    assert few.suppressed
    assert {few.students, few.membership_days, few.attended_days, few.attendance_rate} == {None}
    assert (few.average_daily_attendance, few.average_daily_membership) == (None, None)
    assert (enough.suppressed, enough.students) == (False, 10)


@given(st.permutations([("7", 0), ("7", 3), ("8", 1), (None, 2), ("8", 5)]))
def test_the_order_of_students_changes_nothing(students: list[tuple[str | None, int]]) -> None:
    def of(order: list[tuple[str | None, int]]) -> AttendanceSums:
        sums = AttendanceSums()
        for grade, missed in order:
            absent = {("north", FIRST + timedelta(days=number)): EXCUSED for number in range(missed)}
            sums.add(grade, days_of([whole()], absent.get, reported()))
        return sums

    expected = [("7", 0), ("7", 3), ("8", 1), (None, 2), ("8", 5)]
    assert of(students).cells([reported()], 2) == of(expected).cells([reported()], 2)  # type: ignore[arg-type]
