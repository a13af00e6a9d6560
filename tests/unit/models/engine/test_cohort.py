"""What is decided of many students does not depend on how much is evaluated at once, nor on when."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.capacity import NO_THRESHOLD, monday_of
from models.engine import cohort as engine
from models.engine.cohort import UNTOUCHED, Cohort
from models.engine.levels import State
from models.engine.register import REPORTED
from models.engine.scores import Siblings, Since
from tests.unit.models.hand_made import artifact, model
from tests.unit.models.tracks import BOTH, COLUMNS, RULES_ALONE, Day, Telling, days_of, random_days

pytestmark = pytest.mark.slow

seeds = st.integers(0, 2**32)
STUDENTS = 8
HOMES = ((0, 1), (2, 5, 7))
MONDAYS = sorted({monday_of(int(day)) for day in COLUMNS})


class Fact(NamedTuple):
    """Days of a student told, or taken back."""

    student: int
    days: list[Day]
    told: bool


def a_telling(seed: int, thresholds: dict[int, float] | None = None) -> Telling:
    telling = Telling(STUDENTS, strategies=(BOTH, RULES_ALONE), models=[Since(0, model(seed % 50))])
    for home in HOMES:
        for row in home:
            telling.cohort.scores.siblings.set(row, [other for other in home if other != row])
    telling.levels.thresholds[0].by_week.update(thresholds or {})
    return telling


def facts_of(random: Random) -> list[Fact]:
    """Days in stretches of some students, some of them told otherwise later, some taken back."""
    facts: list[Fact] = []
    for student in range(STUDENTS):
        days = random_days(random, random.randint(0, 90))
        wrong = [day._replace(ordinal=at.ordinal) for day, at in zip(days[::-1], days, strict=True)]
        cut = random.randint(0, len(days))
        facts += [Fact(student, wrong[:cut], told=True), Fact(student, wrong[cut:], told=True)]
        facts += [Fact(student, wrong[cut // 2 :], told=False), Fact(student, days, told=True)]
    return facts


def thresholds_of(random: Random) -> dict[int, float]:
    return {monday: random.choice([-4.0, -3.0, -2.0, NO_THRESHOLD]) for monday in MONDAYS[1:]}


def apply(telling: Telling, facts: Sequence[Fact]) -> None:
    for student, days, told in facts:
        (telling.tell if told else telling.take_back)(student, days)


def stands(cohort: Cohort) -> list[tuple[object, ...]]:
    """By student: the days, the course of each strategy's levels, and every score."""
    found: list[tuple[object, ...]] = []
    for row in range(STUDENTS):
        length = int(cohort.ledger.length[row])
        courses = [list(levels.course(row)) for levels in cohort.levels]
        scores = scores_of(cohort, row, length)
        found.append((cohort.days_of(row).day.tolist() if length else [], courses, scores))
    return found


def scores_of(cohort: Cohort, row: int, days: int) -> list[tuple[float, float]]:
    """Of each of so many days: by the student's own, and with the household's part."""
    if not days:
        return []
    own, whole = cohort.scores_at(np.full(days, row), np.arange(1, days + 1))
    return list(zip(own.tolist(), whole.tolist(), strict=True))


def at_once(seed: int) -> tuple[list[Fact], dict[int, float], list[tuple[object, ...]]]:
    random = Random(seed)
    facts, thresholds = facts_of(random), thresholds_of(random)
    telling = a_telling(seed, thresholds)
    apply(telling, facts)
    telling.evaluate()
    return facts, thresholds, stands(telling.cohort)


@given(seeds, st.integers(1, 400))
@settings(max_examples=8, deadline=None)
def test_evaluated_a_few_rows_at_a_time_is_as_evaluated_at_once(seed: int, cells: int) -> None:
    facts, thresholds, expected = at_once(seed)
    sliced = a_telling(seed, thresholds)
    apply(sliced, facts)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "_CELLS", cells)
        sliced.evaluate()

    assert stands(sliced.cohort) == expected


