"""Levels of many students at once are those that a plain hysteresis decides for one, day by day."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.arrays import Codes, Floats
from models.backtest.runner import lifted
from models.capacity import PLACE_DAYS, WEEK_DAYS, Thresholds, monday_of
from models.engine.episodes import Episode, Turn, with_household
from models.engine.ledger import Pairs
from models.engine.levels import MODEL, NEVER_ENTERED, RULE, Levels, Strategy
from models.engine.rules import ALWAYS
from models.policy import ELEVATED, WATCH, default_policy
from tests.unit.models.engine import plain
from tests.unit.models.hand_made import model
from tests.unit.models.tracks import BOTH, COLUMNS, RULES, RULES_ALONE, Day, Telling, days_of, random_days

pytestmark = pytest.mark.slow

seeds = st.integers(0, 2**32)
POLICY = default_policy()
STUDENTS = 5


class Case:
    """Students' days with what rules and scores say of each."""

    def __init__(self, days: list[list[Day]], seed: int = 1) -> None:
        telling = Telling(len(days))
        for student, told in enumerate(days):
            telling.tell(student, told)
        telling.evaluate()
        cohort = telling.cohort
        each = [cohort.days_of(student) for student in range(len(days))]
        self.pairs = Pairs._make(np.concatenate(parts, axis=-1) for parts in zip(*each, strict=True))
        assumed = np.zeros(len(self.pairs.row), np.bool_)
        self.assessed: Codes = cohort.rules.assess(cohort.ledger, self.pairs, assumed)
        own = model(seed % 50).own(cohort.ledger.inputs(self.pairs))
        self.logits: Floats = own + np.sin(self.pairs.day + self.pairs.row)
        """The students' own scores, and a wild part."""
        self.students = len(days)

    def levels(self, strategy: Strategy, thresholds: Thresholds) -> Levels:
        """Of these students, nothing decided."""
        levels = Levels(strategy, POLICY.calm_days, thresholds)
        levels.add(self.students)
        return levels

    def decide(self, levels: Levels, first: int, last: int = 1000) -> dict[int, int]:
        """The days of everybody at these positions, both inclusive."""
        where = (self.pairs.position >= first) & (self.pairs.position <= last)
        return levels.decide(self.pairs.at(where), self.assessed[where], self.logits[where])


def thresholds_of(random: Random) -> Thresholds:
    """Of most weeks, some without places."""
    mondays = sorted({monday_of(int(day)) for day in COLUMNS})
    some = {monday: random.choice([-4.0, -3.0, -2.0, -1.0, float("inf")]) for monday in mondays[2:]}
    return Thresholds({monday: at for monday, at in some.items() if random.random() < 0.8})


def a_case(seed: int, students: int = STUDENTS) -> tuple[Case, Thresholds]:
    random = Random(seed)
    return Case([random_days(random, random.randint(1, 110)) for _ in range(students)], seed), thresholds_of(random)


