"""Rankings that fill K places a week: the baselines, and rules and scores when capacity holds them back.

Everybody who is consented and enrolled is ranked at the end of each week; the first K take a place, and a student who
took one takes no other for `PLACE_DAYS` instructional days, that day counted, as in the stream (`models.episodes`).
Students who rank alike follow a seeded permutation of all students, so that ties favour no school, grade or family.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from models.arrays import Flags, Floats, Ints
from models.backtest.evidence import Raised, WeekEnds
from models.capacity import PLACE_DAYS

Ranking = Literal["score", "rules", "ten_percent", "streak_3", "rate_to_date", "absences_20"]

MIN_ENROLLED_DAYS = 10
"""Enrolled days before a rate to date says anything (EDFacts FS195, `docs/domain.md`)."""
CHRONIC_RATE = 0.10
"""Absence rate from which a student is chronically absent, inclusive."""
TIE_SEED = 20161205


@dataclass(frozen=True, slots=True)
class Candidates:
    """Who may take a place at each week's end. Rows by day, then best first."""

    student: Ints
    day: Ints
    shock: Flags


def candidates(week_ends: WeekEnds, ranking: Ranking, students: int) -> Candidates:
    """The candidates of a ranking among `students` students.

    - score: whoever has a score, by score.
    - rules: rule level watch or above, by level, then by rate.
    - ten_percent: a rate to date of at least 10% after at least 10 enrolled days, by rate.
    - streak_3: whoever was absent without an excuse on the last day, by streak: three days and more come first.
    - rate_to_date: at least 10 enrolled days, by rate.
    - absences_20: at least one absence in the last 20 days, by their number.
    """
    may, value = _RANKINGS[ranking](week_ends)
    tie = np.random.default_rng(TIE_SEED).permutation(students)
    rows = np.flatnonzero(may)
    order = [
        week[np.lexsort((tie[week_ends.student[week]], -value[week]))]
        for week in np.split(rows, _starts(week_ends.day[rows]))
    ]
    best = np.concatenate(order)
    return Candidates(week_ends.student[best], week_ends.day[best], week_ends.shock[best])


def fill_places(candidates: Candidates, capacity: int, students: int) -> Raised:
    """The students who take a place, at most `capacity` a week, in the order in which they take it."""
    free_from = np.zeros(students, dtype=np.int32)
    taken = []
    for week in np.split(np.arange(len(candidates.day)), _starts(candidates.day)):
        student, day = candidates.student[week], candidates.day[week]
        free = np.flatnonzero(free_from[student] <= day)[:capacity]
        free_from[student[free]] = day[free] + PLACE_DAYS
        taken.append(week[free])
    rows = np.concatenate(taken)
    return Raised(candidates.student[rows], candidates.day[rows], candidates.shock[rows])


def _starts(day: Ints) -> Ints:
    return np.flatnonzero(np.diff(day)).astype(np.int32) + 1


def _by_score(ends: WeekEnds) -> tuple[Flags, Floats]:
    return ~np.isnan(ends.score), ends.score


def _by_rules(ends: WeekEnds) -> tuple[Flags, Floats]:
    return ends.rule_level > 0, ends.rule_level * 2 + ends.rate  # a rate is at most 1, so no level is bridged


def _by_ten_percent(ends: WeekEnds) -> tuple[Flags, Floats]:
    return (ends.rate >= CHRONIC_RATE) & (ends.days >= MIN_ENROLLED_DAYS), ends.rate


def _by_streak(ends: WeekEnds) -> tuple[Flags, Floats]:
    return ends.streak > 0, ends.streak.astype(np.float64)


def _by_rate(ends: WeekEnds) -> tuple[Flags, Floats]:
    return ends.days >= MIN_ENROLLED_DAYS, ends.rate


def _by_absences(ends: WeekEnds) -> tuple[Flags, Floats]:
    return ends.absences_20 > 0, ends.absences_20.astype(np.float64)


_RANKINGS: dict[Ranking, Callable[[WeekEnds], tuple[Flags, Floats]]] = {
    "score": _by_score,
    "rules": _by_rules,
    "ten_percent": _by_ten_percent,
    "streak_3": _by_streak,
    "rate_to_date": _by_rate,
    "absences_20": _by_absences,
}
