"""`firstbell equity` on counts, and where nothing runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from services.cli.equity import equity


def test_without_a_running_system_it_says_so_and_starts_nothing(tmp_path: Path) -> None:
    result = CliRunner().invoke(equity, ["--live", "--data-dir", str(tmp_path / "data")])
    assert (result.exit_code, "Nothing is running" in result.output) == (3, True)
    assert not (tmp_path / "data" / "postgres").exists()


def test_the_districts_counts_come_out_for_people_and_as_json(tmp_path: Path) -> None:
    counts, out = tmp_path / "counts.csv", tmp_path / "out.json"
    counts.write_text("group,value,students,false_alerts\ngender,Female,40,10\ngender,Male,50,25\n")
    result = CliRunner().invoke(equity, ["--counts", str(counts), "--json", str(out)])
    assert result.exit_code == 0, result.output
    assert "widest gap 25.0 points" in result.output
    assert "cases" not in result.output  # counts say nothing of how many there are in all
    assert json.loads(out.read_text())["widest_gap"]["gender"] == 0.25


@pytest.mark.parametrize(
    ("rows", "told"),
    [("", "there are no counts"), ("gender,Male,40,10\ngender,Male,50,25\n", "a value of a group comes twice")],
)
def test_counts_that_say_nothing_or_twice_are_refused(tmp_path: Path, rows: str, told: str) -> None:
    counts = tmp_path / "counts.csv"
    counts.write_text(f"group,value,students,false_alerts\n{rows}")
    result = CliRunner().invoke(equity, ["--counts", str(counts)])
    assert (result.exit_code, told in result.output) == (1, True), result.output
