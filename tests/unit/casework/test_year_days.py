from __future__ import annotations

from datetime import date

from models.attendance import EXCUSED, PARTIAL, TARDY, UNEXCUSED
from models.engagement.days import ReportedDays
from models.enrollment import Stay, shared_segments
from models.school import SaidDay, schools_of
from services.casework.year.days import Whereabouts, counts_of, days_of, usual_of

FIRST, LAST = date(2016, 12, 5), date(2016, 12, 16)
MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY = (date(2016, 12, day) for day in range(5, 10))


def reported(through: date, *, snow: date | None = None) -> ReportedDays:
    days = [date(2016, 12, day) for day in range(5, 17) if date(2016, 12, day).weekday() < 5]
    said = [SaidDay("burke", day, day != snow, day <= through) for day in days]
    return ReportedDays(schools_of(said), FIRST, LAST)


def whereabouts(stays: list[Stay], *, since: date = FIRST) -> Whereabouts:
    def shared(school: str) -> bool:
        return school == "burke"

    return Whereabouts(shared_segments(stays, shared, FIRST, LAST), shared_segments(stays, shared, since, LAST))


def test_each_weekday_is_what_it_was() -> None:
    where = whereabouts([Stay("burke", date(2016, 9, 1), None)])
    codes = {("burke", MONDAY): UNEXCUSED, ("burke", TUESDAY): EXCUSED, ("burke", WEDNESDAY): TARDY}
    days = days_of(where, codes | {("burke", THURSDAY): PARTIAL}, reported(FRIDAY), FIRST, LAST)
    assert [one.what for one in days[:5]] == ["absent", "excused", "tardy", "early_departure", "present"]
    assert {one.what for one in days[5:]} == {"no_data"}
    assert len(days) == 10


def test_a_day_without_school_is_none_whatever_is_said_of_it() -> None:
    where = whereabouts([Stay("burke", date(2016, 9, 1), None)])
    days = days_of(where, {("burke", TUESDAY): UNEXCUSED}, reported(FRIDAY, snow=TUESDAY), FIRST, LAST)
    assert days[1].what == "no_school"


def test_before_the_consent_and_at_another_school_nothing_is_shared() -> None:
    stays = [Stay("burke", date(2016, 9, 1), THURSDAY), Stay("elsewhere", FRIDAY, None)]
    days = days_of(whereabouts(stays, since=WEDNESDAY), {}, reported(LAST), FIRST, LAST)
    assert [(one.what, one.school) for one in days[:5]] == [
        ("not_shared", None), ("not_shared", None), ("present", "burke"), ("present", "burke"), ("not_shared", None),
    ]  # fmt: skip


def test_before_the_enrollment_there_is_no_school() -> None:
    days = days_of(whereabouts([Stay("burke", WEDNESDAY, None)]), {}, reported(LAST), FIRST, LAST)
    assert [one.what for one in days[:3]] == ["no_school", "no_school", "present"]


def test_the_usual_is_what_was_before_the_last_days() -> None:
    where = whereabouts([Stay("burke", date(2016, 9, 1), None)])
    codes = {("burke", MONDAY): UNEXCUSED, ("burke", TUESDAY): EXCUSED}
    days = days_of(where, codes, reported(LAST), FIRST, LAST)
    usual = usual_of(days * 3)
    assert (usual.recent_days, usual.before_days, usual.before_absent, usual.longest_run) == (20, 10, 2, 2)
    assert counts_of(days)["present"] == 8
