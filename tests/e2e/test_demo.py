"""`firstbell demo` of a small district."""

from __future__ import annotations

import json
from pathlib import Path

from tests.e2e.system import firstbell
from tests.unit.models.hand_made import artifact


def test_the_demo_runs_a_school_year_and_sums_it_up(tmp_path: Path) -> None:
    out, model = tmp_path / "demo.json", tmp_path / "model.json"
    model.write_text(artifact(1).dump(), encoding="utf-8")
    options = ("--students", "60", "--seed", "2", "--json", out)
    said = firstbell("demo", *options, FIRSTBELL_MODEL_FILE=str(model)).stdout

    document = json.loads(out.read_text(encoding="utf-8"))
    assert document["students"] == 60
    assert document["marks"] > 60 * 100
    assert set(document["alerts"]) <= {"watch", "elevated", "urgent"}
    assert sum(document["alerts"].values()) > 0
    new = document["new_alerts"]
    assert set(new["by"]) == {"rules", "model", "both"}
    assert new["by"]["model"] + new["by"]["both"] > 0
    assert (new["capacity"], new["model"], new["simulated"]) == (1, "made by hand", True)
    assert new["per_week"] <= 1.5
    assert "trained on simulated data" in said
    assert document["mails"] > 0
    assert document["seconds"] > 0
    for name in ("mark_to_alert_ms", "mark_to_mail_ms"):
        assert 0 < document[name]["p50"] <= document[name]["p99"] < 60_000
