from __future__ import annotations

from datetime import date

import numpy as np

from models.backtest.curves import Curves
from models.backtest.evidence import Truth
from services.lab.report import report_evidence


def test_weeks_go_by_their_mondays() -> None:
    days = np.array([date(2026, 1, day).toordinal() for day in (6, 8, 12, 13)], dtype=np.int32)
    none = np.array([], dtype=np.int32)
    truth = Truth(days, np.array([1, 3], dtype=np.int32), none, {}, none, none)
    assert report_evidence(truth, Curves((), (), (), ())).weeks == (date(2026, 1, 5), date(2026, 1, 12))
