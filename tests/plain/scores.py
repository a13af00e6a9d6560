"""The model's scores of every day that counts, the household's part included."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

import numpy as np

from models.risk_model import NO_SIBLING, RiskModel
from tests.plain.days import Day
from tests.plain.figures import inputs


class Score(NamedTuple):
    """Log-odds."""

    own: float
    whole: float
    """With the household's part."""


Own = dict[date, float | None]
"""By day that counts; None where the model is silent."""


def own_scores(told: Sequence[Day], model: RiskModel) -> Own:
    """The scores of a student's own days."""
    found: Own = {}
    for number, day in enumerate(told):
        if day.shared:
            row = np.array([inputs(told[: number + 1])], dtype=np.int32)
            found[day.day] = None if day.assumed else float(model.own(row)[0])
    return found


def whole_scores(own: Own, siblings: Iterable[Own], model: RiskModel) -> dict[date, Score | None]:
    """The same with the household's part: the highest own score of a sibling on its last day before."""
    others = list(siblings)
    found: dict[date, Score | None] = {}
    for day, score in own.items():
        if score is None:
            found[day] = None
            continue
        highest = max((_last_before(other, day) for other in others), default=NO_SIBLING)
        found[day] = Score(score, float(model.score(np.array([score]), np.array([highest]))[0]))
    return found


def _last_before(own: Own, day: date) -> float:
    before = [score for known, score in own.items() if known < day]
    return before[-1] if before and before[-1] is not None else NO_SIBLING
