"""The year's instructional days and weeks, and who was identified when."""

from __future__ import annotations

import numpy as np

from models.arrays import Ints
from models.backtest.district import District
from models.backtest.evidence import Truth
from models.backtest.history import History
from models.capacity import WEEK


def find_truth(history: History, district: District) -> Truth:
    """The days up to the last that any school reported; identifications after it are not within any horizon."""
    dates = _instructional(history, district)
    week = (dates - 1) // WEEK
    last_of_week = np.append(week[1:] != week[:-1], np.True_)[: len(dates)]
    day = np.searchsorted(dates, history.identified_day).astype(np.int32)
    order = np.lexsort((day, history.identified_student))
    return Truth(
        dates=dates,
        week_ends=np.flatnonzero(last_of_week).astype(np.int32),
        household=history.household,
        groups=history.groups,
        identified_student=history.identified_student[order],
        identified_day=day[order],
    )


def _instructional(history: History, district: District) -> Ints:
    if not len(history.closes.day):
        return np.empty(0, dtype=np.int32)
    days = district.columns[district.open.any(axis=0)]
    return np.asarray(days[days <= history.closes.day.max()])
