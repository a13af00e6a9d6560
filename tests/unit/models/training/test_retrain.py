from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from models.artifact import Artifact
from models.training.candidates import Boosting, Candidate, Logistic
from models.training.examples import Examples, joined
from models.training.retrain import Decision, compare, largest_gap, refusal, retrain
from models.training.train import DataSource, train
from tests.unit.models.training.towns import town

pytestmark = pytest.mark.slow

SOURCE = DataSource(simulated=False, students=600, data_sha256="0" * 64)
ON = date(2025, 7, 1)
FEW: tuple[Candidate, ...] = (Logistic(0.01), Boosting(0.1, 40, 100))


@pytest.fixture(scope="module")
def good() -> Artifact:
    return train(town(1, households=600), SOURCE, name="good", capacity=8, seed=1, candidates=FEW)


def decided(examples: Examples, current: Artifact) -> Decision:
    return retrain(examples, current, SOURCE, name="new", capacity=4, seed=1, on=ON, candidates=FEW)


def two_years() -> Examples:
    return joined([town(7), town(8, first=date(2025, 9, 1))])


def test_a_better_one_is_accepted_and_says_so() -> None:
    blind = train(town(3, signal=0.0), SOURCE, name="blind", capacity=4, seed=1, candidates=FEW)
    assert not blind.signal
    found = decided(two_years(), blind)
    assert found.accepted
    assert found.artifact.signal
    assert found.artifact.name == "new"
    assert [(change.on, change.accepted, change.reason) for change in found.artifact.changes] == [
        (ON, True, found.reason)
    ]
    assert (found.figures["precision_lead_low"] or 0) > 0


def test_a_worse_one_is_refused_and_the_one_in_use_says_why(good: Artifact) -> None:
    examples = two_years()
    last = examples.year == 1
    shuffled = np.random.default_rng(1).permutation(np.flatnonzero(~last))
    came_true = examples.came_true.copy()
    came_true[~last] = came_true[shuffled]  # what was learned from says nothing
    early = last & (examples.day < 110)
    came_true[early] = np.random.default_rng(2).permutation(came_true[early])
    found = decided(replace(examples, came_true=came_true), good)
    assert not found.accepted
    assert "fewer" in found.reason
    assert found.artifact.steps == good.steps
    assert found.artifact.changes[-1].reason == found.reason
    assert not found.artifact.changes[-1].accepted
    again = decided(examples, found.artifact)
    assert again.artifact.changes[0] == found.artifact.changes[0]
    assert len(again.artifact.changes) == 2


def test_the_latest_weeks_are_no_part_of_what_is_compared(good: Artifact) -> None:
    examples = two_years()
    late = (examples.year == 1) & (examples.day >= 100)
    changed = examples.inputs.copy()
    changed[late] = 0
    blank = replace(examples, inputs=changed)
    found = decided(blank, good)
    assert found.figures["new_precision"] == found.figures["current_precision"]  # nothing is left to tell apart


FIGURES: dict[str, float | None] = {
    "new_precision": 0.2,
    "current_precision": 0.2,
    "new_gap": 0.03,
    "current_gap": 0.03,
    "new_calibration_error": 0.004,
    "current_calibration_error": 0.001,
}


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({}, ""),
        ({"new_precision": 0.191}, ""),
        ({"new_precision": 0.189}, "18.9% came true"),
        ({"new_gap": 0.039}, ""),
        ({"new_gap": 0.041}, "two groups"),
        ({"new_gap": 0.5, "current_gap": None}, ""),
        ({"new_calibration_error": 0.006}, "calibration error"),
        ({"new_calibration_error": 0.006, "current_calibration_error": 0.007}, ""),
    ],
)
def test_what_is_refused(changed: dict[str, float | None], words: str) -> None:
    reason = refusal(FIGURES | changed)
    assert bool(reason) == bool(words)
    assert words in reason


def test_a_model_that_looks_at_what_one_group_does_more_is_less_even(good: Artifact) -> None:
    examples = town(11, households=600, uneven=0.8)
    steps = [{"feature": step.feature, "edges": [], "values": [0.0]} for step in good.steps]
    flat = Artifact.model_validate(good.model_dump() | {"steps": steps})
    never = np.ones(len(examples.day), dtype=np.bool_)
    found = compare(examples, never, good, flat, 8)
    assert (found["new_gap"] or 0) > (found["current_gap"] or 0) + 0.01
    assert "two groups" in refusal(found | {"new_precision": 1.0})


def test_a_gap_needs_two_values_with_enough_students() -> None:
    examples = town(1, households=4, weeks=12)
    never = np.ones(len(examples.day), dtype=np.bool_)
    assert largest_gap(examples, never, np.array([0], dtype=np.int32)) is None
    examples = town(1, households=50, weeks=12)
    values = np.where(examples.student < 50, "a", "b")
    found = largest_gap(
        replace(examples, groups={"group": values}),
        never=np.ones(len(values), dtype=np.bool_),
        taken=np.arange(5, dtype=np.int32),
    )
    assert found == pytest.approx(0.1)
