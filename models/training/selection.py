"""Chooses the candidate that gives K places a week best, on other households and later weeks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from models.arrays import Flags, Floats
from models.risk_model import logit
from models.training.candidates import Candidate, evened
from models.training.household import Calibration, calibrate, siblings_highest
from models.training.judge import Ratio, figures, places, precision
from models.training.split import FOLDS, TrainingError, household_folds, time_split
from models.training.table import TrainingTable, rows_of

Progress = Callable[[], None]
"""Called after each fit."""
NONE = "none"
"""What the metrics call the same score for everybody."""


@dataclass(frozen=True, slots=True)
class HeldOut:
    """What comes of learning from some households for the others."""

    logits: Floats
    """Of the rows to judge, calibrated on other households than their own."""
    calibration: Calibration
    """That of all rows learned from."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The candidate, how all of them did on later weeks, and what comes of the chosen one on all weeks."""

    chosen: Candidate
    apart: HeldOut
    metrics: dict[str, dict[str, float | None]]


def select(
    table: TrainingTable, candidates: Sequence[Candidate], *, capacity: int, seed: int, progress: Progress
) -> Selection:
    """The candidate whose K places a week are best filled, on other households and later weeks.

    A lead within a standard error of it, over households, is noise (the one standard error rule: Breiman et al.
    1984, section 3.4.3). Among the candidates that the best one leads by no more, the precision at capacity over all
    weeks decides, on other households still; `candidates` come simplest first, and the simplest of equals is taken.
    Raises `TrainingError`.
    """
    split = time_split(table.examples, table.known_on, whole_year=True)
    judged = rows_of(table.examples, split.late)
    metrics: dict[str, dict[str, float | None]] = {}
    found: list[Ratio] = []
    for candidate in candidates:
        logits = held_out(table, candidate, split.early, split.late, seed, progress).logits
        found.append(precision(judged, places(judged, logits, capacity)))
        metrics[candidate.name] = figures(judged, logits, capacity)
    constant = np.full(len(judged.day), logit(float(np.mean(table.examples.came_true[split.early]))))
    metrics[NONE] = figures(judged, constant, capacity)
    everything = np.ones(len(table.examples.day), dtype=np.bool_)
    best: tuple[float, Candidate, HeldOut] | None = None
    for candidate in _near_best(candidates, found):
        apart = held_out(table, candidate, everything, everything, seed, progress)
        value = precision(table.examples, places(table.examples, apart.logits, capacity)).value
        metrics[candidate.name]["precision_all_weeks"] = value
        if best is None or value > best[0]:
            best = value, candidate, apart
    assert best is not None, "the best candidate is near itself"
    return Selection(best[1], best[2], metrics)


def _near_best(candidates: Sequence[Candidate], found: Sequence[Ratio]) -> list[Candidate]:
    best = max(found, key=lambda each: each.value)
    leads = [best.lead(each) for each in found]
    return [candidate for candidate, lead in zip(candidates, leads, strict=True) if lead.value <= lead.error]


def held_out(
    table: TrainingTable, candidate: Candidate, learn: Flags, judge: Flags, seed: int, progress: Progress
) -> HeldOut:
    """Scores of the rows to learn from and to judge, each learned from those of the former of other households.

    Raises `TrainingError` when too few came true.
    """
    examples = table.examples
    folds = household_folds(examples.household, seed)
    learned = np.zeros(len(folds))
    for fold in range(FOLDS):
        others = _enough(table, learn & (folds != fold))
        own = np.flatnonzero((learn | judge) & (folds == fold))
        learned[own] = evened(candidate.fit(table, others, seed), table).logits(table.numbers[own])
        progress()
    sibling = siblings_highest(examples, learned)
    logits = np.zeros(len(folds))
    for fold in range(FOLDS):
        others, own = learn & (folds != fold), judge & (folds == fold)
        calibration = calibrate(learned[others], sibling[others], examples.came_true[others])
        logits[own] = calibration.logits(learned[own], sibling[own])
    return HeldOut(logits[judge], calibrate(learned[learn], sibling[learn], examples.came_true[learn]))


def _enough(table: TrainingTable, rows: Flags) -> Flags:
    came_true = table.examples.came_true[rows]
    if not came_true.any() or came_true.all():
        raise TrainingError(
            "Too few families are known to have been identified in the weeks to learn from. "
            "Give more school years, or add what closed cases turned out to be (`firstbell outcomes`)."
        )
    return rows
