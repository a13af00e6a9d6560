"""`firstbell ada` on files: for people and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from services.cli.ada import ada

DISTRICT = Path(__file__).resolve().parents[3] / "examples" / "district"


def test_a_table_for_people_and_the_same_as_json(tmp_path: Path) -> None:
    out = tmp_path / "ada.json"
    result = CliRunner().invoke(ada, [str(DISTRICT), "--json", str(out)])
    assert result.exit_code == 0, result.output
    assert "dearborn                 8      2026-10    21        6       6.0       5.8   96.0%" in result.output
    document = json.loads(out.read_text())
    assert (document["first"], document["last"], document["no_data"]) == ("2026-07-01", "2026-11-25", [])
    assert [one["month"] for one in document["averages"]] == ["2026-09", "2026-10", "2026-11"]
    assert document["averages"][0]["attended_days"] == 17 * 6 - 4


def test_before_the_first_day_of_school_there_is_no_data() -> None:
    result = CliRunner().invoke(ada, [str(DISTRICT), "--as-of", "2026-09-01"])
    assert "School dearborn: no data." in result.output


def test_a_folder_or_the_running_system_must_be_chosen() -> None:
    result = CliRunner().invoke(ada, [])
    assert (result.exit_code, "Give a FOLDER, or --live." in result.output) == (2, True)
