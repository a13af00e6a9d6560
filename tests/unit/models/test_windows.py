"""The figures that people see: any reason counts, shock days too."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.windows import Window, summarise
from tests.unit.models.tracks import track_of


def window_of(kinds: str) -> Window:
    track = track_of(kinds)
    return summarise(track.past, track.cohort.moves(track.row))


def test_excused_and_shock_days_stay_in_every_count_rate_and_streak() -> None:
    window = window_of("PUEup" + "UEuP" + "UEu")
    assert (window.enrolled_days, window.absent_days, window.excused_days, window.unexcused_days) == (12, 9, 3, 6)
    assert (window.current_streak, window.longest_streak) == (3, 3)
    assert window.absence_rate == 0.75
    assert window.shock_days == 4


def test_kinds_of_attendance_are_told_apart() -> None:
    window = window_of("TDQPTD>T")
    assert (window.tardy_days, window.early_departure_days, window.partial_days) == (3, 2, 1)
    assert (window.absent_days, window.moves) == (0, 1)


def test_windows_are_the_last_days_that_counted() -> None:
    window = window_of("U" * 30 + "P" * 5 + "E" * 5 + "PPPPU")
    assert (window.absences_5, window.absences_10, window.absences_20, window.absences_45) == (1, 6, 11, 36)


def test_no_days_are_no_rate() -> None:
    window = window_of("")
    assert window.absence_rate is None
    assert (window.enrolled_days, window.current_streak, window.longest_streak, window.absences_45) == (0, 0, 0, 0)


@given(st.text("PUETup", max_size=60))
def test_streaks_are_runs_of_absences(kinds: str) -> None:
    window = window_of(kinds)
    runs = "".join("A" if kind in "UEu" else " " for kind in kinds).split(" ")
    assert window.longest_streak == max(map(len, runs))
    assert window.current_streak == len(runs[-1])
    assert window.absence_rate == (pytest.approx(sum(map(len, runs)) / len(kinds)) if kinds else None)