@given(seeds)
@settings(max_examples=5, deadline=None)
def test_evaluated_after_every_fact_is_as_evaluated_once(seed: int) -> None:
    facts, thresholds, expected = at_once(seed)
    often = a_telling(seed, thresholds)

    for fact in facts:
        apply(often, [fact])
        often.evaluate()

    assert stands(often.cohort) == expected


@given(seeds)
@settings(max_examples=5, deadline=None)
def test_the_order_of_students_facts_changes_nothing(seed: int) -> None:
    facts, thresholds, expected = at_once(seed)
    mixed = a_telling(seed, thresholds)
    order = [fact.student for fact in facts]
    Random(seed).shuffle(order)
    waiting = {student: [fact for fact in facts if fact.student == student] for student in range(STUDENTS)}

    for number, student in enumerate(order):
        apply(mixed, [waiting[student].pop(0)])
        if number % 3 == 0:
            mixed.cohort.evaluate()
    mixed.evaluate()

    assert stands(mixed.cohort) == expected


def test_an_evaluation_takes_some_rows_and_leaves_the_others_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    telling = a_telling(1)
    for student in range(STUDENTS):
        telling.tell(student, days_of("UUUU"))
    monkeypatch.setattr(engine, "_CELLS", 1)

    telling.cohort.evaluate()

    assert telling.cohort.touched
    decided = telling.cohort.ledger.length[:STUDENTS] > 0
    assert decided.tolist() == [row in HOMES[0] for row in range(STUDENTS)], "a household is decided at once"


def test_what_touches_nothing_is_not_evaluated() -> None:
    telling = a_telling(1)
    telling.tell(0, days_of("UUUU"))
    telling.evaluate()
    assert not telling.cohort.touched
    telling.levels.take_noted()

    telling.tell(0, telling.days(0))

    assert telling.evaluate() == {}
    assert telling.levels.take_noted() == set()


def test_nothing_is_left_of_a_row_that_is_cleared() -> None:
    telling = a_telling(1)
    for student in range(STUDENTS):
        telling.tell(student, days_of("UUUUU"))
    telling.evaluate()

    telling.cohort.clear(3)

    cohort = telling.cohort
    assert (cohort.ledger.length[3], list(telling.levels.course(3)), telling.levels.level[3]) == (0, [], 0)
    assert not cohort.register.kept[3].any()
    assert cohort.scores.unknown(np.array([3, 4])).tolist() == [True, False]
    assert np.isnan(cohort.scores.kept(np.full(5, 3), np.arange(1, 6))[0]).all()


@given(seeds)
@settings(max_examples=5, deadline=None)
def test_restored_from_what_was_said_everything_is_as_it_was(seed: int) -> None:
    facts, thresholds, expected = at_once(seed)
    telling = a_telling(seed, thresholds)
    apply(telling, facts)

    telling.cohort.restored()
    for row in range(STUDENTS):
        telling.cohort.decide_again(row, 0)
    telling.evaluate()

    assert stands(telling.cohort) == expected


@given(seeds, st.integers(1, len(MONDAYS) - 1), st.sampled_from([-4.0, -3.0, -2.0, -1.0, NO_THRESHOLD]))
@settings(max_examples=10, deadline=None)
def test_a_threshold_that_comes_late_ends_as_if_it_had_been_known(seed: int, week: int, threshold: float) -> None:
    random, monday = Random(seed), MONDAYS[week]
    facts, thresholds = facts_of(random), thresholds_of(random)
    known, late = a_telling(seed, {**thresholds, monday: threshold}), a_telling(seed, thresholds)
    for telling in (known, late):
        apply(telling, facts)
        telling.evaluate()

    change_threshold(late, monday, threshold)
    late.evaluate()

    assert stands(late.cohort) == stands(known.cohort)