def plainly(case: Case, strategy: Strategy, thresholds: Thresholds) -> dict[tuple[int, int], plain.Decided]:
    """By student and position: what stands after the day."""
    found: dict[tuple[int, int], plain.Decided] = {}
    pairs = case.pairs
    for place, (row, position) in enumerate(zip(pairs.row.tolist(), pairs.position.tolist(), strict=True)):
        before = found.get((row, position - 1), plain.Decided())
        today = (int(case.assessed[place] % ALWAYS), int(case.assessed[place] // ALWAYS))
        shock, score = bool(pairs.shock[place]), float(case.logits[place])
        at = thresholds.on(int(pairs.day[place]))
        if strategy.model:
            after = plain.decide(before, position, today, POLICY.calm_days, shock=shock, score=score, at=at)
        else:
            after = plain.decide_by_rules(before, position, today, POLICY.calm_days, shock=shock)
        found[row, position] = after
    return found


@pytest.mark.parametrize("strategy", [RULES_ALONE, BOTH], ids=["rules", "both"])
@given(seeds)
@settings(max_examples=6, deadline=None)
def test_they_are_the_same_on_every_day(strategy: Strategy, seed: int) -> None:
    case, thresholds = a_case(seed)
    expected, levels = plainly(case, strategy, thresholds), case.levels(strategy, thresholds)

    for position in range(1, int(case.pairs.position.max()) + 1):
        case.decide(levels, position, position)
        for row in range(STUDENTS):
            if (row, position) in expected:
                check(levels, row, position, expected[row, position])


def check(levels: Levels, row: int, position: int, expected: plain.Decided) -> None:
    state = levels.state(row)
    assert (levels.level[row], state.level, state.days) == (expected.level, expected.level, len(expected.calm))
    if levels.strategy.model:
        entered = NEVER_ENTERED if expected.entered is None else expected.entered
        assert (state.entered, state.bar) == (entered, expected.bar)
        since = position + 1 - entered
        may = since >= PLACE_DAYS - WEEK_DAYS and (expected.level < ELEVATED or since < PLACE_DAYS)
        assert levels.can_enter(np.array([row]), np.array([position], np.int32)).tolist() == [may]


@pytest.mark.parametrize("strategy", [RULES_ALONE, BOTH], ids=["rules", "both"])
@given(seeds)
@settings(max_examples=10, deadline=None)
def test_decided_at_once_or_bit_by_bit_or_once_more_is_the_same(strategy: Strategy, seed: int) -> None:
    case, thresholds = a_case(seed)
    whole, broken = case.levels(strategy, thresholds), case.levels(strategy, thresholds)
    case.decide(whole, 1)
    random, position = Random(seed), 1
    while position < 111:
        until = position + random.randint(0, 20)
        case.decide(broken, position, until)
        position = until + 1
    cut = random.randint(0, 60)
    broken.cut(np.arange(STUDENTS), np.full(STUDENTS, cut))
    case.decide(broken, cut + 1)

    for row in range(STUDENTS):
        assert list(broken.course(row)) == list(whole.course(row))
        assert broken.changes(row) == whole.changes(row)
        assert broken.raised[row] == whole.raised[row]


def test_what_turned_is_told_with_the_first_day_on_which_it_may_have() -> None:
    case = Case([days_of("PPUUUPPPP"), days_of("PPPPPPPPP")])
    levels = case.levels(RULES_ALONE, Thresholds())

    assert case.decide(levels, 1, 4) == {}
    assert case.decide(levels, 5) == {0: 5}
    assert levels.cut(np.arange(2), np.array([6, 0])) == {0: 7}
    assert levels.take_noted() == {0}


def test_these_days_rise_and_fall_by_rules_and_by_scores() -> None:
    random = Random(3)
    case = Case([*(random_days(random, 110) for _ in range(19)), days_of("P" * 20 + "U" * 12)], 3)
    levels = case.levels(BOTH, thresholds_of(random))

    case.decide(levels, 1)

    changes = [change for row in range(20) for change in levels.changes(row)]
    assert {change.level for change in changes} == {0, 1, 2, 3}
    assert {change.by_score for change in changes} == {False, True}
    assert {RULE, RULE | MODEL} <= set(levels.source[:20].tolist()) <= {0, RULE, MODEL, RULE | MODEL}


def test_without_a_threshold_only_rules_marked_always_take_a_place() -> None:
    case = Case([days_of("U" * 12), days_of("U" * 8), days_of("P" * 12)])
    levels = case.levels(BOTH, Thresholds())

    case.decide(levels, 1)

    assert levels.level[:3].tolist() == [3, 1, 0]


def test_a_shock_day_raises_nobody() -> None:
    case = Case([days_of("P" * 5 + "u"), days_of("P" * 5 + "U")])
    levels = case.levels(BOTH, Thresholds({monday_of(int(COLUMNS[5])): -99.0}))

    case.decide(levels, 1)

    assert levels.level[:2].tolist() == [0, ELEVATED]


def test_a_history_decides_nothing() -> None:
    case = Case([days_of("U" * 12, history=12), days_of("U" * 12, history=11)])
    levels = case.levels(RULES_ALONE, Thresholds())

    case.decide(levels, 1)

    assert levels.level[:2].tolist() == [0, 3]
    assert [change.position for change in levels.changes(1)] == [12]


def test_the_model_alone_gives_places_by_score_alone() -> None:
    case = Case([days_of("U" * 12), days_of("P" * 12)])
    case.logits = np.where(case.pairs.row == 0, -1.0, 1.0)
    levels = case.levels(Strategy(rules=False, model=True), Thresholds({monday_of(int(COLUMNS[0])): 0.0}))

    case.decide(levels, 1)

    assert levels.level[:2].tolist() == [0, ELEVATED]
    assert levels.source[:2].tolist() == [0, MODEL]


alerts = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 20), st.integers(0, 3)), min_size=1, max_size=12)
"""Level, day of the raise, household."""


@given(alerts, st.sampled_from([WATCH, ELEVATED]))
def test_a_siblings_alert_lifts_as_the_household_rule_says(rows: list[tuple[int, int, int]], lowest: int) -> None:
    rows.sort(key=lambda row: row[2])
    level, raised, household = (np.array(column, np.int32) for column in zip(*rows, strict=True))
    rule = RULES.household
    assert rule is not None

    found = lifted(level.astype(np.uint8), raised, household, rule.days, lowest)

    for place, (own, day, house) in enumerate(rows):
        others = [_episode(*row[:2]) for other, row in enumerate(rows) if other != place and row[2] == house and row[0]]
        expected = with_household([_episode(own, day)], others, rule, lowest)[0].level_on(99) if own else 0
        assert found[place] == expected


def _episode(level: int, raised: int) -> Episode:
    return Episode((Turn(raised, level, ()),), None)
