"""Compares a new model with the one in use on the latest weeks, and takes it only when it is no worse and as even."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import Final

import numpy as np

from models.arrays import Flags, Ints
from models.artifact import Artifact, ModelChange
from models.backtest.groups import SMALL_CELL
from models.training.candidates import CANDIDATES, Candidate
from models.training.examples import Examples
from models.training.household import scores_of
from models.training.judge import figures, places, precision
from models.training.split import horizon_end, time_split
from models.training.table import rows_of
from models.training.train import DataSource, checked, train

WORSE: Final = 0.05
"""By this part of the precision in use may the new one be lower; more is worse."""
UNEVEN: Final = 0.01
"""By so much (fraction of never-identified students) may the gap between groups be larger; more is less even."""
CALIBRATED: Final = 0.005
"""A calibration error up to this is no reason to refuse; above it the new one may be no higher than the one in use."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether the new model is taken, and the artifact to go on with, which says so as its latest change."""

    accepted: bool
    artifact: Artifact
    reason: str
    figures: dict[str, float | None]


def retrain(
    examples: Examples,
    current: Artifact,
    source: DataSource,
    *,
    name: str,
    capacity: int,
    seed: int,
    on: date,
    candidates: Sequence[Candidate] = CANDIDATES,
    progress: Callable[[int, int], None] | None = None,
) -> Decision:
    """Train on all but the latest weeks, compare on these, and decide.

    The latest weeks are the last third of the last school year; to train are all weeks whose outcomes were known
    before them. The new model is refused when, with `capacity` places a week, its precision is lower than the one in
    use by more than `WORSE` of it, its largest gap between the false-alert rates of two groups is larger by more than
    `UNEVEN`, or its calibration error is both above `CALIBRATED` and above the other's. Point estimates decide, so
    that whoever reads the figures comes to the same; `figures` holds the lead's 90% interval over households as well.

    Accepted, the artifact is learned anew from everything; refused, it is `current`. `progress` is called for both
    trainings, each from its beginning. Raises `TrainingError`.
    """
    known = checked(examples)
    known_on = horizon_end(examples)[examples.judgeable]
    split = time_split(known, known_on, whole_year=False)
    learn = partial(
        train, source=source, name=name, capacity=capacity, seed=seed, candidates=candidates, progress=progress
    )
    new = learn(_until(examples, split.first_late))
    latest = rows_of(known, split.late)
    found = compare(latest, _never(examples, latest), new, current, capacity)
    reason = refusal(found)
    if reason:
        return _decided(current, current, found, reason, on, accepted=False)
    return _decided(learn(examples), current, found, _praise(found), on, accepted=True)


def compare(latest: Examples, never: Flags, new: Artifact, current: Artifact, capacity: int) -> dict[str, float | None]:
    """Both models' figures on these rows; `never` says which are of students who are never identified."""
    logits = {"new": scores_of(new.model, latest), "current": scores_of(current.model, latest)}
    taken = {which: places(latest, scores, capacity) for which, scores in logits.items()}
    lead = precision(latest, taken["new"]).lead(precision(latest, taken["current"]))
    found: dict[str, float | None] = {}
    for which, scores in logits.items():
        each = figures(latest, scores, capacity)
        found[f"{which}_precision"] = each["precision_at_capacity"]
        found[f"{which}_calibration_error"] = each["calibration_error"]
        found[f"{which}_gap"] = largest_gap(latest, never, taken[which])
    return found | {
        "precision_lead": lead.value,
        "precision_lead_low": lead.value - _90_PERCENT * lead.error,
        "precision_lead_high": lead.value + _90_PERCENT * lead.error,
    }


_90_PERCENT: Final = 1.645
"""Standard errors to either side of a 90% interval."""


def largest_gap(examples: Examples, never: Flags, taken: Ints) -> float | None:
    """The largest difference of the false-alert rates of two values of one group; None without two to compare.

    The false-alert rate is the share of never-identified students who took a place.
    """
    alerted = np.zeros(int(examples.student.max(initial=-1)) + 1, dtype=np.bool_)
    alerted[examples.student[taken]] = True
    students, first = np.unique(examples.student[never], return_index=True)
    gaps = []
    for values in examples.groups.values():
        each = values[never][first]
        rates = [
            float(np.mean(alerted[students[each == value]]))
            for value in np.unique(each[each != ""]).tolist()
            if np.count_nonzero(each == value) >= SMALL_CELL
        ]
        if len(rates) > 1:
            gaps.append(max(rates) - min(rates))
    return max(gaps, default=None)


def refusal(found: Mapping[str, float | None]) -> str:
    """Why the new model is refused; empty when it is taken."""
    new, current = found["new_precision"] or 0.0, found["current_precision"] or 0.0
    reasons = []
    if new < current * (1 - WORSE):
        reasons.append(
            f"of its places {new:.1%} came true and of those of the model in use {current:.1%}, "
            f"more than {WORSE:.0%} fewer"
        )
    new_gap, gap = found["new_gap"], found["current_gap"]
    if new_gap is not None and gap is not None and new_gap > gap + UNEVEN:
        reasons.append(
            f"the false-alert rates of two groups lie {100 * new_gap:.1f} points apart, and with the model in use "
            f"{100 * gap:.1f}, more than {100 * UNEVEN:.0f} point less"
        )
    error, other = found["new_calibration_error"] or 0.0, found["current_calibration_error"] or 0.0
    if error > max(CALIBRATED, other):
        reasons.append(f"its calibration error is {error:.4f}, and that of the model in use {other:.4f}")
    return f"Refused on the latest weeks: {'; '.join(reasons)}." if reasons else ""


def _praise(found: Mapping[str, float | None]) -> str:
    new, current = found["new_precision"] or 0.0, found["current_precision"] or 0.0
    return (
        f"Accepted on the latest weeks: of its places {new:.1%} came true and of those of the model in use "
        f"{current:.1%}, and it is as even between groups."
    )


def _decided(
    taken: Artifact, current: Artifact, found: dict[str, float | None], reason: str, on: date, *, accepted: bool
) -> Decision:
    change = ModelChange(on=on, accepted=accepted, reason=reason, figures=found)
    return Decision(accepted, taken.model_copy(update={"changes": (*current.changes, change)}), reason, found)


def _until(examples: Examples, day: int) -> Examples:
    """What was known of the examples before an ordinal day."""
    before = rows_of(examples, examples.ordinal < day)
    known = horizon_end(examples)[examples.ordinal < day] < day
    return replace(before, judgeable=before.judgeable & known)


def _never(examples: Examples, latest: Examples) -> Flags:
    """Which of the latest rows are of students of whom no identification is known."""
    identified = np.zeros(int(examples.student.max(initial=-1)) + 1, dtype=np.bool_)
    identified[examples.student[examples.came_true]] = True
    return ~identified[latest.student]
