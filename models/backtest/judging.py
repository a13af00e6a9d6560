"""Which alerts came true: an identification of the student on a later day, at most `HORIZON_DAYS` after the alert.

An alert whose horizon reaches past the year's last instructional day cannot be judged: what came after is unknown.
It is left out of precision, right or not, for every strategy alike; to count only the right ones would flatter.
Recall and lead look back from an identification, so nothing is cut off there and all alerts count.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from models.arrays import Flags, Ints
from models.backtest.evidence import HORIZON_DAYS, Raised, Truth

_LongInts = npt.NDArray[np.int64]


def judgeable(truth: Truth, day: Ints) -> Flags:
    """Whether the whole horizon after the day lies in the year."""
    return day <= len(truth.dates) - 1 - HORIZON_DAYS


def followed(truth: Truth, student: Ints, day: Ints) -> Flags:
    """Whether an identification of the student follows the day within the horizon."""
    return days_until(truth, student, day) > 0


def days_until(truth: Truth, student: Ints, day: Ints) -> Ints:
    """Instructional days to the student's next identification within the horizon; 0 without one."""
    known = np.append(_keys(truth, truth.identified_student, truth.identified_day), np.iinfo(np.int64).max)
    here = _keys(truth, student, day)
    ahead = known[np.searchsorted(known, here, side="right")] - here
    return np.where(ahead <= HORIZON_DAYS, ahead, 0).astype(np.int32)


def identifications(truth: Truth) -> tuple[Ints, Ints]:
    """Student and day of each identification that an alert could come before: after the first day, within the year."""
    could = (truth.identified_day > 0) & (truth.identified_day < len(truth.dates))
    return truth.identified_student[could], truth.identified_day[could]


def leads(truth: Truth, raised: Raised) -> Ints:
    """Per identification, the instructional days by which the earliest right alert came before it; 0 without any."""
    alerts = np.append(np.sort(_keys(truth, raised.student, raised.day)), np.iinfo(np.int64).max)
    known = _keys(truth, *identifications(truth))
    lead = known - alerts[np.searchsorted(alerts, known - HORIZON_DAYS)]
    return np.where(lead > 0, lead, 0).astype(np.int32)


def never_identified(truth: Truth) -> Flags:
    """Per student, whether no identification is known at all."""
    never = np.ones(len(truth.household), dtype=np.bool_)
    never[truth.identified_student] = False
    return never


def _keys(truth: Truth, student: Ints, day: Ints) -> _LongInts:
    """One number per student and day, by student, then day; those of two students lie further apart than a horizon."""
    last = max(len(truth.dates), int(truth.identified_day.max(initial=0)) + 1)
    return student.astype(np.int64) * (last + HORIZON_DAYS) + day
