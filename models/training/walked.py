"""The rows that a model is trained on: a walk without a model, seen at the weeks' ends."""

from __future__ import annotations

import numpy as np

from models.backtest.history import History
from models.backtest.judging import days_until, judgeable
from models.backtest.walk import Progress, Walker
from models.features import INPUTS, Inputs
from models.policy import Policy
from models.training.examples import Examples


def examples_of(history: History, policy: Policy, progress: Progress | None = None) -> Examples:
    """A row per consented, enrolled student and week's end, of what was known then, and what came of it."""
    walker = Walker(history, policy, None, None)
    inputs: list[Inputs] = [np.empty((0, len(INPUTS)), dtype=np.int32)]
    walk = walker.run(progress, on_week_end=inputs.append)
    truth, rows = walk.truth, walk.week_ends
    lead = days_until(truth, rows.student, rows.day)
    groups = {name: np.array(values)[rows.student] for name, values in truth.groups.items()}
    return Examples(
        inputs=np.concatenate(inputs),
        student=rows.student,
        household=truth.household[rows.student],
        year=np.zeros(len(rows.day), dtype=np.int32),
        day=rows.day,
        ordinal=truth.dates[rows.day],
        came_true=lead > 0,
        lead=lead,
        judgeable=judgeable(truth, rows.day),
        groups=groups,
    )
