"""Levels of many students at once are those that `models.episodes` decides for one."""

from __future__ import annotations

from random import Random
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from models.backtest.levels import MODEL, RULE, Levels, Strategy, lifted
from models.backtest.rule_columns import RuleColumns
from models.episodes import Episode, decide, standing, with_household
from models.reasons import Risk
from models.track import Turn

from models.artifact import Artifact
from models.capacity import Thresholds, monday_of
from models.policy import ELEVATED, WATCH, default_policy
from tests.unit.models.backtest.telling import COLUMNS, Telling, random_days
from tests.unit.models.hand_made import artifact
from tests.unit.models.tracks import RULES, days_of

seeds = st.integers(0, 2**32)
POLICY = default_policy()
RULES_ALONE, BOTH = Strategy(rules=True, model=False), Strategy(rules=True, model=True)
STUDENTS = 5


class Decided(NamedTuple):
    """The same students decided by both."""

    telling: Telling
    levels: Levels
    students: list[int]
    """Of the last step."""


def thresholds_of(random: Random) -> Thresholds:
    """Of most weeks, some without places."""
    mondays = sorted({monday_of(int(day)) for day in COLUMNS})
    some = {monday: random.choice([-4.0, -3.0, -2.0, -1.0, float("inf")]) for monday in mondays[2:]}
    return Thresholds({monday: at for monday, at in some.items() if random.random() < 0.8})


def decided(telling: Telling, strategy: Strategy, made: Artifact, thresholds: Thresholds) -> list[Decided]:
    """Each day by both, and what both say after it; the score is the student's own, and a wild part."""
    levels = Levels(strategy, telling.ledger, POLICY.calm_days)
    levels.thresholds.by_week.update(thresholds.by_week)
    columns = RuleColumns(POLICY, 2016, COLUMNS)
    risk = Risk(made, thresholds if strategy.model else None)
    steps = []
    for students in telling.tell():
        who = np.array(students, np.intp)
        days = np.array([telling.tracks[student].ordinals[-1] for student in students], np.int32)
        assessed = columns.assess(telling.ledger, who, days)
        own = made.model.own(telling.ledger.inputs(who))
        logits = own + np.sin(days + who)
        for student, of_own, logit in zip(students, own.tolist(), logits.tolist(), strict=True):
            track = telling.tracks[student]
            track.own.append(of_own)
            track.logits.append(logit)
            decide(track, telling.rules, risk)
        length = telling.ledger.length[who]
        shock = telling.ledger.shock[telling.ledger.at(who, length)]
        for day in np.unique(days).tolist():
            on = days == day
            levels.decide(who[on], length[on], day, assessed[on], logits[on], shock[on])
        check(telling, levels, students)
        steps.append(Decided(telling, levels, students))
    return steps


def check(telling: Telling, levels: Levels, students: list[int]) -> None:
    who = np.array(students, np.intp)
    now, may = levels.now(who), levels.can_enter(who)
    for student, state, can_enter in zip(students, now, may, strict=True):
        track, calm = telling.tracks[student], telling.tracks[student].calm
        found = (int(state["level"]), int(state["quiet_days"]))
        assert found == (calm.level, calm.days), (student, len(track.ordinals))
        if calm.level:
            raised = max(turn.ordinal for turn, before in _raises(track.turns) if before == 0)
            assert COLUMNS[state["raised"]] == raised
        if levels.strategy.model:
            assert (calm.entered, calm.bar) == (int(state["entered"]), float(state["bar"]))
            assert bool(can_enter) == standing(track).can_enter


def _raises(turns: list[Turn]) -> list[tuple[Turn, int]]:
    before = [0, *(turn.level for turn in turns)]
    return [(turn, level) for turn, level in zip(turns, before, strict=False) if turn.level]


@pytest.mark.parametrize("strategy", [RULES_ALONE, BOTH], ids=["rules", "both"])
@given(seeds)
@settings(max_examples=6, deadline=None)
def test_they_are_the_same_on_every_day(strategy: Strategy, seed: int) -> None:
    random = Random(seed)
    telling = Telling([random_days(random, random.randint(1, 110)) for _ in range(STUDENTS)], RULES)

    decided(telling, strategy, artifact(seed % 50), thresholds_of(random))


def test_these_days_rise_and_fall_by_rules_and_by_scores() -> None:
    random = Random(3)
    telling = Telling([*(random_days(random, 110) for _ in range(19)), days_of("P" * 20 + "U" * 12)], RULES)

    steps = decided(telling, BOTH, artifact(3), thresholds_of(random))

    turns = [turn for track in telling.tracks for turn in track.turns]
    assert {turn.level for turn in turns} == {0, 1, 2, 3}
    assert {hit.rule for turn in turns for hit in turn.hits} >= {"model", "streak_10", "rate_20"}
    now = steps[-1].levels.now(np.arange(20))
    assert {RULE, RULE | MODEL} <= set(now["source"].tolist()) <= {0, RULE, MODEL, RULE | MODEL}


def test_without_a_threshold_only_rules_marked_always_take_a_place() -> None:
    telling = Telling([days_of("U" * 12), days_of("U" * 8), days_of("P" * 12)], RULES)

    steps = decided(telling, BOTH, artifact(1), Thresholds())

    assert steps[-1].levels.now(np.arange(3))["level"].tolist() == [3, 1, 0]


def test_a_shock_day_raises_nobody() -> None:
    telling = Telling([days_of("P" * 5 + "u"), days_of("P" * 5 + "U")], RULES)
    week = monday_of(int(COLUMNS[5]))

    steps = decided(telling, BOTH, artifact(1), Thresholds({week: -99.0}))

    assert steps[-1].levels.now(np.arange(2))["level"].tolist() == [0, ELEVATED]


def test_the_model_alone_gives_places_by_score_alone() -> None:
    telling = Telling([days_of("U" * 12), days_of("P" * 12)], RULES)
    levels = Levels(Strategy(rules=False, model=True), telling.ledger, POLICY.calm_days)
    levels.thresholds.by_week[monday_of(int(COLUMNS[0]))] = 0.0
    for students in telling.tell():
        who = np.array(students, np.intp)
        length = telling.ledger.length[who]
        always = np.full(2, 15, np.uint8)
        levels.decide(who, length, int(COLUMNS[0]), always, np.array([-1.0, 1.0]), np.zeros(2, np.bool_))

    now = levels.now(np.arange(2))
    assert now["level"].tolist() == [0, ELEVATED]
    assert now["source"].tolist() == [0, MODEL]


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
