from __future__ import annotations

import json
import random
from datetime import date, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from click.testing import CliRunner

from models.simulation import HEADERS
from services.cli import outcomes as command
from services.cli.outcomes import COLUMNS, as_csv, document, outcome_rows, outcomes
from services.lab.labels import ClosedCase, ClosedCases, last_closings, named
from services.platform.settings import Settings
from tests.case_actions import AT, ON, action


def test_of_several_closings_the_latest_counts_in_any_order_and_as_often_as_they_come() -> None:
    alert = uuid4()
    first = action(alert_id=alert, outcome="could_not_reach")
    corrected = action(alert_id=alert, outcome="housing_crisis", at=AT + timedelta(hours=1))
    other = action(outcome="other")
    actions = [first, corrected, other, first, corrected]
    for seed in range(5):
        random.Random(seed).shuffle(actions)
        assert last_closings(actions) == {alert: corrected, other.alert_id: other}


def test_only_closings_are_labels() -> None:
    assert last_closings([action(action="taken"), action(action="snoozed"), action(action="contacted")]) == {}


def test_who_has_no_consent_in_force_is_counted_and_left_out() -> None:
    found = named([action("one"), action("two"), action("three")], {"two": "D-2"})
    assert found.cases == [ClosedCase("D-2", ON, "not_homeless")]
    assert found.without_consent == 2


def test_identified_families_make_one_row_a_student_and_day() -> None:
    later = ON + timedelta(days=1)
    cases = [
        ClosedCase("D-2", later, "homelessness_identified"),
        ClosedCase("D-1", later, "housing_crisis"),
        ClosedCase("D-1", ON, "homelessness_identified"),
        ClosedCase("D-1", ON, "housing_crisis"),
        ClosedCase("D-3", ON, "not_homeless"),
        ClosedCase("D-4", ON, "could_not_reach"),
        ClosedCase("D-5", ON, "other"),
    ]
    kind = "homelessness_identified"
    assert outcome_rows(cases) == [
        ("D-1", "2016-12-12", kind),
        ("D-1", "2016-12-13", kind),
        ("D-2", "2016-12-13", kind),
    ]


def test_the_file_has_the_form_of_the_export_sets() -> None:
    assert HEADERS["outcomes.csv"] == COLUMNS
    assert as_csv([('D,"1"', "2016-12-12", "x")]) == 'student_id,date,kind\n"D,""1""",2016-12-12,x\n'


def test_every_outcome_is_counted_by_name() -> None:
    found = ClosedCases([ClosedCase("D-1", ON, "other"), ClosedCase("D-2", ON, "other")], without_consent=3)
    assert document(found, 0) == {
        "rows": 0,
        "closed": 2,
        "outcomes": {
            "helped": 0,
            "already_known": 0,
            "not_at_risk": 0,
            "unreachable": 0,
            "moved_away": 0,
            "homelessness_identified": 0,
            "housing_crisis": 0,
            "not_homeless": 0,
            "could_not_reach": 0,
            "other": 2,
        },
        "without_consent": 3,
        "erased": 0,
        "unreadable": 0,
    }


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> ClosedCases:
    """What the command finds in the running system."""
    cases = ClosedCases([ClosedCase("D-1", date(2016, 12, 12), "housing_crisis")], without_consent=1)

    async def closed_cases(_: Settings) -> ClosedCases:
        return cases

    monkeypatch.setattr(command, "closed_cases", closed_cases)
    monkeypatch.setenv("FIRSTBELL_KAFKA", "127.0.0.1:1")
    return cases


def run(out: Path, *more: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(outcomes, ["--out", str(out), "--data-dir", str(out.parent / "none"), *more])
    return result.exit_code, result.stdout, result.stderr


@pytest.mark.usefixtures("found")
def test_the_command_writes_a_file_that_only_its_owner_reads_and_names_nobody(tmp_path: Path) -> None:
    out = tmp_path / "outcomes.csv"
    status, said, _ = run(out)
    assert status == 0
    assert out.read_text() == "student_id,date,kind\nD-1,2016-12-12,homelessness_identified\n"
    assert out.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["outcomes.csv"]
    assert "1" in said.splitlines()[0]
    assert "no consent is in force: 1" in said
    assert "D-1" not in said


@pytest.mark.usefixtures("found")
def test_with_json_on_stdout_there_is_nothing_else(tmp_path: Path) -> None:
    status, said, _ = run(tmp_path / "outcomes.csv", "--json", "-")
    assert status == 0
    assert json.loads(said)["rows"] == 1


@pytest.mark.usefixtures("found")
def test_a_file_that_is_there_is_kept(tmp_path: Path) -> None:
    out = tmp_path / "outcomes.csv"
    out.write_text("the district's own")
    status, _, said = run(out)
    assert status == 1
    assert "is there already" in said
    assert out.read_text() == "the district's own"
    assert [path.name for path in tmp_path.iterdir()] == ["outcomes.csv"]


@pytest.mark.usefixtures("found")
def test_a_folder_that_is_not_there_is_told_in_a_sentence(tmp_path: Path) -> None:
    status, _, said = run(tmp_path / "none" / "outcomes.csv")
    assert status == 1
    assert "Choose another place" in said
    assert "Traceback" not in said


def test_without_a_system_it_says_so_and_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FIRSTBELL_KAFKA", raising=False)
    status, _, said = run(tmp_path / "outcomes.csv")
    assert status == 3
    assert "firstbell up" in said
    assert list(tmp_path.iterdir()) == []
