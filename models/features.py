"""What the risk model sees of a student: figures of the window alone, nothing of who the student is.

`INPUTS` are counts that the engine keeps (`models.engine.ledger`); `features` makes the model's columns of them, and
is the one definition for stream, training and backtest.
Days are counted days; an excused day is no unexcused one, and a shock day is neither.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

Inputs: TypeAlias = npt.NDArray[np.int32]
"""A row per student and day, a column per name of `INPUTS`."""
Columns: TypeAlias = list[npt.NDArray[np.float64]]
"""An array per feature, in the order of `FEATURES`."""

WINDOWS: Final = (5, 10, 20, 40, 45)
"""Lengths in counted days."""
KINDS: Final = ("unexcused", "excused", "late", "left")
"""`left`: early departures and partial days."""
YEAR: Final = "year"
MOST_DAYS: Final = 366
"""Of a school year."""
NO_MOVE: Final = 91
"""`since_move` of a student who did not change school, or longer ago than this many days."""

INPUTS: Final[tuple[str, ...]] = (
    "days",
    *(f"{kind}_{window}" for kind in KINDS for window in WINDOWS),
    *(f"{kind}_{YEAR}" for kind in KINDS),
    "streak",
    "since_move",
)
_AT: Final = {name: place for place, name in enumerate(INPUTS)}


class Feature(NamedTuple):
    """One column of the model."""

    name: str
    rises: int
    """1: the score may only rise with it, -1: only fall, 0: either."""
    make: Callable[[Inputs], npt.NDArray[np.float64]]
    words: str
    """What it says of a student, for people; may use `INPUTS`, {usual}, {usual_absent}, {usual_late}."""
    kind: str
    """The kind of day that is its evidence, of `KINDS`; empty for none."""
    days: int
    """How many counted days it looks back for evidence."""
    counts: bool = False
    """Whether it is a whole number of days, at most `MOST_DAYS`."""


LONG_AGO: Final = 20
"""The student's usual is that of the days before so many."""
PRIOR_DAYS: Final = 20.0
"""A student's own usual is drawn to the mean of all as if so many more days had been seen."""
PRIOR: Final = {"unexcused": 0.05, "excused": 0.03, "late": 0.035, "left": 0.01}
"""About the daily rates of a whole district (share of enrolled days)."""


def _plain(name: str) -> Callable[[Inputs], npt.NDArray[np.float64]]:
    place = _AT[name]
    return lambda inputs: inputs[:, place].astype(np.float64)


def usual(inputs: Inputs, kind: str, apart: int) -> npt.NDArray[np.float64]:
    """The student's own usual rate (0-1) before the last `apart` days, drawn to the mean when little is known."""
    before = np.maximum(inputs[:, _AT["days"]] - apart, 0)
    count = inputs[:, _AT[f"{kind}_{YEAR}"]] - inputs[:, _AT[f"{kind}_{apart}"]]
    return np.asarray((count + PRIOR[kind] * PRIOR_DAYS) / (before + PRIOR_DAYS))


def _usual(kind: str, apart: int) -> Callable[[Inputs], npt.NDArray[np.float64]]:
    return lambda inputs: usual(inputs, kind, apart)


def absent_usual(inputs: Inputs) -> npt.NDArray[np.float64]:
    """The student's own usual rate (0-1) of absence, excused or not."""
    return usual(inputs, "unexcused", LONG_AGO) + usual(inputs, "excused", LONG_AGO)


def _rise(kind: str, window: int) -> Callable[[Inputs], npt.NDArray[np.float64]]:
    """By what factor the last days are above the student's own usual before them; half a day is added to both."""

    def make(inputs: Inputs) -> npt.NDArray[np.float64]:
        expected = usual(inputs, kind, window) * np.minimum(inputs[:, _AT["days"]], window)
        return np.asarray((inputs[:, _AT[f"{kind}_{window}"]] + 0.5) / (expected + 0.5))

    return make


def _between(kind: str, near: int, far: int) -> Callable[[Inputs], npt.NDArray[np.float64]]:
    return lambda inputs: (inputs[:, _AT[f"{kind}_{far}"]] - inputs[:, _AT[f"{kind}_{near}"]]).astype(np.float64)


