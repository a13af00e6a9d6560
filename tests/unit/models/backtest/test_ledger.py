"""A ledger of many students keeps what each one's track says."""

from __future__ import annotations

from random import Random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from models.track import Day

from models.features import INPUTS, inputs_of
from tests.unit.models.backtest.telling import COLUMNS, Telling, random_days
from tests.unit.models.tracks import RULES

seeds = st.integers(0, 2**32)


def made(seed: int, students: int = 5) -> tuple[Telling, Random]:
    random = Random(seed)
    return Telling([random_days(random, random.randint(1, 110)) for _ in range(students)], RULES), random


def check(telling: Telling, students: list[int]) -> None:
    found = telling.ledger.inputs(np.array(students, np.intp))
    for student, row in zip(students, found.tolist(), strict=True):
        expected = inputs_of(telling.tracks[student])
        assert dict(zip(INPUTS, row, strict=True)) == dict(zip(INPUTS, expected, strict=True))


@given(seeds)
@settings(max_examples=8, deadline=None)
def test_it_gives_the_same_inputs_on_every_day(seed: int) -> None:
    telling, _ = made(seed)

    for students in telling.tell():
        check(telling, students)


def anew(random: Random, days: list[Day]) -> list[Day]:
    """The same dates, told otherwise, and some not at all."""
    others = random_days(random, len(days))
    told = [other._replace(ordinal=day.ordinal) for day, other in zip(days, others, strict=True)]
    return [day for day in told if random.random() < 0.9]


@given(seeds)
@settings(max_examples=8, deadline=None)
def test_days_cut_off_and_told_anew_leave_no_trace(seed: int) -> None:
    telling, random = made(seed)
    for _ in telling.tell():
        pass

    for _ in range(4):
        for student in random.sample(range(5), 3):
            first = random.randrange(len(telling.days[student]))
            telling.correct(student, first, anew(random, telling.days[student][first:]))
        for students in telling.tell():
            check(telling, students)


@given(seeds)
@settings(max_examples=8, deadline=None)
def test_totals_are_those_of_the_track(seed: int) -> None:
    telling, _ = made(seed)
    for _ in telling.tell():
        pass

    ledger, everybody = telling.ledger, np.arange(5)
    now = ledger.at(everybody, ledger.length)
    for student, track in enumerate(telling.tracks):
        at = now[student]
        totals = track.totals
        assert ledger.length[student] == len(track.ordinals)
        assert COLUMNS[ledger.column[at]] == track.ordinals[-1]
        assert ledger.shock[at] == track.is_shock(len(track.ordinals) - 1)
        assert (ledger.absent[at], ledger.shock_absent[at], ledger.moves[at], ledger.moved_at[at]) == (
            totals.absent,
            totals.shock_absent,
            totals.moves,
            totals.moved_at,
        )


@given(seeds, st.integers(0, 129))
@settings(max_examples=8, deadline=None)
def test_days_before_a_column_are_those_with_an_earlier_date(seed: int, column: int) -> None:
    telling, _ = made(seed)
    for _ in telling.tell():
        pass

    found = telling.ledger.before(np.arange(5), np.full(5, column, np.int16))

    assert found.tolist() == [sum(o < COLUMNS[column] for o in track.ordinals) for track in telling.tracks]


def test_cutting_says_whether_a_later_day_was_among_them() -> None:
    telling, _ = made(1, students=1)
    for _ in telling.tell():
        pass
    column = telling.ledger.column[telling.ledger.at(np.array([0]), telling.ledger.length)].astype(np.int16)

    assert telling.ledger.cut(np.array([0]), column).tolist() == [False]
    assert telling.ledger.cut(np.array([0]), np.array([0], np.int16)).tolist() == [len(telling.days[0]) > 1]
    assert telling.ledger.length.tolist() == [0]
