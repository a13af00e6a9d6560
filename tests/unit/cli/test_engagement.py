"""`firstbell engagement FOLDER` for people and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from services.cli.engagement import engagement

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "district"


def test_the_example_is_told_as_json() -> None:
    result = CliRunner().invoke(engagement, [str(EXAMPLE), "--json", "-"])
    assert result.exit_code == 0, result.stderr
    document = json.loads(result.stdout)
    assert (document["as_of"], document["recipient"]) == ("2026-11-25", "project-hope")
    levels = {one["student_id"]: one["level"] for one in document["students"]}
    assert levels == {
        "S-1001": "on_track",
        "S-1002": "off_track",
        "S-1003": "off_track",
        "S-1004": "off_track",
        "S-1005": "sliding",
        "S-1006": "sliding",
    }
    (suspended,) = [one for one in document["students"] if one["student_id"] == "S-1003"]
    assert suspended["parts"] == {"attendance": "on_track", "behaviour": "off_track", "courses": "on_track"}
    (area,) = suspended["areas"]
    assert (area["area"], area["dates"]) == ("behaviour", ["2026-10-20"])


def test_people_get_a_table_with_the_areas_under_each_student(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    result = CliRunner().invoke(engagement, [str(EXAMPLE), "--as-of", "2026-10-19", "--json", str(out)])
    lines = result.stdout.splitlines()
    assert lines[0] == "As of 2026-10-19, for project-hope, for homelessness-prevention."
    assert lines[2].split() == ["S-1001", "on", "track", "on", "track", "on", "track", "on", "track"]
    assert lines[4].startswith("    attendance: Absent on 3 of")
    assert lines[-1] == "Students: 6; 1 off track, 0 sliding, 5 on track, 0 not known."
    assert len(json.loads(out.read_text())["students"]) == 6


def test_a_folder_or_the_running_system_is_asked_for() -> None:
    assert CliRunner().invoke(engagement, []).exit_code == 2
    assert CliRunner().invoke(engagement, [str(EXAMPLE), "--live"]).exit_code == 2


def test_a_reader_who_gets_nothing_is_an_error_that_names_those_who_do() -> None:
    result = CliRunner().invoke(engagement, [str(EXAMPLE), "--recipient", "nobody"])
    assert result.exit_code == 1
    assert "dsni for program-evaluation, project-hope for homelessness-prevention" in result.stderr
