"""The school year runs from 1 July to 30 June."""

from __future__ import annotations

from datetime import date

from models.school_year import first_day, last_day, year_of


def test_june_belongs_to_the_year_that_began_the_july_before() -> None:
    assert year_of(date(2017, 6, 30).toordinal()) == 2016
    assert year_of(date(2017, 7, 1).toordinal()) == 2017


def test_a_year_ends_the_day_before_the_next_begins() -> None:
    assert date.fromordinal(first_day(2016)) == date(2016, 7, 1)
    assert date.fromordinal(last_day(2016)) == date(2017, 6, 30)
    assert last_day(2016) + 1 == first_day(2017)


def test_the_last_year_that_a_date_can_name_ends_with_it() -> None:
    assert last_day(year_of(date.max.toordinal())) == date.max.toordinal()


def test_the_first_year_that_a_date_can_name_begins_with_it() -> None:
    assert first_day(year_of(date.min.toordinal())) == date.min.toordinal()
