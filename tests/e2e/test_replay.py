"""`firstbell replay` of the Ed-Fi sample, against the plain definition."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.e2e.edfi_sample import Sample, read
from tests.e2e.system import Json, firstbell
from tests.plain.figures import figures
from tests.plain.truth import Truth

SAMPLE = Path(__file__).resolve().parents[3] / "shared" / "data" / "edfi-5.2"
LEVELS = ["", "watch", "elevated", "urgent"]

pytestmark = pytest.mark.skipif(not SAMPLE.is_dir(), reason="the sample is not beside the repository")


class Replayed(NamedTuple):
    """The document, and what stdout held."""

    document: Json
    stdout: str


@pytest.fixture(scope="module")
def sample() -> Sample:
    return read(SAMPLE)


@pytest.fixture(scope="module")
def replayed(tmp_path_factory: pytest.TempPathFactory) -> Replayed:
    out = tmp_path_factory.mktemp("replay") / "out.json"
    done = firstbell("replay", SAMPLE, "--json", out)
    return Replayed(json.loads(out.read_text(encoding="utf-8")), done.stdout)


@pytest.fixture(scope="module")
def truth(sample: Sample) -> Truth:
    return sample.truth()


def in_force(sample: Sample) -> set[str]:
    """Students with a consent in force on the last day replayed."""
    return {
        student_id
        for student_id, (first, last) in sample.consents.items()
        if first <= sample.last_day and (last is None or sample.last_day <= last)
    }


def test_every_event_is_counted_once(replayed: Replayed, sample: Sample) -> None:
    events = [(student_id, row) for student_id, rows in sample.rows.items() for row in rows]
    consented = sum(
        first <= row.day and (last is None or row.day <= last)
        for student_id, row in events
        if student_id in sample.consents
        for first, last in [sample.consents[student_id]]
    )

    assert replayed.stdout == ""
    assert len(events) == 1_983
    assert Counter(row.section is not None for _, row in events) == {False: 1_917, True: 66}
    assert replayed.document["marks"] == {
        "read": 1_983,
        "accepted": consented,
        "duplicate": 0,
        "rejected": 0,
        "not_consented": 1_983 - consented,
        "out_of_scope": 0,
    }


def test_those_with_a_consent_on_the_last_day_have_a_row_and_nobody_else(replayed: Replayed, sample: Sample) -> None:
    rows = [row["student_id"] for row in replayed.document["students"]]

    assert len(rows) == len(set(rows)) == 158
    assert set(rows) == in_force(sample)
    ends = Counter(str(last) for _, last in sample.consents.values())
    assert (ends["2022-01-31"], ends["2021-12-31"], len(sample.stays) - len(sample.consents)) == (18, 11, 40)
    assert {alert["student_id"] for alert in replayed.document["alerts"]} <= set(rows)


def test_every_field_of_every_row_is_as_an_independent_count_has_it(
    replayed: Replayed, sample: Sample, truth: Truth
) -> None:
    assert {len(facts.calendar) for facts in sample.schools.values()} == {183}
    wrong = []
    for row in replayed.document["students"]:
        school = sample.stays[row["student_id"]][-1].school
        expected = {
            "student_id": row["student_id"],
            "school_id": school,
            "as_of": max(sample.schools[school].closed).isoformat(),
            **figures(truth.told[row["student_id"]]),
        }
        wrong += [
            f"{name}: {row[name]} in place of {value}"
            for name, value in expected.items()
            if row[name] != (pytest.approx(value) if name == "absence_rate" else value)
        ]
    assert wrong == []


def test_alerts_stand_at_the_levels_that_the_rules_give(replayed: Replayed, sample: Sample, truth: Truth) -> None:
    alerts = replayed.document["alerts"]
    assert {alert["level"] for alert in alerts} <= set(LEVELS)
    assert all(alert["reasons"] and alert["raised_on"] and alert["status"] for alert in alerts)
    standing = {alert["student_id"]: alert["level"] for alert in alerts if alert["status"] == "open"}
    expected = {}
    for student_id in in_force(sample):
        level = list(truth.levels[student_id].values())[-1]
        if level:
            expected[student_id] = LEVELS[level]
    assert standing == expected
    told = {alert["student_id"] for alert in alerts}
    chronically_absent = {
        row["student_id"]
        for row in replayed.document["students"]
        if row["enrolled_days"] >= 10 and row["absent_days"] * 10 >= row["enrolled_days"]
    }
    assert len(chronically_absent) > 10
    assert chronically_absent <= told


def test_mails_are_sent_and_none_fails(replayed: Replayed) -> None:
    sent, failed = (replayed.document["notifications"][name] for name in ("sent", "failed"))
    assert sent > 0
    assert failed == 0
