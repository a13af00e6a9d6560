"""A made-up backtest: its JSON document and the curves behind it."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from models.arrays import Ints
from models.backtest.bootstrap import Share
from models.backtest.curves import CalibrationPoint, CapacityPoint, Curves, Leads, WeeklyAlerts
from models.backtest.evidence import LevelChanges, Raised, Truth, WeekEnds
from models.backtest.measures import Walked
from services.lab.report import ReportEvidence

RATES = {
    "both": 0.143,
    "rules": 0.101,
    "model": 0.139,
    "ten_percent": 0.082,
    "streak_3": 0.071,
    "rate_to_date": 0.0787,
    "absences_20": 0.0934,
}
WEEKS = tuple(date(2025, 9, 8) + timedelta(weeks=week) for week in range(38) if week not in {16, 23, 32})
Json = dict[str, object]


def strategy(name: str) -> Json:
    rate = RATES[name]
    product = name in {"both", "rules", "model"}
    scored = name in {"both", "model"}
    return {
        "precision": rate - 0.002,
        "recall": 2.5 * rate,
        "precision_at_capacity": {"mean": rate, "low": rate - 0.021, "high": rate + 0.0235},
        "alerts_per_week": 19.7 if name == "both" else 20.0,
        "lead_days": {"median": 14.0, "q1": 7.0, "q3": 22.5},
        "lead_over_ten_percent": {"median": 11.0, "q1": 4.0, "q3": 19.0, "n": 61}
        if name != "ten_percent"
        else {"median": None, "q1": None, "q3": None, "n": None},
        "calibration_error": 0.0031 if scored else None,
        "top_percent": {"score": 0.187, "observed": 0.169} if scored else {"score": None, "observed": None},
        "false_alert_rate": groups(0.0 if product else 0.02),
        "shock_day_share": 0.0012,
        "changes_per_student": 2.31 if product else None,
    }


def groups(more: float) -> Json:
    return {
        "gender": {"F": cell(0.182 + more, 1012), "M": cell(0.195 + more, 987), "X": cell(None, 4)},
        "race_ethnicity": {
            "Asian": cell(0.131 + more, 171),
            "Black or African American": cell(0.212 + more, 702),
            "Hispanic": cell(0.198 + more, 811),
            "White": cell(0.152 + more, 204),
        },
        "english_learner": {"no": cell(0.187 + more, 1391), "yes": cell(0.19 + more, 608)},
        "special_education": {"no": cell(0.18 + more, 1588), "yes": cell(0.219 + more, 411)},
    }


def cell(rate: float | None, n: int) -> Json:
    if rate is None:
        return {"rate": None, "low": None, "high": None, "n": n}
    half = (rate * (1 - rate) / n) ** 0.5 * 1.64
    return {"rate": rate, "low": rate - half, "high": rate + half, "n": n}


def result() -> Json:
    return {
        "marks": 358_211,
        "students": 2043,
        "days": 178,
        "seconds": 3.42,
        "capacity": 20,
        "threshold": {"first": 0.0912, "last": 0.0652},
        "strategies": {name: strategy(name) for name in RATES},
        "model": {
            "name": "additive",
            "version": "2026.1",
            "trained_on": "three simulated districts of 20,000 students, seeds 1 to 3",
            "simulated": True,
            "signal": True,
            "features": ["absence rate, last 10 days", "absence rate, year to date", "longest streak", "school moves"],
            "metrics": {
                "logistic": {"precision_at_capacity": 0.142, "calibration_error": 0.0024},
                "boosting": {"precision_at_capacity": 0.151, "calibration_error": None},
            },
            "data_hash": "sha256:5f1e0c7a9b",
            "created": "2026-11-20",
        },
        "policy": "2026.1",
    }


def evidence() -> ReportEvidence:
    return ReportEvidence(Curves(_capacity(), _calibration(), _weeks(), _leads()), WEEKS)


def without_model() -> tuple[Json, ReportEvidence]:
    document, seen = result(), evidence().curves
    strategies = {**{name: strategy(name) for name in RATES}, "both": nothing(), "model": nothing()}
    curves = Curves(
        tuple(point for point in seen.capacity if point.ranking != "score"),
        (),
        tuple(each for each in seen.weeks if each.strategy not in {"both", "model"}),
        tuple(each for each in seen.leads if each.strategy not in {"both", "model"}),
    )
    document |= {"model": None, "threshold": {"first": None, "last": None}, "strategies": strategies}
    return document, ReportEvidence(curves, WEEKS)


def nothing() -> Json:
    """A strategy that did not run: null everywhere."""
    none3 = {"median": None, "q1": None, "q3": None}
    return {
        "precision": None,
        "recall": None,
        "precision_at_capacity": {"mean": None, "low": None, "high": None},
        "alerts_per_week": None,
        "lead_days": none3,
        "lead_over_ten_percent": {**none3, "n": None},
        "calibration_error": None,
        "top_percent": {"score": None, "observed": None},
        "false_alert_rate": {"gender": {"F": cell(None, 1012), "M": cell(None, 987)}},
        "shock_day_share": None,
        "changes_per_student": None,
    }


def _share(rate: float, n: int, half: float = 0.02) -> Share:
    return Share(rate, max(0.0, rate - half), rate + half, n)


def _capacity() -> tuple[CapacityPoint, ...]:
    worth = {
        "score": 0.139,
        "rules": 0.101,
        "ten_percent": 0.082,
        "streak_3": 0.071,
        "rate_to_date": 0.0787,
        "absences_20": 0.0934,
    }
    return tuple(
        CapacityPoint(ranking, places, _share(rate * (20 / places) ** 0.35, 35 * places), min(1, rate * places / 8))  # type: ignore[arg-type]
        for ranking, rate in worth.items()
        for places in (5, 10, 15, 20, 30, 40, 60, 80)
    )


def _calibration() -> tuple[CalibrationPoint, ...]:
    scores = (0.0008, 0.0012, 0.0017, 0.0024, 0.0035, 0.0051, 0.0078, 0.0134, 0.028, 0.094)
    return tuple(CalibrationPoint(score, _share(score * 0.9, 7011, score * 0.3)) for score in scores)


def _weeks() -> tuple[WeeklyAlerts, ...]:
    return tuple(
        WeeklyAlerts(name, tuple(20 + (week * 7 + at) % 5 - 2 if name == "both" else 20 for week in range(len(WEEKS))))  # type: ignore[arg-type]
        for at, name in enumerate(RATES)
    )


def _leads() -> tuple[Leads, ...]:
    return tuple(
        Leads(name, tuple(sorted(1 + (7 * at + 11 * each) % (30 - at) for each in range(60 - 4 * at))))  # type: ignore[arg-type]
        for at, name in enumerate(RATES)
    )


def walk() -> tuple[Truth, WeekEnds, dict[Walked, Raised], dict[Walked, LevelChanges]]:
    """A year of 60 days and 24 students, seven of whom are identified."""
    rng = np.random.default_rng(6)
    dates = np.array(
        [day.toordinal() for day in (WEEKS[0] + timedelta(days=at) for at in range(84)) if day.weekday() < 5]
    )
    ends, students = np.arange(4, 60, 5), np.arange(24)
    grid = len(ends) * len(students)
    truth = Truth(
        _ints(dates),
        _ints(ends),
        _ints(students // 2),
        {"gender": ("F", "M") * 12},
        _ints(students[::4]),
        _ints(20 + students[::4]),
    )
    week_ends = WeekEnds(
        student=_ints(np.tile(students, len(ends))),
        day=_ints(np.repeat(ends, len(students))),
        score=rng.random(grid) / 10,
        rate=rng.random(grid) / 3,
        days=_ints(np.repeat(ends + 1, len(students))),
        absences_20=_ints(rng.integers(0, 6, grid)),
        streak=_ints(rng.integers(0, 5, grid)),
        rule_level=rng.integers(0, 4, grid).astype(np.uint8),
        shock=np.zeros(grid, dtype=np.bool_),
    )
    raised = Raised(_ints(students[::2]), _ints(5 + students[::2]), np.zeros(12, dtype=np.bool_))
    level = np.full(12, 2, dtype=np.uint8)
    changes = LevelChanges(raised.student, raised.day, level, np.ones(12, dtype=np.uint8))
    return truth, week_ends, {"both": raised, "rules": raised, "model": raised}, {"both": changes}


def _ints(values: object) -> Ints:
    return np.asarray(values, dtype=np.int32)
