"""Hand-made and drawn evidence, and each figure again by plain loops over its rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from models.backtest.evidence import LevelChanges, Raised, Truth, WeekEnds

DAYS = 80
HORIZON = 30


class Row(NamedTuple):
    """One student at one week's end."""

    student: int
    day: int
    score: float = float("nan")
    rate: float = 0.0
    days: int = 50
    absences_20: int = 0
    streak: int = 0
    rule_level: int = 0
    shock: bool = False


def truth(
    students: int,
    identified: Sequence[tuple[int, int]] = (),
    *,
    days: int = DAYS,
    household: Sequence[int] | None = None,
    groups: dict[str, tuple[str, ...]] | None = None,
) -> Truth:
    rows = sorted(identified)
    return Truth(
        dates=np.arange(days, dtype=np.int32),
        week_ends=np.arange(4, days, 5, dtype=np.int32),
        household=np.array(range(students) if household is None else household, dtype=np.int32),
        groups=groups or {},
        identified_student=np.array([student for student, _ in rows], dtype=np.int32),
        identified_day=np.array([day for _, day in rows], dtype=np.int32),
    )


def raised(*alerts: tuple[int, int], shock: Sequence[bool] | None = None) -> Raised:
    """(student, day), in the order of the days."""
    return Raised(
        np.array([student for student, _ in alerts], dtype=np.int32),
        np.array([day for _, day in alerts], dtype=np.int32),
        np.array([False] * len(alerts) if shock is None else shock, dtype=np.bool_),
    )


def changes(*students: int) -> LevelChanges:
    number = len(students)
    code = np.ones(number, dtype=np.uint8)
    return LevelChanges(np.array(students, dtype=np.int32), np.arange(number, dtype=np.int32), code, code)


def week_ends(*rows: Row) -> WeekEnds:
    """The rows as they are given; days must ascend."""
    column = list(zip(*rows, strict=True)) if rows else [()] * len(Row._fields)
    types = (np.int32, np.int32, np.float64, np.float64, np.int32, np.int32, np.int32, np.uint8, np.bool_)
    return WeekEnds(*(np.array(each, dtype=kind) for each, kind in zip(column, types, strict=True)))


class Drawn(NamedTuple):
    """A drawn history of few students, with ties, siblings, second identifications and ones past the year."""

    truth: Truth
    rows: list[Row]
    alerts: list[tuple[int, int]]
    shock: list[bool]


def drawn(seed: int, students: int = 12, days: int = DAYS) -> Drawn:
    rng = np.random.default_rng(seed)
    identified = {(int(rng.integers(students)), int(rng.integers(days + 2))) for _ in range(rng.integers(0, 12))}
    made = truth(
        students,
        sorted(identified),
        days=days,
        household=rng.integers(0, max(1, students // 2), students).tolist(),
        groups={"gender": tuple(rng.choice(["F", "M", ""], students).tolist())},
    )
    rows = [
        Row(
            student,
            day,
            round(float(rng.random()), 1),
            int(rng.integers(0, 6)) / 20,
            int(rng.integers(5, 60)),
            int(rng.integers(0, 5)),
            int(rng.integers(0, 6)),
            int(rng.integers(0, 4)),
            bool(rng.random() < 0.1),
        )
        for day in made.week_ends.tolist()
        for student in range(students)
        if rng.random() < 0.9
    ]
    alerts = sorted(
        ((int(rng.integers(students)), int(rng.integers(days))) for _ in range(rng.integers(0, 20))),
        key=lambda alert: alert[1],
    )
    return Drawn(made, rows, alerts, (rng.random(len(alerts)) < 0.3).tolist())


def pairs(alerts: Raised) -> list[tuple[int, int]]:
    return list(zip(alerts.student.tolist(), alerts.day.tolist(), strict=True))


def identified(of: Truth) -> list[tuple[int, int]]:
    return list(zip(of.identified_student.tolist(), of.identified_day.tolist(), strict=True))


def naive_right(of: Truth, student: int, day: int) -> bool:
    return any(who == student and day < when <= day + HORIZON for who, when in identified(of))


def naive_judged(of: Truth, alerts: list[tuple[int, int]]) -> list[bool]:
    """Of each alert that can be judged, whether it was right."""
    return [naive_right(of, student, day) for student, day in alerts if day + HORIZON <= len(of.dates) - 1]


def naive_leads(of: Truth, alerts: list[tuple[int, int]]) -> list[tuple[int, int, int | None]]:
    """Student, day and lead of each identification that an alert could come before."""
    found: list[tuple[int, int, int | None]] = []
    for student, when in identified(of):
        if 0 < when < len(of.dates):
            before = [when - day for who, day in alerts if who == student and 1 <= when - day <= HORIZON]
            found.append((student, when, max(before, default=None)))
    return found
