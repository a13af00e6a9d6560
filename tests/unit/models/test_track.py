"""A track can take its last day back, and knows whether a day is already told so."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from models.episodes import add_day
from models.track import Day, Track
from tests.unit.models.tracks import RULES, days_of, track_of

kinds = st.text("PUETDQup>", min_size=1, max_size=40).filter(lambda text: text.strip(">"))


def state(track: Track) -> tuple[object, ...]:
    return track.ordinals, track.shown, track.ruled, track.totals, track.calm, track.turns


@given(kinds, st.sampled_from("PUETup"))
def test_a_day_taken_back_and_told_anew_is_as_if_told_so_at_once(text: str, other: str) -> None:
    wanted = days_of(text)
    track = Track()
    for day in wanted[:-1]:
        add_day(track, day, RULES)
    wrong = days_of(other)[0]._replace(ordinal=wanted[-1].ordinal)
    add_day(track, wrong, RULES)
    track.take_back()
    add_day(track, wanted[-1], RULES)
    assert state(track) == state(track_of(text))


@given(kinds, st.data())
def test_a_day_stands_only_just_as_it_was_told(text: str, data: st.DataObject) -> None:
    days = days_of(text)
    track = track_of(text)
    day = data.draw(st.sampled_from(days))
    assert track.stands(day)
    assert not track.stands(day._replace(shock=not day.shock))
    assert not track.stands(day._replace(step=not day.step))
    assert not track.stands(day._replace(code=day.code + 1))


def test_a_day_between_two_counted_ones_does_not_stand() -> None:
    track = track_of("PPPPPP")
    between = track.ordinals[4] + 1
    assert not track.stands(Day(between, "S0", track.shown[0], shock=False, step=True))


def test_moves_are_changes_of_school_between_counted_days() -> None:
    assert track_of("PPP").totals.moves == 0
    assert track_of("PP>PP>P").totals.moves == 2
