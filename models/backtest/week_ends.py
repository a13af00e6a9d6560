"""Every student at the end of each week: what the baselines rank, what calibration is measured on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

import numpy as np

from models.backtest.district import District
from models.backtest.evidence import WeekEnds
from models.backtest.ledger import Ledger, Places
from models.backtest.runner import Runner
from models.backtest.scores import Scores
from models.backtest.units import NOWHERE
from models.risk_model import probability


class WeekEndRows:
    """Collects the weeks' ends of a walk."""

    def __init__(self, district: District, ledger: Ledger) -> None:
        self._district = district
        self._ledger = ledger
        self._weeks: list[WeekEnds] = []

    def enrolled(self, day: int) -> Places:
        """Units with a consent in force, enrolled on an instructional day, of whom some day counts."""
        units, column = self._district.units, int(np.searchsorted(self._district.columns, day))
        there = units.active(day) & (units.school[:, column] != NOWHERE)
        return np.flatnonzero(there & (self._ledger.length > 0))

    def in_school(self, day: int) -> Places:
        """Those of them whose own school is open on the day."""
        unit, column = self.enrolled(day), int(np.searchsorted(self._district.columns, day))
        return np.asarray(unit[self._district.open[self._district.units.school[unit, column], column]])

    def add(self, day: int, position: int, scores: Scores, rules: Runner) -> None:
        """Take the students as they stand at the end of a day."""
        unit = self.enrolled(day)
        ledger = self._ledger
        now = ledger.at(unit, ledger.length[unit])
        absent = ledger.absent[now]
        since = ledger.at(unit, np.maximum(ledger.length[unit] - 20, 0))
        of_all = np.flatnonzero(self._district.units.active(day))
        level = np.zeros(len(ledger.length), dtype=np.uint8)
        level[of_all] = rules.standing(of_all)[0]
        self._weeks.append(
            WeekEnds(
                student=self._district.units.student[unit],
                day=np.full(len(unit), position, dtype=np.int32),
                score=probability(scores.now(unit)),
                rate=absent / ledger.length[unit],
                days=ledger.length[unit].astype(np.int32),
                absences_20=(absent - ledger.absent[since]).astype(np.int32),
                streak=ledger.streak[now].astype(np.int32),
                rule_level=level[unit],
                shock=ledger.shock[now],
            )
        )

    def rows(self) -> WeekEnds:
        """All of them."""
        return joined(self._weeks)


def joined(weeks: Sequence[WeekEnds]) -> WeekEnds:
    """One after the other; there must be one at least."""
    columns = {field.name: np.concatenate([getattr(week, field.name) for week in weeks]) for field in fields(WeekEnds)}
    return WeekEnds(**columns)
