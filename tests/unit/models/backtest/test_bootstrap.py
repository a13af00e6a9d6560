"""Intervals by households drawn with replacement."""

from __future__ import annotations

import numpy as np
import pytest

from models.backtest.bootstrap import Share, ShareParts, shares

RNG = np.random.default_rng(5)
HOUSEHOLD = RNG.integers(0, 60, 100).astype(np.int32) * 7
HITS = (RNG.random(100) < 0.3).astype(np.float64)
OF = np.ones(100)


def one(household: np.ndarray, hits: np.ndarray, of: np.ndarray) -> Share:
    return shares(household, [ShareParts(hits, of)])[0]


def test_the_interval_is_that_of_a_plain_loop_over_redrawn_households() -> None:
    rng = np.random.default_rng(99)
    homes = [np.flatnonzero(home == HOUSEHOLD) for home in np.unique(HOUSEHOLD)]
    redrawn = []
    for _ in range(4000):
        students = np.concatenate([homes[at] for at in rng.integers(0, len(homes), len(homes))])
        redrawn.append(HITS[students].sum() / len(students))
    share = one(HOUSEHOLD, HITS, OF)
    assert share.rate == HITS.mean()
    assert share.n == 100
    assert (share.low, share.high) == pytest.approx(tuple(np.quantile(redrawn, (0.05, 0.95))), abs=0.01)


def test_siblings_who_stand_and_fall_together_count_as_one() -> None:
    alone = one(HOUSEHOLD, HITS, OF)
    twice = one(np.repeat(HOUSEHOLD, 2), np.repeat(HITS, 2), np.repeat(OF, 2))
    strangers = one(np.arange(200, dtype=np.int32), np.repeat(HITS, 2), np.repeat(OF, 2))
    assert (twice.rate, twice.low, twice.high, twice.n) == (alone.rate, alone.low, alone.high, 200)
    assert strangers.high is not None
    assert strangers.low is not None
    assert alone.high is not None
    assert alone.low is not None
    assert strangers.high - strangers.low < alone.high - alone.low


def test_the_order_of_the_students_changes_nothing() -> None:
    order = np.random.default_rng(1).permutation(100)
    assert one(HOUSEHOLD[order], HITS[order], OF[order]) == one(HOUSEHOLD, HITS, OF)


def test_each_share_is_the_same_alone_or_beside_others() -> None:
    both = shares(HOUSEHOLD, [ShareParts(HITS, OF), ShareParts(OF - HITS, OF)])
    assert both[0] == one(HOUSEHOLD, HITS, OF)
    assert both[1] == one(HOUSEHOLD, OF - HITS, OF)


def test_without_a_chance_there_is_no_share() -> None:
    nothing = Share(None, None, None, 0)
    assert one(HOUSEHOLD, np.zeros(100), np.zeros(100)) == nothing
    assert shares(np.empty(0, dtype=np.int32), [ShareParts(np.empty(0), np.empty(0))]) == [nothing]
    assert shares(HOUSEHOLD, []) == []


def test_a_chance_that_few_replicates_draw_still_has_an_interval() -> None:
    rare = np.zeros(100)
    rare[0] = 1
    assert one(HOUSEHOLD, rare, rare) == Share(1.0, 1.0, 1.0, 1)


def test_all_or_nothing_leaves_no_doubt() -> None:
    assert one(HOUSEHOLD, OF, OF) == Share(1.0, 1.0, 1.0, 100)
    assert one(HOUSEHOLD, 0 * OF, OF) == Share(0.0, 0.0, 0.0, 100)
