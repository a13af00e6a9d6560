"""How schools hand in their marks: in the morning, days late, not at all, and with mistakes that they correct."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from models.simulation.base import SCHOOL_DAY_MINUTES, BoolArray, CodeArray, IntArray, SmallArray, stream
from models.simulation.calendar import SimulatedYear
from models.simulation.config import ReportingConfig, WorldConfig
from models.simulation.marks import ABSENT, NO_REASON, PRESENT, TARDY, UNKNOWN, SimulatedMarks

MOST_DAYS_LATE: Final = 3
MOST_DAYS_TO_CORRECT: Final = 5
DAYS_AFTER: Final = MOST_DAYS_LATE + MOST_DAYS_TO_CORRECT
"""Weekdays after the last school day on which something may still be recorded."""
ROLL_MINUTES: Final = 40
"""Within this time of the bell everybody's mark is recorded."""
BELLS: Final = (450, 465, 480, 500, 520)
"""Minutes after midnight at which schools begin."""
BEFORE_BELL: Final = (420, 450)
"""When a late report or a correction is recorded, minutes after midnight."""


@dataclass(frozen=True, slots=True)
class Reports:
    """Rows as handed in, by recorded date, then school, then the order of the marks."""

    marks: SimulatedMarks
    of: IntArray
    """The true mark of each row, by number; a correction has that of the row it corrects."""
    first: BoolArray
    """Whether it is the first report of its mark, not a correction."""
    section: CodeArray
    """The class period, from 1; 0 for the whole day."""
    recorded_day: SmallArray
    """Position in the year's weekdays, up to `DAYS_AFTER` behind its last."""
    recorded_minute: SmallArray
    """Minutes after midnight, school-local; UNKNOWN when the row does not say when it was recorded."""

    def at(self, rows: IntArray | BoolArray) -> Reports:
        """These rows, in this order."""
        return Reports(
            marks=self.marks.at(rows),
            of=self.of[rows],
            first=self.first[rows],
            section=self.section[rows],
            recorded_day=self.recorded_day[rows],
            recorded_minute=self.recorded_minute[rows],
        )


def report(config: WorldConfig, marks: SimulatedMarks, year: SimulatedYear, seed: int) -> Reports:
    """What the schools hand in of these marks: first reports, and corrections of those that were wrong."""
    rng = stream(seed, "reporting")
    schools = len(config.schools)
    late = _days_late(config.reporting, schools, year.days, rng)
    silent = rng.random((schools, year.days)) < config.reporting.silent_days
    if silent.any():
        marks = marks.at(~silent[marks.school, marks.day])
    first, wrong, delay = _first_reports(config.reporting, marks, rng)
    lag = late[marks.school, marks.day]
    bell = rng.choice(BELLS, schools).astype(np.int16)
    opens = _Openings(year)
    minute = np.where(lag == 0, _same_day(first, bell, rng), _before_bell(len(lag), rng))
    fixed = marks.at(wrong)
    day = np.concatenate((opens.after(first, lag), opens.after(fixed, lag[wrong] + delay)))
    minute = np.concatenate((minute, _before_bell(len(wrong), rng)))
    rows = _joined(first, fixed)
    order = np.argsort(day.astype(np.int64) * schools + rows.school, kind="stable")
    return Reports(
        marks=rows.at(order),
        of=np.concatenate((np.arange(len(lag)), wrong))[order],
        first=order < len(lag),
        section=np.zeros(len(order), dtype=np.int8),
        recorded_day=day[order],
        recorded_minute=minute[order],
    )


def _days_late(config: ReportingConfig, schools: int, days: int, rng: np.random.Generator) -> SmallArray:
    """Schools by days: how many school days later the day is handed in."""
    number = min(schools, max(1, round(config.late_schools * schools))) if config.late_schools else 0
    share = np.full(schools, config.other_late_days)
    share[rng.permutation(schools)[:number]] = config.late_days
    late = rng.random((schools, days)) < share[:, None]
    return (late * rng.integers(1, MOST_DAYS_LATE + 1, (schools, days))).astype(np.int16)


def _first_reports(
    config: ReportingConfig, marks: SimulatedMarks, rng: np.random.Generator
) -> tuple[SimulatedMarks, IntArray, SmallArray]:
    """What was said first; which rows of it were wrong; after how many school days each was corrected."""
    uniform = rng.random(len(marks.day), dtype=np.float32)
    absent, tardy = marks.status == ABSENT, marks.status == TARDY
    no_note = absent & (marks.excused == 1) & (uniform < config.late_notes)
    missed = absent & (uniform > 1 - np.float32(config.present_was_absent))
    seen_late = tardy & (uniform < config.absent_was_tardy)
    overlooked = ~absent & ~tardy & (uniform < config.absent_was_present)
    first = marks.at(slice(None))
    said_absent = seen_late | overlooked
    first.status[said_absent] = ABSENT
    first.status[missed] = PRESENT
    first.excused[no_note | said_absent] = 0
    first.excused[missed] = UNKNOWN
    first.minutes[said_absent] = UNKNOWN
    first.reason[no_note | missed] = NO_REASON
    wrong = np.flatnonzero(no_note | missed | said_absent)
    most = np.where(no_note[wrong], MOST_DAYS_TO_CORRECT, 2)
    return first, wrong, rng.integers(1, most + 1).astype(np.int16)


class _Openings:
    """Finds a school's next instructional days."""

    def __init__(self, year: SimulatedYear) -> None:
        self._rank = (np.cumsum(year.open, axis=1) - 1).astype(np.int16)
        counts = year.open.sum(axis=1)
        self._opens = np.zeros((len(counts), int(counts.max()) + DAYS_AFTER), dtype=np.int16)
        after = np.arange(year.days, year.days + DAYS_AFTER)
        for school, count in enumerate(counts):
            self._opens[school, :count] = np.flatnonzero(year.open[school])
            self._opens[school, count : count + DAYS_AFTER] = after

    def after(self, marks: SimulatedMarks, lag: SmallArray) -> SmallArray:
        """The school's instructional day so many after the mark's; weekdays once the year is over."""
        opens: SmallArray = self._opens[marks.school, self._rank[marks.school, marks.day] + lag]
        return opens


def _same_day(marks: SimulatedMarks, bell: SmallArray, rng: np.random.Generator) -> SmallArray:
    """Roll call; a tardy is recorded on arrival, an early departure or partial day on leaving."""
    begins = bell[marks.school]
    roll = begins + rng.integers(2, ROLL_MINUTES, len(begins), dtype=np.int16)
    arrival = begins + marks.minutes
    leaving = begins + SCHOOL_DAY_MINUTES - marks.minutes
    timed = np.where(marks.status == TARDY, arrival, np.where(marks.status > TARDY, leaving, roll))
    return timed.astype(np.int16)


def _before_bell(count: int, rng: np.random.Generator) -> SmallArray:
    return rng.integers(*BEFORE_BELL, count, dtype=np.int16)


def _joined(first: SimulatedMarks, fixed: SimulatedMarks) -> SimulatedMarks:
    return SimulatedMarks(
        student=np.concatenate((first.student, fixed.student)),
        day=np.concatenate((first.day, fixed.day)),
        school=np.concatenate((first.school, fixed.school)),
        status=np.concatenate((first.status, fixed.status)),
        excused=np.concatenate((first.excused, fixed.excused)),
        reason=np.concatenate((first.reason, fixed.reason)),
        minutes=np.concatenate((first.minutes, fixed.minutes)),
    )
