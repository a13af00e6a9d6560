"""How reports become rows of a file: class periods, present days left out, no time of recording, rows twice."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from models.simulation.base import SCHOOL_DAY_MINUTES, BoolArray, CodeArray, stream
from models.simulation.config import ReportingConfig, WorldConfig
from models.simulation.marks import ABSENT, EARLY_DEPARTURE, NO_REASON, PRESENT, UNKNOWN
from models.simulation.people import MIDDLE, Population
from models.simulation.reporting import Reports


class _Shown(NamedTuple):
    """Per report: in which class periods it shows (the first, and how many from there); present in the others."""

    first: CodeArray
    length: CodeArray
    cut: BoolArray
    """Whether what shows is a cut class, on a day that is else reported as present."""


def as_filed(config: WorldConfig, reports: Reports, population: Population, seed: int) -> Reports:
    """The rows of these reports as the config's `reporting` has them in a file; the default is one row a report."""
    how, rng = config.reporting, stream(seed, "filing")
    if how.sections or how.absence_only:
        taught = population.grade[reports.marks.student] >= MIDDLE
        periods = np.where(taught & (how.sections > 0), how.sections, 1).astype(np.int8)
        shown = _shown(how, reports, periods, rng)
        # A correction to present is filed all the same: without it the mistake would stand.
        said = np.flatnonzero((shown.length > 0) | ~reports.first | (not how.absence_only))
        shown = _Shown(shown.first[said], shown.length[said], shown.cut[said])
        reports = _by_period(reports.at(said), periods[said], shown, how.sections)
    if how.no_recorded_at:
        untimed = reports.first & (rng.random(len(reports.first)) < how.no_recorded_at)
        minute = np.where(untimed, np.int16(UNKNOWN), reports.recorded_minute)
        reports = replace(reports, recorded_minute=minute)
    if how.duplicates:
        copies = 1 + (rng.random(len(reports.first)) < how.duplicates)
        reports = reports.at(np.repeat(np.arange(len(copies)), copies))
    return reports


def _shown(how: ReportingConfig, reports: Reports, periods: CodeArray, rng: np.random.Generator) -> _Shown:
    """Drawn per true mark, so that a report and its correction speak of the same class periods."""
    marks, most = int(reports.of.max(initial=-1)) + 1, max(how.sections, 1)
    half = (most + 1) // 2
    part = np.where(rng.random(marks) < how.section_part, rng.integers(half, max(half + 1, most), marks), most)
    at_end, cut = rng.random(marks) < 0.5, rng.random(marks) < how.section_cut  # noqa: PLR2004 - as often as not
    cut_period = rng.integers(0, most, marks)
    status, of = reports.marks.status, reports.of
    absent, present = status == ABSENT, status == PRESENT
    length = np.where(absent, np.minimum(part[of], periods), np.where(present, 0, 1))
    late = (status >= EARLY_DEPARTURE) | (absent & at_end[of])
    first = np.where(late, periods - length, 0)
    # One class of two would be half of the day: absent.
    is_cut = present & cut[of] & (periods > 2)  # noqa: PLR2004
    first, length = np.where(is_cut, cut_period[of], first), np.where(is_cut, 1, length)
    return _Shown(first.astype(np.int8), length.astype(np.int8), is_cut)


def _by_period(reports: Reports, periods: CodeArray, shown: _Shown, sections: int) -> Reports:
    """One row per class period of these reports; a report of the whole day stays one row."""
    report = np.repeat(np.arange(len(periods)), periods)
    ends = np.cumsum(periods, dtype=np.int64)
    period = (np.arange(len(report)) - np.repeat(ends - periods, periods)).astype(np.int8)
    rows = reports.at(report)
    marks, first, cut = rows.marks, shown.first[report], shown.cut[report]
    here = (period >= first) & (period < first + shown.length[report])
    # Whoever leaves early has the day recorded on leaving; what comes late is recorded before the bell.
    in_class = (rows.recorded_day == marks.day) & (marks.status < EARLY_DEPARTURE)
    rows.recorded_minute[in_class] += period[in_class].astype(np.int16) * (SCHOOL_DAY_MINUTES // max(sections, 1))
    for values, nothing in ((marks.excused, UNKNOWN), (marks.minutes, UNKNOWN), (marks.reason, NO_REASON)):
        values[~here] = nothing
    marks.status[~here] = PRESENT
    marks.status[here & cut] = ABSENT
    marks.excused[here & cut] = 0
    rows.section[:] = np.where(periods[report] > 1, period + 1, 0)
    return rows
