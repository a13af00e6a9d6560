"""A track can take days back, and knows whether a day is already told so."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st
from models.episodes import add_day, decide
from models.track import Day, Track

from tests.unit.models.tracks import RULES, days_of, track_of

kinds = st.text("PUETDQup>", min_size=1, max_size=40).filter(lambda text: text.strip(">"))


def state(track: Track) -> tuple[object, ...]:
    return track.ordinals, track.shown, track.ruled, track.totals, track.calm, track.turns


@given(kinds, st.text("PUETup", min_size=1, max_size=5), st.data())
def test_days_cut_off_and_told_anew_are_as_if_told_so_at_once(text: str, other: str, data: st.DataObject) -> None:
    wanted = days_of(text)
    cut = data.draw(st.integers(0, len(wanted)))
    track = track_of(text)
    track.cut(cut)
    wrong = days_of(other, first=date.fromordinal(wanted[cut].ordinal) if cut < len(wanted) else date(2017, 5, 1))
    for day in wrong:
        add_day(track, day, RULES)
    decide(track, RULES)
    track.cut(cut)
    for day in wanted[cut:]:
        add_day(track, day, RULES)
    decide(track, RULES)
    assert state(track) == state(track_of(text))


@given(kinds, st.data())
def test_levels_undecided_and_decided_again_are_the_same(text: str, data: st.DataObject) -> None:
    track = track_of(text)
    track.undecide(data.draw(st.integers(0, len(track.ordinals))))
    decide(track, RULES)
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
