"""Days of a student can be taken back, corrected and put between, as if they had been told so at once."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.attendance import EXCUSED, UNEXCUSED
from models.engine.register import CODE
from tests.unit.models.tracks import Day, Telling, Track, days_of, track_of

pytestmark = pytest.mark.slow

kinds = st.text("PUETDQup>", min_size=1, max_size=40).filter(lambda text: text.strip(">"))


def told(days: list[Day]) -> Track:
    """These days, decided one by one."""
    telling = Telling()
    for day in days:
        telling.tell(0, [day])
        telling.evaluate()
    return Track(telling)


@given(kinds)
@settings(deadline=None)
def test_days_told_one_by_one_are_as_if_told_at_once(text: str) -> None:
    assert told(days_of(text)).state() == track_of(text).state()


@given(kinds, st.text("PUETup", min_size=1, max_size=5), st.data())
@settings(deadline=None)
def test_days_cut_off_and_told_anew_are_as_if_told_so_at_once(text: str, other: str, data: st.DataObject) -> None:
    wanted = days_of(text)
    cut = data.draw(st.integers(0, len(wanted)))
    track = track_of(text)
    track.telling.take_back(0, wanted[cut:])
    wrong = days_of(other, first=date.fromordinal(wanted[cut].ordinal) if cut < len(wanted) else date(2017, 5, 1))
    track.telling.tell(0, wrong)
    track.telling.evaluate()
    track.telling.take_back(0, wrong)
    track.telling.tell(0, wanted[cut:])
    track.telling.evaluate()
    assert track.state() == track_of(text).state()


@given(kinds, st.data())
@settings(deadline=None)
def test_levels_undecided_and_decided_again_are_the_same(text: str, data: st.DataObject) -> None:
    track = track_of(text)
    length = data.draw(st.integers(0, len(track.ordinals) - 1))
    track.cohort.decide_again(0, track.cohort.register.column(track.ordinals[length]))
    track.telling.evaluate()
    assert track.state() == track_of(text).state()


@given(kinds, st.data())
@settings(deadline=None)
def test_levels_are_cut_after_a_position_and_only_then(text: str, data: st.DataObject) -> None:
    track = track_of(text)
    levels, position = track.telling.levels, data.draw(st.integers(0, len(track.ordinals)))
    before = list(levels.course(0))
    levels.take_noted()

    changed = levels.cut(np.array([0]), np.array([position]))

    left = [state for state in before if state.position <= position]
    assert list(levels.course(0)) == left
    assert changed == ({0: position + 1} if len(left) < len(before) else {})
    assert levels.take_noted() == set(changed)
    assert levels.level[0] == (left[-1].level if left else 0)


@given(kinds, st.data())
@settings(deadline=None)
def test_a_day_stands_only_just_as_it_was_told(text: str, data: st.DataObject) -> None:
    """Told once more, nothing is decided; told otherwise in anything, the day is another one."""
    days = days_of(text)
    track = track_of(text)
    register, day = track.cohort.register, data.draw(st.sampled_from(days))
    column = register.column(day.ordinal)
    as_told = int(register.kept[0, column])
    state = track.state()
    track.telling.levels.take_noted()

    track.telling.tell(0, [day])

    assert track.telling.evaluate() == {}
    assert track.telling.levels.take_noted() == set()
    assert track.state() == state
    others = (
        day._replace(shock=not day.shock),
        day._replace(step=not day.step),
        day._replace(code=EXCUSED if day.code == UNEXCUSED else UNEXCUSED),
    )
    for other in others:
        track.telling.tell(0, [other])
        track.telling.evaluate()
        assert register.kept[0, column] != as_told
        assert register.kept[0, column] & CODE == other.code


@given(kinds.filter(lambda text: len(text.replace(">", "")) > 2), st.data())
@settings(deadline=None)
def test_a_day_put_between_counted_ones_is_as_if_told_in_time(text: str, data: st.DataObject) -> None:
    days = days_of(text)
    between = data.draw(st.integers(0, len(days) - 1))
    telling = Telling()
    telling.tell(0, days[:between] + days[between + 1 :])
    telling.evaluate()
    telling.tell(0, [days[between]])
    telling.evaluate()
    assert Track(telling).state() == track_of(text).state()


def test_moves_are_changes_of_school_between_counted_days() -> None:
    assert track_of("PPP").cohort.moves(0) == 0
    assert track_of("PP>PP>P").cohort.moves(0) == 2
