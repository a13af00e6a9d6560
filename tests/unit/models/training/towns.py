"""A made-up school year as examples: weekly counts, from which some families' trouble can be seen, or cannot."""

from __future__ import annotations

from datetime import date

import numpy as np

from models.features import INPUTS
from models.training.examples import Examples

WEEKS = 36
HORIZON = 30


def town(
    seed: int,
    *,
    households: int = 300,
    weeks: int = WEEKS,
    signal: float = 1.0,
    first: date = date(2024, 9, 2),
    uneven: float = 0.0,
) -> Examples:
    """Two children a household; one household in ten is identified, on a day before which both are absent more.

    `signal` 0: they are absent no more than others. `uneven`: how many more absences a week group "b" has.
    """
    rng = np.random.default_rng(seed)
    students, days = 2 * households, weeks * 5
    household = np.arange(students) // 2
    identified = np.where(rng.random(households) < 0.25, rng.integers(20, days, households), 10_000)[household]
    group_b = rng.random(students) < 0.5
    week = np.arange(1, weeks + 1)
    before = identified[:, np.newaxis] - week * 5
    trouble = (before > -5) & (before <= 30)
    rate = 0.2 + 1.2 * signal * trouble + uneven * group_b[:, np.newaxis]
    unexcused = np.minimum(rng.poisson(rate), 5)
    late = rng.poisson(0.2, unexcused.shape)
    day = np.broadcast_to(week * 5 - 1, unexcused.shape)
    columns = {"days": day + 1, "since_move": np.full_like(day, 91), "streak": np.minimum(unexcused, 3)}
    for kind, counts in (("unexcused", unexcused), ("late", late)):
        columns |= {f"{kind}_{window}": _last(counts, window // 5) for window in (5, 10, 20, 40, 45)}
        columns[f"{kind}_year"] = np.cumsum(counts, axis=1)
    zero = np.zeros_like(day)
    # By week, then student, as a walk leaves them.
    inputs = np.stack([columns.get(name, zero).T.ravel() for name in INPUTS], axis=1).astype(np.int32)
    position = day.T.ravel().astype(np.int32)
    ahead = np.broadcast_to(identified, (weeks, students)).ravel() - position
    student = np.tile(np.arange(students, dtype=np.int32), weeks)
    return Examples(
        inputs=inputs,
        student=student,
        household=(student // 2).astype(np.int32),
        year=np.zeros(len(student), dtype=np.int32),
        day=position,
        ordinal=(first.toordinal() + position // 5 * 7 + 4).astype(np.int32),
        came_true=(ahead > 0) & (ahead <= HORIZON),
        lead=np.where((ahead > 0) & (ahead <= HORIZON), ahead, 0).astype(np.int32),
        judgeable=position <= days - 1 - HORIZON,
        groups={"group": np.where(group_b, "b", "a")[student], "other": np.full(len(student), "")},
    )


def _last(counts: np.ndarray, weeks: int) -> np.ndarray:
    total = np.cumsum(counts, axis=1)
    before = np.zeros_like(total)
    before[:, weeks:] = total[:, :-weeks]
    return np.asarray(total - before)
