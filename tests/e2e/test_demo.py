"""`firstbell demo` of a small district."""

from __future__ import annotations

import json
from pathlib import Path

from tests.e2e.system import firstbell


def test_the_demo_runs_a_school_year_and_sums_it_up(tmp_path: Path) -> None:
    out = tmp_path / "demo.json"
    firstbell("demo", "--students", "60", "--seed", "2", "--json", out)

    document = json.loads(out.read_text(encoding="utf-8"))
    assert document["students"] == 60
    assert document["marks"] > 60 * 100
    assert set(document["alerts"]) <= {"watch", "elevated", "urgent"}
    assert sum(document["alerts"].values()) > 0
    assert document["mails"] > 0
    assert document["seconds"] > 0
    for name in ("mark_to_alert_ms", "mark_to_mail_ms"):
        assert 0 < document[name]["p50"] <= document[name]["p99"] < 60_000
