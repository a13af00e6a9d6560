"""A risk model made by hand: steps that make scores vary a lot, the household's part included."""

from __future__ import annotations

from datetime import date
from random import Random

from models.artifact import SIBLING, Artifact, Kind, Step, Training
from models.features import FEATURES, Feature
from models.risk_model import RiskModel

_EDGES = {
    "unexcused_usual": (0.04, 0.1, 0.2),
    "absent_usual": (0.05, 0.1, 0.2),
    "late_usual": (0.03, 0.1, 0.2),
    "unexcused_rate": (0.05, 0.12, 0.25),
    "excused_rate": (0.02, 0.05, 0.1),
    "since_move": (5.0, 20.0, 91.0),
}
"""The others count days, or are about 1 without a change."""


def artifact(seed: int = 1, *, kind: Kind = "logistic", simulated: bool = True) -> Artifact:
    """The same numbers for the same seed."""
    random = Random(seed)
    return Artifact(
        name="made by hand",
        kind=kind,
        capacity=2,
        intercept=-3.0,
        steps=tuple(_step(feature, random) for feature in FEATURES),
        sibling=Step(feature=SIBLING, edges=(-7.0, -5.0, -3.0, -1.0), values=(-0.05, 0.1, 0.4, 0.8, 1.3)),
        base_rate=0.01,
        training=Training(
            simulated=simulated,
            students=100,
            rows=3000,
            positives=30,
            first_day=date(2015, 9, 8),
            last_day=date(2016, 6, 20),
            data_sha256="0" * 64,
            seed=seed,
            versions={"numpy": "2"},
        ),
        metrics={"logistic": {"precision": 0.3, "base": None}},
    )


def model(seed: int = 1) -> RiskModel:
    return artifact(seed).model


def _step(feature: Feature, random: Random) -> Step:
    edges = _EDGES.get(feature.name, (1.0, 2.0, 3.0, 6.0))
    values = [random.gauss(0.0, 0.45) for _ in range(len(edges) + 1)]
    if feature.rises:
        values.sort(reverse=feature.rises < 0)
    return Step(feature=feature.name, edges=edges, values=tuple(values))
