"""The figures of a student's windows that people see: any reason counts, shock days too."""

from __future__ import annotations

import re
from dataclasses import dataclass

from models.attendance import EARLY_DEPARTURE, EXCUSED, PARTIAL, TARDY, UNEXCUSED
from models.engine.past import NEUTRAL, Past

WINDOWS = (5, 10, 20, 45)
"""Lengths in counted days."""

_ABSENT = bytes([EXCUSED, UNEXCUSED])
_NOT_ABSENT = re.compile(b"[^" + _ABSENT + b"]+")


@dataclass(frozen=True, slots=True)
class Window:
    """A student's school year up to `as_of`. Counts in days, the rate a fraction (None without days)."""

    enrolled_days: int
    absent_days: int
    absence_rate: float | None
    excused_days: int
    unexcused_days: int
    tardy_days: int
    early_departure_days: int
    partial_days: int
    current_streak: int
    longest_streak: int
    absences_5: int
    absences_10: int
    absences_20: int
    absences_45: int
    moves: int
    shock_days: int
    not_shared_days: int


def summarise(past: Past, moves: int) -> Window:
    """The window's figures over every counted day; `moves` are changes of school, to where nothing is shared too."""
    shown = past.shown
    days, absent = len(shown), shown.count(EXCUSED) + shown.count(UNEXCUSED)
    stretches = past.stretches
    last = {n: shown.count(EXCUSED, -n) + shown.count(UNEXCUSED, -n) for n in WINDOWS}
    return Window(
        enrolled_days=days,
        absent_days=absent,
        absence_rate=absent / days if days else None,
        excused_days=shown.count(EXCUSED),
        unexcused_days=shown.count(UNEXCUSED),
        tardy_days=shown.count(TARDY),
        early_departure_days=shown.count(EARLY_DEPARTURE),
        partial_days=shown.count(PARTIAL),
        current_streak=len(stretches[-1]) - len(stretches[-1].rstrip(_ABSENT)),
        longest_streak=max(len(run) for stretch in stretches for run in _NOT_ABSENT.split(stretch)),
        absences_5=last[5],
        absences_10=last[10],
        absences_20=last[20],
        absences_45=last[45],
        moves=moves,
        shock_days=past.ruled.count(NEUTRAL),
        not_shared_days=len(past.not_shared),
    )
