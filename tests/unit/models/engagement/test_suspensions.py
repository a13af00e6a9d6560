from __future__ import annotations

from datetime import date

import pytest

from models.engagement import behaviour
from models.engagement.facts import Suspension, SuspensionsOnFile
from tests.unit.models.engagement.facts import AS_OF, POLICY, suspended


@pytest.mark.parametrize(
    ("on_file", "track"),
    [
        (suspended(date(2026, 7, 1)), "off_track"),
        (suspended(AS_OF), "off_track"),
        (suspended(date(2026, 6, 30)), "on_track"),  # the year before
        (suspended(date(2027, 1, 30)), "on_track"),  # not yet
        (suspended(), "on_track"),
        (SuspensionsOnFile(handed_in=False), None),
    ],
)
def test_any_suspension_of_the_school_year_to_date_is_off_track(on_file: SuspensionsOnFile, track: str | None) -> None:
    assert behaviour.judge(on_file, POLICY.behaviour, AS_OF).track == track


def test_a_suspension_counts_from_when_it_was_known() -> None:
    on_file = SuspensionsOnFile((Suspension(date(2026, 10, 5), date(2026, 11, 2)),))
    assert behaviour.judge(on_file, POLICY.behaviour, date(2026, 11, 1)).track == "on_track"
    assert behaviour.judge(on_file, POLICY.behaviour, date(2026, 11, 2)).track == "off_track"


def test_the_dates_are_named_and_what_would_change_it() -> None:
    on_file = suspended(date(2026, 12, 1), date(2026, 10, 5))
    (area,) = behaviour.judge(on_file, POLICY.behaviour, AS_OF).areas
    assert area.dates == (date(2026, 10, 5), date(2026, 12, 1))
    assert area.text.startswith("Suspended 2 times this school year, last on 1 December 2026. No suspension until")
