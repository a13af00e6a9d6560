"""What the doctor says of what was found, and its exit status."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from services.cli.consents_check import judge_consents
from services.cli.doctor import doctor, doctor_document, no_failure, summary
from services.platform.checks import CheckResult
from services.platform.checks.result import ok

OK = CheckResult("java", "ok", "Java 17")
SKIPPED = CheckResult("kafka", "skipped", "nothing is running")
FAILED = CheckResult("smtp", "failed", "no answer", "Start it.")


def test_a_skipped_check_has_not_failed() -> None:
    assert no_failure([OK, SKIPPED])
    assert not no_failure([OK, SKIPPED, FAILED])


def test_the_document_has_each_checks_status_detail_and_hint() -> None:
    document = doctor_document([OK, FAILED])
    assert document == {
        "ok": False,
        "checks": [
            {"name": "java", "status": "ok", "detail": "Java 17", "hint": None},
            {"name": "smtp", "status": "failed", "detail": "no answer", "hint": "Start it."},
        ],
    }


def test_the_summary_counts_and_says_that_something_was_not_looked_at() -> None:
    assert summary([OK, SKIPPED]) == "Nothing failed: 1 ok, 1 skipped."
    assert summary([OK]) == "All is well: 1 ok."
    assert summary([OK, FAILED]) == "Something is wrong: 1 ok, 1 failed."


def test_where_nothing_runs_it_is_said_and_nothing_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KAFKA", "DATABASE", "SMTP", "PSEUDONYM_KEY_FILE"):
        monkeypatch.delenv(f"FIRSTBELL_{name}", raising=False)
    result = CliRunner().invoke(doctor, ["--json", "--data-dir", str(tmp_path / "none")])
    assert result.exit_code == 0
    by_name = {check["name"]: check for check in json.loads(result.stdout)["checks"]}
    assert by_name["java"]["status"] == "ok"
    for name in ("kafka", "topics", "database", "migrations", "smtp", "services", "data_dir", "pseudonym_key"):
        assert by_name[name]["status"] == "skipped"
        assert by_name[name]["detail"]


def test_a_failure_has_status_1_and_a_hint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIRSTBELL_KAFKA", "127.0.0.1:1")
    result = CliRunner().invoke(doctor, ["--data-dir", str(tmp_path)])
    assert result.exit_code == 1
    assert "127.0.0.1:1 does not answer" in result.stdout
    assert "FIRSTBELL_KAFKA is right" in result.stdout


def test_consents_that_are_to_be_renewed_are_counted_and_no_failure() -> None:
    assert judge_consents(0) == ok("consents", "none is to be renewed")
    assert judge_consents(3).status == "ok"
    assert judge_consents(3).detail.startswith("3 are to be renewed")
