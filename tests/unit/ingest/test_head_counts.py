"""Counts of heads: sums only, each student once."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.reporting.head_counts import DAYS_HELD, DayHeads, Roll

DAY = date(2016, 12, 5)

seen = st.lists(st.tuples(st.integers(0, 9), st.booleans()), max_size=40)


@given(seen, st.integers(1, 7))
def test_a_student_counts_once_and_is_absent_when_any_row_is(rows: list[tuple[int, bool]], size: int) -> None:
    heads = DayHeads(fresh=False)
    absent = total = 0
    for start in range(0, len(rows), size):
        for head, is_absent in rows[start : start + size]:
            heads.add("0455", DAY, head, absent=is_absent)
        for change in heads.drain():
            absent, total = absent + change.absent, total + change.seen
    assert total == len({head for head, _ in rows})
    assert absent == len({head for head, is_absent in rows if is_absent})


def test_the_first_sum_of_a_fresh_count_replaces_and_later_ones_add() -> None:
    heads = DayHeads(fresh=True)
    heads.add("0455", DAY, 1, absent=True)
    assert [change.fresh for change in heads.drain()] == [True]
    heads.add("0455", DAY, 2, absent=False)
    assert [(change.seen, change.absent, change.fresh) for change in heads.drain()] == [(1, 0, False)]


def test_what_could_not_be_stored_comes_again() -> None:
    heads = DayHeads(fresh=True)
    heads.add("0455", DAY, 1, absent=True)
    lost = heads.drain()
    heads.restore(lost)
    heads.add("0455", DAY, 2, absent=True)
    assert [(change.seen, change.absent, change.fresh) for change in heads.drain()] == [(2, 2, True)]
    assert heads.drain() == []


def test_a_continuing_count_forgets_old_days() -> None:
    heads = DayHeads(fresh=False)
    for number in range(DAYS_HELD + 1):
        heads.add("0455", DAY + timedelta(days=number), 1, absent=False)
        heads.drain()
    heads.add("0455", DAY, 1, absent=False)
    assert [change.seen for change in heads.drain()] == [1]


def test_a_roll_says_how_the_number_enrolled_changes() -> None:
    roll = Roll(fresh=False)
    roll.add("0455", 1, DAY, None)
    roll.add("0455", 2, DAY, None)
    roll.add("0455", 2, DAY, DAY + timedelta(days=9))
    roll.add("0455", 3, DAY, DAY - timedelta(days=1))  # never came
    (school,) = roll.drain()
    assert school.changes == {DAY: 2, DAY + timedelta(days=10): -1}
    assert school.entries == 2
    assert roll.drain() == []


@pytest.mark.parametrize("exits", list(permutations([DAY, DAY + timedelta(days=9), None])))
def test_of_an_imports_spans_with_the_same_entry_the_longest_holds(exits: tuple[date | None, ...]) -> None:
    roll = Roll(fresh=True)
    for exit_ in exits:
        roll.add("0455", 1, DAY, exit_)
    (school,) = roll.drain()
    assert school.changes == {DAY: 1}
    assert len(roll.twice) == 1
