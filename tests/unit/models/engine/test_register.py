"""What was said of every day stays with its date, also when a date is put between."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.attendance import EXCUSED, PRESENT, RETRACTED, UNEXCUSED
from models.engine.register import (
    BREAK,
    CODE,
    HISTORY,
    LIVE,
    NOT_SHARED,
    NOWHERE,
    OPEN,
    REPORTED,
    SHOCK,
    STEP,
    Register,
)
from models.enrollment import Segment, school_on
from tests.unit.models.tracks import COLUMNS

DAYS = COLUMNS[:12].tolist()
FIRST, LAST = DAYS[0], DAYS[-1]
STATES = {day: number % 4 for number, day in enumerate(DAYS)}


def register() -> Register:
    made = Register()
    made.state_of = lambda school, day: (STATES[day] if school == "A" else REPORTED, day % 5 == 0)
    return made


def dated(of: Register) -> dict[tuple[object, ...], tuple[object, ...]]:
    """Everything by its date."""
    assert of.moment is not None
    found: dict[tuple[object, ...], tuple[object, ...]] = {}
    for column, day in enumerate(of.days):
        for row in range(of.rows):
            at = row, column
            found[row, day] = (of.said[at], of.said_at[at], of.kept[at], of.moment[at])
        for name, number in of.numbers.items():
            found[name, day] = (of.state[number, column], of.shock[number, column])
    return found


@given(st.permutations(DAYS), st.integers(0, 2**32))
def test_a_date_put_between_moves_the_later_ones_with_all_that_is_theirs(order: list[int], seed: int) -> None:
    random, mixed, expected = Random(seed), register(), {}
    mixed.add(3)
    for school in ("A", "B"):
        mixed.number(school)
    for day in order:
        assert not mixed.has(day)
        at = mixed.insert(day)
        assert (mixed.days[at], mixed.column(day), mixed.has(day)) == (day, at, True)
        assert mixed.moment is not None
        for row in range(3):
            assert (mixed.said[row, at], mixed.kept[row, at]) == (0, 0)
            said = (random.randint(1, 7), random.randint(1, 2), random.randint(1, 31), random.randint(0, 99))
            mixed.said[row, at], mixed.said_at[row, at], mixed.kept[row, at], mixed.moment[row, at] = said
            expected[row, day] = said
        for school in ("A", "B"):
            expected[school, day] = mixed.state_of(school, day)

    assert mixed.days == DAYS
    assert mixed.ordinals.tolist() == DAYS
    assert {key: value for key, value in dated(mixed).items() if key[0] != ""} == expected


def test_a_school_heard_of_later_knows_the_dates_that_are_there() -> None:
    late = register()
    for day in DAYS:
        late.insert(day)
    number = late.number("A")

    assert late.state[number, : len(DAYS)].tolist() == list(STATES.values())
    assert not late.look_up(number, 0)
    late.state_of = lambda *_: (REPORTED, True)
    assert late.look_up(number, 0)


segments = st.lists(st.tuples(st.sampled_from("ABC"), st.integers(1, 4), st.integers(0, 2)), max_size=4)
"""A school, so many days there, so many days nowhere after it."""


def laid_out(parts: list[tuple[str, int, int]]) -> list[Segment]:
    found, day = [], 0
    for school, length, gap in parts:
        if day + length <= len(DAYS):
            found.append(Segment(DAYS[day], DAYS[day + length - 1], school))
        day += length + gap
    return found


@given(st.lists(segments, min_size=1, max_size=4))
def test_where_a_day_counts_is_what_the_segments_say(rows: list[list[tuple[str, int, int]]]) -> None:
    made = register()
    made.add(len(rows))
    for day in DAYS:
        made.insert(day)
    made.reached = made.columns
    placed = [laid_out(parts) for parts in rows]
    for row, parts in enumerate(placed):
        made.place(row, [Segment(FIRST, LAST, "D"), Segment(LAST + 1, LAST + 2, "E")])
        made.place(row, parts)

    everybody = np.arange(len(rows))
    expected = [[school_on(parts, day) for day in DAYS] for parts in placed]
    assert [[made.names[number] or None for number in row] for row in made.schools(everybody, 0)] == expected
    for column, day in enumerate(DAYS):
        at = made.school_of(everybody, np.full(len(rows), column))
        assert [made.names[number] or None for number in at] == [row[column] for row in expected]
        for school in "ABCD":
            there = [row for row in range(len(rows)) if expected[row][column] == school]
            assert sorted(made.at_school(school, day).tolist()) == there


@pytest.mark.parametrize(
    ("state", "said", "kept"),
    [
        (0, UNEXCUSED | LIVE, 0),
        (OPEN, 0, 0),
        (OPEN, UNEXCUSED | LIVE, UNEXCUSED | STEP),
        (OPEN, UNEXCUSED, UNEXCUSED),
        (OPEN, RETRACTED | LIVE, 0),
        (REPORTED, 0, PRESENT | STEP),
        (REPORTED, RETRACTED, PRESENT | STEP),
        (REPORTED, EXCUSED, EXCUSED | STEP),
        (HISTORY, 0, PRESENT),
        (HISTORY, EXCUSED, EXCUSED),
        (HISTORY, EXCUSED | LIVE, EXCUSED | STEP),
    ],
)
@pytest.mark.parametrize("shock", [False, True])
def test_what_a_day_comes_to(state: int, said: int, kept: int, *, shock: bool) -> None:
    made = Register()
    made.state_of = lambda *_: (state, shock)
    row, at = made.add(), made.insert(FIRST)
    made.reached = made.columns
    made.place(row, [Segment(FIRST, LAST, "A")])
    made.said[row, at], made.said_at[row, at] = said, made.number("A") if said else NOWHERE

    found = made.resolve(np.array([row]), 0)

    assert found.kept.tolist() == [[kept | SHOCK * (shock and kept > 0)]]
    made.said_at[row, at] = made.number("B")
    elsewhere = made.resolve(np.array([row]), 0).kept[0, 0]
    assert elsewhere & CODE == (PRESENT if state >= REPORTED else 0), "what another school said does not count here"


def test_a_day_that_is_not_shared_breaks_and_counts_nowhere() -> None:
    made = register()
    row, at = made.add(), made.insert(FIRST)
    made.reached = made.columns
    made.place(row, [Segment(FIRST, LAST, NOT_SHARED)])

    assert made.resolve(np.array([row]), at).kept.tolist() == [[BREAK]]


def test_nothing_is_left_of_a_row_that_is_cleared() -> None:
    made = register()
    made.add(2)
    made.insert(FIRST)
    made.reached = made.columns
    for row in range(2):
        made.place(row, [Segment(FIRST, FIRST, "A"), Segment(FIRST + 1, LAST, "B")])
    assert made.moment is not None
    for each in (made.said, made.said_at, made.kept, made.moment):
        each[:, 0] = 3

    made.clear(0)

    assert not any(each[0].any() for each in (made.said, made.said_at, made.kept, made.moment, made.school))
    assert made.segments.keys() == {1}
    assert made.schools(np.array([0]), 0).tolist() == [[NOWHERE]]
    assert made.said[1, 0] == 3
