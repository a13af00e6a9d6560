"""From what was learned to what an artifact holds: calibrated steps of mean 0 over the rows learned from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from models.arrays import Floats
from models.artifact import SIBLING, Step
from models.features import NAMES
from models.risk_model import NO_SIBLING
from models.training.candidates import RISES, Shape, monotone
from models.training.household import Calibration, siblings_highest
from models.training.table import TrainingTable

BELOW_ALL: Final = -1000.0
"""Log-odds below every score: the edge between no sibling and any."""
SIBLING_BINS: Final = 100


@dataclass(frozen=True, slots=True)
class ModelParts:
    """An artifact's numbers."""

    intercept: float
    steps: tuple[Step, ...]
    sibling: Step


def flat(intercept: float) -> ModelParts:
    """The same score for everybody."""
    return ModelParts(intercept, tuple(_step(name, np.empty(0), np.zeros(1)) for name in NAMES), _no_sibling())


def assemble(table: TrainingTable, shape: Shape, calibration: Calibration) -> ModelParts:
    """The calibrated score as steps."""
    intercept = calibration.intercept + calibration.slope * shape.intercept
    steps = []
    for place, (name, edges, values) in enumerate(zip(NAMES, table.edges, shape.values, strict=True)):
        scaled = calibration.slope * values
        rows = np.bincount(table.numbers[:, place], minlength=len(scaled))
        mean = float(np.average(scaled, weights=rows))
        intercept += mean
        steps.append(_step(name, edges, monotone(scaled - mean, RISES[place])))
    learned = shape.logits(table.numbers)
    cuts, added, weights = _sibling_bins(siblings_highest(table.examples, learned), calibration)
    mean = float(np.average(added, weights=weights))
    # A sibling's part reads own scores, to which its mean belongs: the edges move along with it.
    own_edges = np.append(cuts[:1], calibration.own(cuts[1:]) + mean)
    return ModelParts(intercept + mean, tuple(steps), _step(SIBLING, own_edges, added - mean))


def _sibling_bins(highest: Floats, calibration: Calibration) -> tuple[Floats, Floats, Floats]:
    """Edges in learned log-odds, values, and rows of each; the first bin is that of no sibling.

    The bins are of equal width, so that the step is nowhere far from the line that it stands for.
    """
    has = highest > NO_SIBLING
    if not has.any():
        return np.empty(0), np.zeros(1), np.array([float(len(highest))])
    edges = np.unique(np.linspace(highest[has].min(), highest[has].max(), SIBLING_BINS + 1))
    middle = (edges[1:] + edges[:-1]) / 2 if len(edges) > 1 else edges
    inner = edges[1:-1]
    rows = np.bincount(np.searchsorted(inner, highest[has], side="right"), minlength=len(middle))
    return (
        np.append(BELOW_ALL, inner),
        np.append(0.0, monotone(calibration.household(middle), 1)),
        np.append(float(np.count_nonzero(~has)), rows.astype(np.float64)),
    )


def _no_sibling() -> Step:
    return _step(SIBLING, np.empty(0), np.zeros(1))


def _step(name: str, edges: Floats, values: Floats) -> Step:
    return Step(feature=name, edges=tuple(edges.tolist()), values=tuple(values.tolist()))
