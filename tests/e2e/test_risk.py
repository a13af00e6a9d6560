"""The risk model and its capacity in the stream, against the backtest of the same files; and a model that is broken."""

from __future__ import annotations

import csv
import json
import stat
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import httpx
import numpy as np
import pytest

from models.artifact import Artifact
from models.backtest.walk import DayScores, Walk, Walker
from models.policy import default_policy
from models.risk_model import probability
from services.contracts.alerts import AlertEvent
from services.contracts.risk import ThresholdSet
from services.contracts.topics import THRESHOLDS
from services.lab.year import read_history
from services.rehearsal.new_alerts import is_new, origin
from tests.e2e.districts import CONSENT, WEEK, write_csv
from tests.e2e.kafka_records import alerts_of, records_of
from tests.e2e.snapshots import every_alert
from tests.e2e.system import Json, System, eventually, firstbell, running
from tests.unit.models.hand_made import artifact

STUDENTS = 150
CAPACITY = 2
LAST_DAY = "2016-11-11"
PARTITIONS = range(4)

Scores = dict[tuple[str, str], float]
"""By student id and ISO date."""


class Streamed(NamedTuple):
    """A history that went through Kafka, and the system in whose folder it did, started again."""

    folder: Path
    scores: Path
    system: System
    thresholds: list[tuple[int, ThresholdSet]]
    """With the partition that was told."""
    alerts: list[AlertEvent]


class Walked(NamedTuple):
    """What the backtest makes of the same files."""

    student_ids: tuple[str, ...]
    scores: Scores
    walk: Walk


@pytest.fixture(scope="module")
def risk_model() -> Artifact:
    return artifact(1)


@pytest.fixture(scope="module")
def streamed(tmp_path_factory: pytest.TempPathFactory, risk_model: Artifact) -> Iterator[Streamed]:
    base = tmp_path_factory.mktemp("risk")
    folder, scores, model, data_dir = (base / name for name in ("export", "scores.csv", "model.json", "data"))
    model.write_text(risk_model.dump(), encoding="utf-8")
    _simulate(folder)
    options = ("--capacity", str(CAPACITY), "--model", model, "--data-dir", data_dir, "--json", base / "out.json")
    firstbell("replay", folder, "--scores", scores, *options)
    settings = {"FIRSTBELL_CAPACITY": str(CAPACITY), "FIRSTBELL_MODEL_FILE": str(model)}
    with running(data_dir, agreement=False, **settings) as system:
        kafka = system.where["kafka"]
        thresholds = [(p, ThresholdSet.model_validate_json(value)) for p, value, _ in records_of(kafka, THRESHOLDS)]
        alerts = alerts_of(system.where)
        yield Streamed(folder, scores, system, thresholds, alerts)


