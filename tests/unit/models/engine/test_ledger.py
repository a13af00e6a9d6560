"""The running totals of many students are what plain counting over each one's days gives."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.engine.ledger import ABSENT, NO_PLACE, Pairs
from models.features import INPUTS, KINDS
from tests.unit.models.engine import plain
from tests.unit.models.tracks import Day, Telling, days_of, random_days

pytestmark = pytest.mark.slow

seeds = st.integers(0, 2**32)
STUDENTS = 5


def told(seed: int) -> tuple[Telling, Random]:
    random = Random(seed)
    telling = Telling(STUDENTS)
    for student in range(STUDENTS):
        telling.tell(student, random_days(random, random.randint(1, 110)))
    telling.evaluate()
    return telling, random


def day_by_day(telling: Telling, days: list[list[Day]]) -> Iterator[list[int]]:
    """Tell every student one day at a time; the students of each step."""
    for position in range(max(map(len, days))):
        waiting = [student for student in range(len(days)) if position < len(days[student])]
        for student in waiting:
            telling.tell(student, [days[student][position]])
        telling.evaluate()
        yield waiting


def check_inputs(telling: Telling, students: list[int]) -> None:
    found = telling.cohort.inputs(np.array(students, np.intp))
    for student, row in zip(students, found.tolist(), strict=True):
        assert dict(zip(INPUTS, row, strict=True)) == plain.inputs(telling.days(student))


def check_totals(telling: Telling, pairs: Pairs, place: int, days: list[Day]) -> None:
    """The totals of one pair are those of the days up to its own."""
    ordinary = plain.ordinary(days)
    last_move = plain.moves(days)[-1] if plain.moves(days) else NO_PLACE
    register = telling.cohort.register
    assert register.days[pairs.column[place]] == days[-1].ordinal
    assert register.names[pairs.school[place]].endswith(f"|{days[-1].school}")
    assert [pairs.totals[kind, place] for kind in range(ABSENT)] == [plain.count(days, kind) for kind in KINDS]
    assert pairs.totals[ABSENT, place] == len(plain.absent(days))
    assert (pairs.position[place], pairs.ordinary[place]) == (len(days), len(ordinary))
    assert (pairs.streak[place], pairs.aside[place]) == (plain.streak(days), plain.aside(days))
    assert pairs.moved_at[place] == last_move
    ((first, last),) = telling.cohort.rules.months()
    assert pairs.months[0, place] == plain.count([day for day in days if first <= day.ordinal <= last], "unexcused")


@given(seeds)
@settings(max_examples=6, deadline=None)
def test_inputs_are_those_of_plain_counting_on_every_day(seed: int) -> None:
    random = Random(seed)
    days = [random_days(random, random.randint(1, 60)) for _ in range(STUDENTS)]
    telling = Telling(STUDENTS)

    for students in day_by_day(telling, days):
        check_inputs(telling, students)


@given(seeds)
@settings(max_examples=6, deadline=None)
def test_days_taken_back_and_told_otherwise_leave_no_trace(seed: int) -> None:
    telling, random = told(seed)

    for _ in range(4):
        for student in random.sample(range(STUDENTS), 3):
            days = telling.days(student)
            later = days[random.randrange(len(days)) :] if days else []
            others = random_days(random, max(len(later), 1))
            telling.take_back(student, later)
            again = [other._replace(ordinal=day.ordinal) for day, other in zip(later, others, strict=False)]
            telling.tell(student, [day for day in again if random.random() < 0.9])
        telling.evaluate()
        check_inputs(telling, [student for student in range(STUDENTS) if telling.days(student)])


@given(seeds)
@settings(max_examples=6, deadline=None)
def test_totals_are_those_of_the_days_so_far_and_on_the_last_day_those_of_all(seed: int) -> None:
    telling, _ = told(seed)

    for student in range(STUDENTS):
        days, pairs = telling.days(student), telling.cohort.days_of(student)
        for place in range(len(days)):
            check_totals(telling, pairs, place, days[: place + 1])
            assert (pairs.shock[place], pairs.step[place]) == (days[place].shock, days[place].step)
        check_totals(telling, telling.cohort.ledger.last_days(np.array([student])), 0, days)


def test_a_student_of_whom_no_day_counts_any_more_has_no_totals() -> None:
    telling = Telling()
    telling.tell(0, days_of("UUPU"))
    telling.evaluate()
    telling.take_back(0, telling.days(0))
    telling.evaluate()

    ledger = telling.cohort.ledger
    assert (ledger.length[0], ledger.last_column[0], ledger.school[0]) == (0, NO_PLACE, 0)
    telling.tell(0, days_of("PU"))
    telling.evaluate()
    check_inputs(telling, [0])
