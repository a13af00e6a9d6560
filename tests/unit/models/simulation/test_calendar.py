from __future__ import annotations

from datetime import date

from models.simulation import WorldConfig
from models.simulation.calendar import holidays, make_year
from models.simulation.config import CalendarConfig


def year_of(**values: int) -> WorldConfig:
    return WorldConfig(calendar=CalendarConfig(**values))


def test_the_year_has_180_instructional_days_from_september_to_june() -> None:
    year = make_year(year_of(building_closures=0), 1)
    assert year.dates[0] == date(2025, 9, 4)
    assert date(2026, 6, 12) <= year.dates[-1] <= date(2026, 6, 30)
    assert year.open[0].sum() == 180


def test_a_day_lost_to_snow_is_made_up_at_the_end() -> None:
    without, with_snow = make_year(year_of(snow_closures=0), 1), make_year(year_of(snow_closures=5), 1)
    assert with_snow.dates[-1] > without.dates[-1]
    assert with_snow.open.sum(axis=1).tolist()[2] in (179, 180)


def test_nobody_has_school_on_holidays() -> None:
    year = make_year(WorldConfig(), 1)
    off = holidays(2025)
    assert date(2025, 11, 27) in off
    assert date(2026, 5, 25) in off
    assert not any(year.open[:, i].any() for i, day in enumerate(year.dates) if day in off)


def test_schools_are_open_in_a_storm() -> None:
    year = make_year(WorldConfig(), 1)
    assert len(year.storms) == 2
    assert year.open[:, year.storms].all()


def test_the_first_year_is_a_setting() -> None:
    assert make_year(year_of(first_year=2016), 1).dates[0] == date(2016, 9, 8)