def _simulate(folder: Path) -> None:
    """A school year's first ten weeks: the calendar goes on, the marks do not."""
    firstbell("simulate", "--students", str(STUDENTS), "--seed", "5", "--year", "2016", "--out", folder)
    with (folder / "attendance.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["date"] <= LAST_DAY]
    write_csv(folder, "attendance.csv", rows)


@pytest.fixture(scope="module")
def walked(streamed: Streamed, risk_model: Artifact) -> Walked:
    history = read_history(streamed.folder).history
    scores: Scores = {}

    def keep(of_day: DayScores) -> None:
        day, students, found = of_day
        ids = (history.student_ids[student] for student in students.tolist())
        scores.update(((one, date.fromordinal(day).isoformat()), score) for one, score in zip(ids, found, strict=True))

    walk = Walker(history, default_policy(), risk_model.model, CAPACITY).run(on_scores=keep)
    return Walked(history.student_ids, scores, walk)


def test_every_score_of_the_stream_is_the_backtests(streamed: Streamed, walked: Walked) -> None:
    with streamed.scores.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    found = {(row["student_id"], row["date"]): float(row["score"]) for row in rows}

    assert len(rows) == len(found) > 1_000
    assert found.keys() == walked.scores.keys()
    assert max(abs(score - walked.scores[key]) for key, score in found.items()) < 1e-9
    assert len(set(found.values())) > 100
    assert stat.S_IMODE(streamed.scores.stat().st_mode) == 0o600


def test_each_week_with_school_has_a_threshold_that_every_partition_was_told(streamed: Streamed) -> None:
    weeks = sorted({told.week for _, told in streamed.thresholds})

    assert weeks[0] == date(2016, 9, 12)
    assert all(week.weekday() == 0 for week in weeks)
    assert len(weeks) >= 9
    assert all(after - before == timedelta(days=7) for before, after in pairwise(weeks))
    assert Counter((p, told.week) for p, told in streamed.thresholds) == {(p, w): 1 for p in PARTITIONS for w in weeks}
    assert {told.capacity for _, told in streamed.thresholds} == {CAPACITY}


def test_the_thresholds_are_the_backtests(streamed: Streamed, walked: Walked) -> None:
    found = [told.threshold for p, told in streamed.thresholds if p == 0 and told.threshold is not None]
    shown = probability(np.array([found[0], found[-1]])).tolist()

    assert shown == pytest.approx([walked.walk.first_threshold, walked.walk.last_threshold], abs=1e-9)


def test_the_stream_raises_whom_the_backtest_raises(streamed: Streamed, walked: Walked) -> None:
    ids = dict(streamed.system.rows("SELECT pseudonym, student_id FROM ingest.students"))
    raised = Counter(walked.student_ids[student] for student in walked.walk.raised["both"].student.tolist())

    assert Counter(ids[event.student] for event in streamed.alerts if is_new(event)) == raised


def test_new_alerts_fit_the_capacity(streamed: Streamed) -> None:
    new = [event for event in streamed.alerts if is_new(event)]
    always = [event for event in new if any(reason.rule == "streak_10" for reason in event.reasons)]
    by_score = [event for event in new if event not in always]
    weeks = len({told.week for _, told in streamed.thresholds})

    assert {origin(event.reasons) for event in by_score} == {"model", "both"}
    # The year's are to fit within a tenth; here are ten weeks, those that are over and the one begun.
    assert 0 < len(by_score) <= 1.1 * CAPACITY * (weeks + 1)
    last = max(told.entered for _, told in streamed.thresholds)
    with httpx.Client(base_url=streamed.system.where["warning"], timeout=30) as worker:
        assert f'firstbell_warning_entered{{agency="project-hope"}} {last:.1f}' in worker.get("/metrics").text


def test_reasons_of_a_score_say_the_chance_its_parts_and_where_the_model_is_from(streamed: Streamed) -> None:
    by_score = next(event for event in streamed.alerts if is_new(event) and origin(event.reasons) != "rules")
    reason = next(reason for reason in by_score.reasons if reason.rule == "model")
    parts = [reason for reason in by_score.reasons if reason.rule.startswith("model_")]

    assert "within 30 school days" in reason.text
    assert "simulated data" in reason.text
    assert parts
    assert {part.kind for part in [reason, *parts]} == {"pattern of attendance"}


def test_the_doctor_names_the_model_and_the_capacity(streamed: Streamed) -> None:
    model = checks(streamed.system)["model"]

    assert model["status"] == "ok"
    assert model["detail"] == f"made by hand, trained on simulated data, capacity {CAPACITY} a week"


def checks(system: System, expect: int = 0) -> dict[str, Json]:
    """What the doctor says, by the check's name."""
    found = json.loads(firstbell("doctor", "--json", "--data-dir", system.data_dir, expect=expect).stdout)
    return {check["name"]: check for check in found["checks"]}


def test_with_a_model_that_is_broken_the_rules_go_on_alone_and_it_is_said(tmp_path: Path) -> None:
    broken = tmp_path / "model.json"
    broken.write_text('{"schema_version": 1, "steps": [', encoding="utf-8")
    settings = {"FIRSTBELL_CAPACITY": str(CAPACITY), "FIRSTBELL_MODEL_FILE": str(broken)}
    with running(tmp_path / "data", **settings) as system:
        model = checks(system, expect=1)["model"]
        assert model["status"] == "failed"
        assert "rules go on alone" in model["detail"]
        assert "not a risk model of First Bell" in model["detail"]
        with httpx.Client(base_url=system.where["warning"], auth=system.as_service(), timeout=30) as worker:
            told = worker.get("/v1/model").json()
            assert told["in_use"] is False
            assert told["problem"] in model["detail"]
            assert "firstbell_warning_model_in_use 0.0" in worker.get("/metrics").text
            assert worker.get("/v1/scores").json() == {}
        folder = _absent_all_week(tmp_path / "export")
        firstbell("import", folder, "--data-dir", system.data_dir)
        known = system.bearer("caseworker")
        with httpx.Client(base_url=system.where["casework"], headers=known, timeout=30) as casework:
            [alert] = eventually(lambda: every_alert(casework), "the rules' alert")
        assert alert["level"] == "elevated"
        assert not any(reason["rule"].startswith("model") for reason in alert["reasons"])


def _absent_all_week(folder: Path) -> Path:
    who = {"student_id": "S-1"}
    write_csv(folder, "consents.csv", [CONSENT | who])
    write_csv(folder, "enrollments.csv", [who | {"school_id": "A", "entry_date": "2016-09-08", "exit_date": ""}])
    write_csv(folder, "calendar.csv", [{"school_id": "A", "date": day, "instructional": "true"} for day in WEEK])
    mark = who | {"school_id": "A", "status": "absent", "excused": "false"}
    write_csv(folder, "attendance.csv", [mark | {"date": day} for day in WEEK])
    return folder