@given(seeds, st.integers(1, len(MONDAYS) - 1), st.sampled_from([-4.0, -3.0, -2.0, -1.0, NO_THRESHOLD]))
@settings(max_examples=10, deadline=None)
def test_a_threshold_touches_those_alone_whose_score_may_reach_it(seed: int, week: int, threshold: float) -> None:
    random, monday = Random(seed), MONDAYS[week]
    telling = a_telling(seed, thresholds_of(random))
    apply(telling, facts_of(random))
    telling.evaluate()
    lower = min(threshold, telling.levels.thresholds[0].on(monday))

    change_threshold(telling, monday, threshold)

    again, parts = telling.cohort._again[:STUDENTS], model(seed % 50).sibling.values
    for row in range(STUDENTS):
        has_sibling = len(telling.cohort.scores.siblings.among(np.array([row]))) > 0
        most = float(parts.max() if has_sibling else parts[0])
        days = telling.days(row)
        later = [
            score
            for score, day in zip(scores_of(telling.cohort, row, len(days)), days, strict=True)
            if day.ordinal >= monday
        ]
        may_reach = any(own + most >= lower for own, _ in later)
        assert any(whole >= lower for _, whole in later) <= may_reach
        assert (again[row] != UNTOUCHED) == may_reach


def change_threshold(telling: Telling, monday: int, threshold: float) -> None:
    before = telling.levels.thresholds[0].on(monday)
    telling.levels.thresholds[0].by_week[monday] = threshold
    telling.cohort.threshold_changed(0, monday, before, threshold)


def test_a_threshold_of_a_week_to_come_touches_nobody() -> None:
    telling = a_telling(1)
    telling.tell(0, days_of("UUUU"))
    telling.evaluate()

    change_threshold(telling, MONDAYS[5], -9.0)

    assert not telling.cohort.touched


def test_a_level_recalled_goes_on_where_it_was() -> None:
    telling, other = a_telling(1), a_telling(1)
    days = days_of("P" * 20 + "UUUUPPP")
    telling.tell(0, days)
    telling.evaluate()
    other.tell(0, days[:23])
    other.evaluate()
    course: list[State] = list(other.levels.course(0))
    restored = a_telling(1)
    restored.tell(0, days[:23])
    restored.cohort.restored()

    restored.levels.recall(0, course)
    restored.tell(0, days[23:])
    restored.evaluate()

    assert list(restored.levels.course(0)) == list(telling.levels.course(0))


def test_another_model_scores_the_days_from_its_own_on() -> None:
    first, second = artifact(1), artifact(2)
    days, change = days_of("PUPUUPPPUP"), 5
    since = [Since(0, first.model, first), Since(days[change].ordinal, second.model, second)]
    scores = []
    for models in (since, since[:1], [Since(0, second.model, second)]):
        telling = Telling(strategies=(BOTH,), models=models)
        telling.tell(0, days)
        telling.evaluate()
        scores.append(scores_of(telling.cohort, 0, len(days)))

    both, by_first, by_second = scores
    assert both == by_first[:change] + by_second[change:]
    telling = Telling(strategies=(BOTH,), models=since)
    assert telling.cohort.scores.artifact_on(days[change].ordinal - 1) is first
    assert telling.cohort.scores.artifact_on(days[change].ordinal) is second


homes = st.lists(st.lists(st.integers(0, 9), unique=True, max_size=4), max_size=6)


@given(homes, st.lists(st.integers(0, 12), max_size=8))
def test_siblings_are_those_said_last(told: list[list[int]], asked: list[int]) -> None:
    siblings, expected = Siblings(), dict[int, list[int]]()
    for home in told:
        for row in home:
            expected[row] = [other for other in home if other != row]
            siblings.set(row, expected[row])
            siblings.of(np.array([row], np.intp))

    place, other = siblings.of(np.array(asked, np.intp))

    pairs = [(number, row) for number, who in enumerate(asked) for row in expected.get(who, [])]
    assert list(zip(place.tolist(), other.tolist(), strict=True)) == pairs
    assert siblings.among(np.array(asked, np.intp)).tolist() == sorted({number for number, _ in pairs})


def test_a_date_that_comes_before_all_that_is_to_be_decided_again_stops_nothing() -> None:
    cohort = a_telling(0).cohort
    cohort.forget_days(0)
    cohort.column(int(COLUMNS[0]))
    cohort.register.state_of = lambda *_: (REPORTED, False)
    cohort.register.number("a school of nobody's")

    assert cohort.evaluate_all() == [{}, {}]
    assert not cohort.touched
