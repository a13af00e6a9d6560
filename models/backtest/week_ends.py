"""Every student at the end of each week: what the baselines rank, what calibration is measured on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

import numpy as np

from models.arrays import Places
from models.backtest.district import District, Year
from models.backtest.evidence import WeekEnds
from models.backtest.runner import Runner
from models.engine.ledger import ABSENT
from models.engine.register import NOT_SHARED, NOWHERE, Schools
from models.risk_model import probability


class WeekEndRows:
    """Collects the weeks' ends of a walk."""

    def __init__(self, district: District, *, scored: bool) -> None:
        self._district = district
        self._scored = scored
        self._weeks: list[WeekEnds] = []

    def enrolled(self, year: Year, day: int) -> Places:
        """Rows with a consent in force, enrolled on an instructional day where it is shared, of whom a day counts."""
        rows = self._district.active(year, day)
        school, unshared = self._school(year, rows, day), year.cohort.register.numbers.get(NOT_SHARED, NOWHERE)
        there = (school != NOWHERE) & (school != unshared)
        return np.asarray(rows[there & (year.cohort.ledger.length[rows] > 0)])

    def in_school(self, year: Year, day: int) -> Places:
        """Those of them whose own school is open on the day."""
        rows, register = self.enrolled(year, day), year.cohort.register
        state = register.state[self._school(year, rows, day), register.column(day)]
        return np.asarray(rows[state > 0])

    def add(self, year: Year, day: int, position: int, rules: Runner) -> None:
        """Take the students as they stand at the end of a day."""
        rows, cohort = self.enrolled(year, day), year.cohort
        last = cohort.ledger.last_days(rows)
        of_all = self._district.active(year, day)
        level = np.zeros(cohort.register.rows, dtype=np.uint8)
        level[of_all] = rules.standing(year, of_all)[0]
        score = probability(cohort.now(rows)) if self._scored else np.full(len(rows), np.nan)
        self._weeks.append(
            WeekEnds(
                student=self._district.units.student[rows + year.first],
                day=np.full(len(rows), position, dtype=np.int32),
                score=score,
                rate=last.totals[ABSENT] / last.position,
                days=last.position.astype(np.int32),
                absences_20=cohort.ledger.window(ABSENT, last, 20).astype(np.int32),
                streak=last.streak.astype(np.int32),
                rule_level=level[rows],
                shock=cohort.shock_on_last_day(rows),
            )
        )

    def _school(self, year: Year, rows: Places, day: int) -> Schools:
        column = year.cohort.register.column(day)
        return year.cohort.register.school_of(rows, np.full(len(rows), column, np.intp))

    def rows(self) -> WeekEnds:
        """All of them."""
        return joined(self._weeks)


def joined(weeks: Sequence[WeekEnds]) -> WeekEnds:
    """One after the other; there must be one at least."""
    columns = {field.name: np.concatenate([getattr(week, field.name) for week in weeks]) for field in fields(WeekEnds)}
    return WeekEnds(**columns)
