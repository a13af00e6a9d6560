from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.artifact import Artifact, parse_artifact
from models.features import FEATURES
from models.risk_model import NO_SIBLING, logit, probability
from models.training.candidates import Boosting, Candidate, Logistic, Shape, evened
from models.training.examples import Examples
from models.training.household import calibrate, scores_of, siblings_highest
from models.training.judge import figures
from models.training.selection import held_out
from models.training.split import TrainingError
from models.training.table import TrainingTable, rows_of, table_of
from models.training.train import DataSource, chosen_of, train
from tests.unit.models.training.towns import town

pytestmark = pytest.mark.slow

FEW: tuple[Candidate, ...] = (Logistic(0.01), Boosting(0.1, 40, 100))
SOURCE = DataSource(simulated=True, students=600, data_sha256="0" * 64)


def trained(examples: Examples, *candidates: Candidate, seed: int = 1) -> Artifact:
    return train(examples, SOURCE, name="test", capacity=4, seed=seed, candidates=candidates or FEW)


@pytest.fixture(scope="module", params=FEW, ids=["logistic", "boosting"])
def artifact(request: pytest.FixtureRequest) -> Artifact:
    return trained(town(1), request.param)


def test_an_artifact_comes_back_from_its_text_to_the_bit(artifact: Artifact) -> None:
    again = parse_artifact(artifact.dump(), "test")
    assert again == artifact
    inputs = town(2).inputs
    assert again.model.own(inputs).tobytes() == artifact.model.own(inputs).tobytes()


def test_contributions_and_intercept_are_the_score(artifact: Artifact) -> None:
    inputs = town(2).inputs
    total = artifact.intercept + artifact.model.contributions(inputs).sum(axis=1)
    np.testing.assert_allclose(total, artifact.model.own(inputs), atol=1e-12)


def test_the_score_rises_and_falls_with_features_as_it_may(artifact: Artifact) -> None:
    for step, feature in zip(artifact.steps, FEATURES, strict=True):
        if feature.rises:
            assert (feature.rises * np.diff(step.values) >= 0).all(), step.feature
    assert (np.diff(artifact.sibling.values[1:]) >= 0).all()


def test_steps_add_nothing_in_the_mean_over_what_was_learned_from(artifact: Artifact) -> None:
    examples = town(1)
    known = rows_of(examples, examples.judgeable)
    np.testing.assert_allclose(artifact.model.contributions(known.inputs).mean(axis=0), 0, atol=1e-9)
    part = scores_of(artifact.model, known) - artifact.model.own(known.inputs)
    assert abs(float(part.mean())) < 0.02  # scores that lie on an edge may fall to either side


def test_another_year_comes_true_as_often_as_it_says(artifact: Artifact) -> None:
    other = town(9, households=1000)
    known = rows_of(other, other.judgeable)
    found = figures(known, scores_of(artifact.model, known), 12)
    assert found["calibration_error"] is not None
    assert found["calibration_error"] < 0.01
    top, observed = found["top_percent_score"], found["top_percent_observed"]
    assert top is not None
    assert observed is not None
    assert 1 / 1.5 < top / observed < 1.5


def test_the_artifact_scores_as_what_was_learned_and_calibrated() -> None:
    table = table_of(town(1))
    everything = np.ones(len(table.examples.day), dtype=np.bool_)
    shape = evened(Logistic(0.01).fit(table, everything, 1), table)
    calibration = held_out(table, Logistic(0.01), everything, everything, 1, lambda: None).calibration
    learned = shape.logits(table.numbers)
    wanted = calibration.logits(learned, siblings_highest(table.examples, learned))
    found = scores_of(trained(town(1), Logistic(0.01)).model, table.examples)
    assert float(np.quantile(np.abs(found - wanted), 0.99)) < 0.1  # a sibling's part is in bins


def test_the_same_seed_makes_the_same_bytes_and_order_of_rows_is_nothing_to_the_folds() -> None:
    assert trained(town(5), seed=3).dump() == trained(town(5), seed=3).dump()


def test_no_household_is_judged_by_what_was_learned_from_it(monkeypatch: pytest.MonkeyPatch) -> None:
    table = table_of(town(1, households=60))
    everything = np.ones(len(table.examples.day), dtype=np.bool_)
    learned: list[set[int]] = []
    judged: list[set[int]] = []
    fit = Logistic.fit

    def watched(self: Logistic, table: TrainingTable, rows: np.ndarray, seed: int) -> Shape:
        learned.append(set(table.examples.household[rows].tolist()))
        judged.append(set(table.examples.household[~rows].tolist()))
        return fit(self, table, rows, seed)

    monkeypatch.setattr(Logistic, "fit", watched)
    held_out(table, Logistic(0.01), everything, everything, 1, lambda: None)
    assert len(learned) == 3
    assert all(not mine & others for mine, others in zip(learned, judged, strict=True))
    assert set.union(*judged) == set(table.examples.household.tolist())


@pytest.mark.parametrize("seed", range(6))
def test_without_a_signal_the_model_claims_none(seed: int) -> None:
    examples = town(seed, signal=0.0)
    found = trained(examples, Logistic(0.01), seed=seed)
    assert (found.kind, found.signal, chosen_of(found)) == ("none", False, "none")
    assert {value for step in (*found.steps, found.sibling) for value in step.values} == {0.0}
    assert found.intercept == logit(found.base_rate)
    assert found.base_rate == examples.came_true[examples.judgeable].mean()


def test_a_signal_is_seen_and_fills_places_far_better_than_chance() -> None:
    found = trained(town(1))
    assert found.signal
    chosen = found.metrics[chosen_of(found)]
    assert (chosen["precision_at_capacity"] or 0) > 3 * (found.metrics["none"]["precision_at_capacity"] or 0)
    assert found.training.positives < found.training.rows
    assert found.caveat


def test_a_sibling_in_trouble_raises_the_score() -> None:
    model = trained(town(1)).model
    own = np.array([logit(0.02)] * 2)
    calm, troubled = probability(model.score(own, np.array([logit(0.005), logit(0.5)])))
    assert calm < 0.5 * troubled


@pytest.mark.parametrize(
    ("came_true", "judgeable", "words"),
    [
        (None, False, "Nothing to learn from"),
        (False, None, "outcomes.csv"),
        (True, None, "nothing to learn from"),
    ],
)
def test_what_is_missing_is_said(came_true: bool | None, judgeable: bool | None, words: str) -> None:
    examples = town(1, households=20)
    flags = np.ones(len(examples.day), dtype=np.bool_)
    if came_true is not None:
        examples = replace(examples, came_true=flags & came_true)
    if judgeable is not None:
        examples = replace(examples, judgeable=flags & judgeable)
    with pytest.raises(TrainingError, match=words):
        trained(examples)


def test_identifications_that_are_all_late_leave_nothing_to_learn_from() -> None:
    examples = town(1, households=20)
    with pytest.raises(TrainingError, match="Too few families"):
        trained(replace(examples, came_true=examples.came_true & (examples.day > 110)))


def test_a_world_of_single_children_has_no_household_part() -> None:
    examples = town(1)
    found = trained(replace(examples, household=examples.student), Logistic(0.01))
    assert found.sibling.values == (0.0,)
    assert (
        calibrate(
            np.array([0.0, 1.0] * 50), np.full(100, NO_SIBLING), np.array([False, True, True, False] * 25)
        ).sibling
        == 0
    )