def _rate(kind: str) -> Callable[[Inputs], npt.NDArray[np.float64]]:
    def make(inputs: Inputs) -> npt.NDArray[np.float64]:
        days = inputs[:, _AT["days"]] + PRIOR_DAYS
        return np.asarray((inputs[:, _AT[f"{kind}_{YEAR}"]] + PRIOR[kind] * PRIOR_DAYS) / days)

    return make


_UNEXCUSED = "Absent without an excuse on {{unexcused_{0}}} of the last {0} days that count."
_EXCUSED = "Absent with an excuse on {{excused_{0}}} of the last {0} days that count."
_LATE = "Late on {{late_{0}}} of the last {0} days that count."

FEATURES: Final[tuple[Feature, ...]] = (
    *(
        Feature(f"unexcused_{n}", 1, _plain(f"unexcused_{n}"), _UNEXCUSED.format(n), "unexcused", n, counts=True)
        for n in (5, 10, 20, 45)
    ),
    *(
        Feature(f"excused_{n}", 0, _plain(f"excused_{n}"), _EXCUSED.format(n), "excused", n, counts=True)
        for n in (10, 20, 45)
    ),
    *(Feature(f"late_{n}", 1, _plain(f"late_{n}"), _LATE.format(n), "late", n, counts=True) for n in (10, 20, 45)),
    Feature(
        "left_20",
        0,
        _plain("left_20"),
        "Left early on {left_20} of the last 20 days that count.",
        "left",
        20,
        counts=True,
    ),
    Feature(
        "streak", 1, _plain("streak"), "Absent {streak} days in a row without an excuse.", "unexcused", 45, counts=True
    ),
    Feature(
        "unexcused_usual",
        0,
        _usual("unexcused", LONG_AGO),
        "Usually absent without an excuse on {usual} of days.",
        "",
        0,
    ),
    Feature(
        "absent_usual",
        -1,
        absent_usual,
        "Usually absent on {usual_absent} of days: of a student who is seldom absent, absences say more.",
        "",
        0,
    ),
    Feature("late_usual", 0, _usual("late", LONG_AGO), "Usually late on {usual_late} of days.", "", 0),
    Feature(
        "unexcused_rise_10",
        1,
        _rise("unexcused", 10),
        "More absences in the last 10 days ({unexcused_10}) than the student's own usual ({usual} of days).",
        "unexcused",
        10,
    ),
    Feature(
        "unexcused_rise_20",
        1,
        _rise("unexcused", 20),
        "More absences in the last 20 days ({unexcused_20}) than the student's own usual ({usual} of days).",
        "unexcused",
        20,
    ),
    Feature(
        "late_rise_20",
        1,
        _rise("late", 20),
        "Late more often in the last 20 days ({late_20}) than the student's own usual ({usual_late} of days).",
        "late",
        20,
    ),
    Feature(
        "excused_rise_20",
        0,
        _rise("excused", 20),
        "Excused absences in the last 20 days ({excused_20}), against the student's own usual.",
        "excused",
        20,
    ),
    Feature(
        "unexcused_20_to_40",
        0,
        _between("unexcused", 20, 40),
        "Absences without an excuse in the 20 days before the last 20.",
        "unexcused",
        40,
        counts=True,
    ),
    Feature(
        "unexcused_rate",
        0,
        _rate("unexcused"),
        "Absent without an excuse on {unexcused_year} days this year.",
        "unexcused",
        190,
    ),
    Feature(
        "excused_rate", 0, _rate("excused"), "Absent with an excuse on {excused_year} days this year.", "excused", 190
    ),
    Feature("since_move", -1, _plain("since_move"), "Changed school {since_move} school days ago.", "", 0, counts=True),
)
NAMES: Final[tuple[str, ...]] = tuple(feature.name for feature in FEATURES)


def features(inputs: Inputs) -> Columns:
    """The model's columns of these rows, float64, in the order of `FEATURES`."""
    return [feature.make(inputs) for feature in FEATURES]
