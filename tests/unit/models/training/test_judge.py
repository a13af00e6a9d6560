from __future__ import annotations

import numpy as np

from models.training.household import calibrate, siblings_highest
from models.training.judge import places, precision, ratio, within_week_rank
from tests.unit.models.training.towns import town


def test_places_are_the_highest_scores_of_each_week_and_nobody_twice_in_thirty_days() -> None:
    examples = town(3, households=40)
    logits = np.random.default_rng(1).normal(size=len(examples.day))
    taken = places(examples, logits, 2)
    days, counts = np.unique(examples.day[taken], return_counts=True)
    assert len(days) == 36
    assert set(counts.tolist()) == {2}
    first = np.flatnonzero(examples.day == 4)
    assert set(taken[:2].tolist()) == set(first[np.argsort(logits[first])[-2:]].tolist())
    for student in np.unique(examples.student[taken]):
        assert (np.diff(np.sort(examples.day[taken][examples.student[taken] == student])) >= 30).all()


def test_the_error_is_that_of_redrawn_households() -> None:
    rng = np.random.default_rng(5)
    household = np.repeat(np.arange(400), 3)
    hits = np.repeat(rng.random(400) < 0.2, 3).astype(float)
    found = ratio(household.astype(np.int32), hits, np.ones(1200))
    drawn = [hits[::3][rng.integers(0, 400, 400)].mean() for _ in range(2000)]
    assert found.value == hits.mean()
    assert abs(found.error - np.std(drawn)) < 0.1 * found.error


def test_two_that_take_the_same_places_differ_by_nothing() -> None:
    examples = town(3, households=40)
    each = precision(examples, places(examples, examples.inputs[:, 1].astype(float), 3))
    lead = each.lead(each)
    assert (lead.value, lead.error) == (0.0, 0.0)


def test_a_score_that_is_the_season_alone_ranks_nobody_above_chance() -> None:
    examples = town(3)
    assert abs(within_week_rank(examples, examples.day.astype(float)).value) < 1e-12
    assert within_week_rank(examples, examples.came_true.astype(float)).value > 1


def test_a_student_has_the_highest_score_of_the_siblings_and_never_the_own() -> None:
    examples = town(4, households=3, weeks=12)
    scores = np.arange(len(examples.day), dtype=float)
    found = siblings_highest(examples, scores)
    for row in range(len(scores)):
        home = (examples.household == examples.household[row]) & (examples.day == examples.day[row])
        home[row] = False
        assert found[row] == scores[home].max()
    alone = siblings_highest(town(4, households=3, weeks=12), scores)[:0]
    assert len(alone) == 0


def test_calibration_takes_back_what_is_too_steep_and_leaves_out_a_sibling_that_says_the_opposite() -> None:
    rng = np.random.default_rng(2)
    truth = rng.normal(-2, 1, 20_000)
    came_true = rng.random(20_000) < 1 / (1 + np.exp(-truth))
    found = calibrate(2 * truth + 1, np.where(rng.random(20_000) < 0.5, -np.inf, -truth), came_true)
    assert found.sibling_slope == 0
    assert abs(found.slope - 0.5) < 0.05
    assert abs(float(np.mean(found.own(2 * truth + 1) - truth))) < 0.1
