"""Trains the risk model: chooses a candidate, learns it from everything, and calibrates it; or claims nothing."""

from __future__ import annotations

import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from typing import Final

import numpy as np

from models.artifact import Artifact, Kind, Training
from models.capacity import early_weeks
from models.risk_model import RiskModel, logit
from models.training.assemble import assemble, flat
from models.training.candidates import CANDIDATES, Candidate, Logistic, evened
from models.training.examples import Examples
from models.training.household import scores_of
from models.training.judge import Ratio, within_week_rank
from models.training.selection import NONE, Progress, select
from models.training.split import FOLDS, TrainingError
from models.training.table import TrainingTable, rows_of, table_of

SURE: Final = 3.0
"""So many standard errors above chance must the ranks of other households be.

More than the usual two: few families come true, each many weeks running, and the luckiest of several candidates is
looked at, so that on histories without a signal the errors were too small by a third or so.
"""
FIRST_DAYS: Final = 25
"""Instructional days that are a year's first weeks."""
LEAST_FAMILIES: Final = 10
"""Households that came true, below which nothing can be claimed."""


@dataclass(frozen=True, slots=True)
class DataSource:
    """What the artifact says of where the examples are from."""

    simulated: bool
    """Whether no real child is in it."""
    students: int
    data_sha256: str


def train(
    examples: Examples,
    source: DataSource,
    *,
    name: str,
    capacity: int,
    seed: int,
    candidates: Sequence[Candidate] = CANDIDATES,
    progress: Callable[[int, int], None] | None = None,
) -> Artifact:
    """The risk model of these examples; with the same arguments the same to the bit.

    `capacity` is the number of new alerts a week in each history; `candidates` come simplest first; `progress` gets
    how many fits are done, and of how many at most. The artifact is of kind `none` when on other households the scores
    rank those who came true no better than chance. Raises `TrainingError` when there is too little to learn from.
    """
    tell = _counted(progress, 2 * len(candidates) * FOLDS)
    checked(examples)
    table = table_of(examples)
    selection = select(table, candidates, capacity=capacity, seed=seed, progress=tell)
    chosen, metrics = selection.chosen, selection.metrics
    apart = selection.apart
    rank = within_week_rank(table.examples, apart.logits)
    metrics[chosen.name] |= {"rank": rank.value, "rank_error": rank.error, "slope": apart.calibration.slope}
    base_rate = float(np.mean(table.examples.came_true))
    kind: Kind = "none"
    parts = flat(logit(base_rate))
    if _signal(table, rank) and apart.calibration.slope > 0:
        kind = "logistic" if isinstance(chosen, Logistic) else "boosting"
        shape = chosen.fit(table, np.ones(len(apart.logits), dtype=np.bool_), seed)
        parts = assemble(table, evened(shape, table), apart.calibration)
    scorer = RiskModel(parts.intercept, [step.steps() for step in parts.steps], parts.sibling.steps())
    taken = NONE if kind == "none" else chosen.name
    return Artifact(
        name=name,
        kind=kind,
        capacity=capacity,
        intercept=parts.intercept,
        steps=parts.steps,
        sibling=parts.sibling,
        early_weeks=() if kind == "none" else first_weeks(scorer, examples),
        base_rate=base_rate,
        training=_training(table.examples, source, seed),
        metrics={each: figures | {"chosen": float(each == taken)} for each, figures in metrics.items()},
    )


def first_weeks(model: RiskModel, examples: Examples) -> tuple[float, ...]:
    """What a model's scores do in the first weeks of these years: from one week's end to the next."""
    early = rows_of(examples, examples.day < FIRST_DAYS)
    order = np.lexsort((early.day, early.student, early.year))
    scores, student = scores_of(model, early)[order], early.student[order]
    same = student[1:] == student[:-1]
    return early_weeks(scores[1:][same], scores[:-1][same])


def chosen_of(artifact: Artifact) -> str:
    """The name of the candidate that was taken, or `none`."""
    return next((name for name, figures in artifact.metrics.items() if figures.get("chosen")), NONE)


def _counted(progress: Callable[[int, int], None] | None, of: int) -> Progress:
    done = 0

    def tell() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, of)

    return tell


def checked(examples: Examples) -> Examples:
    """The examples whose outcome is known; raises `TrainingError` when there is nothing to learn from them."""
    known = examples.came_true[examples.judgeable]
    if not len(known):
        raise TrainingError(
            "Nothing to learn from: no consented student has a day with 30 school days after it. "
            "Give the folder of a whole school year, with its consents."
        )
    if not known.any():
        raise TrainingError(
            "Nobody is known to have been identified as homeless. Put the outcomes beside the other files "
            "as outcomes.csv (`firstbell outcomes` writes those of closed cases)."
        )
    if known.all():
        raise TrainingError(
            "Every student-day is followed by an identification, so there is nothing to learn from. "
            "Check the dates and students of outcomes.csv."
        )
    return rows_of(examples, examples.judgeable)


def _signal(table: TrainingTable, rank: Ratio) -> bool:
    families = len(np.unique(table.examples.household[table.examples.came_true]))
    return families >= LEAST_FAMILIES and rank.value > SURE * rank.error


def _training(examples: Examples, source: DataSource, seed: int) -> Training:
    return Training(
        simulated=source.simulated,
        students=source.students,
        rows=len(examples.day),
        positives=int(np.count_nonzero(examples.came_true)),
        first_day=date.fromordinal(int(examples.ordinal.min())),
        last_day=date.fromordinal(int(examples.ordinal.max())),
        data_sha256=source.data_sha256,
        seed=seed,
        versions={"python": platform.python_version()}
        | {package: version(package) for package in ("firstbell", "numpy", "scikit-learn")},
    )
