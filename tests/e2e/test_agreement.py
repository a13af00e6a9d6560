"""A data steward's agreement, from an empty data folder on: written, checked, put in force, changed."""

from __future__ import annotations

import json
import time
from pathlib import Path

import httpx

from tests.e2e.districts import CONSENT, WEEK, write_csv
from tests.e2e.snapshots import every_alert
from tests.e2e.system import Json, eventually, firstbell, running

AT_ONCE = 5
"""Seconds within which a new version has taken effect."""


def export_of(folder: Path, *schools: str) -> Path:
    """A student a school, absent all week; the one at King with a consent for DSNI alone."""
    ids = {school: f"at-{school}" for school in schools}
    consents = [{**CONSENT, "student_id": one, "agreement_id": "DSA-2016"} for one in ids.values()]
    study = {"purpose": "program-evaluation", "recipients": "dsni"}
    consents = [one | study if one["student_id"] == "at-king" else one for one in consents]
    write_csv(folder, "consents.csv", consents)
    spans = [{"student_id": one, "school_id": school, "entry_date": "2016-09-08"} for school, one in ids.items()]
    write_csv(folder, "enrollments.csv", spans)
    days = [{"school_id": school, "date": day, "instructional": "true"} for school in schools for day in WEEK]
    write_csv(folder, "calendar.csv", days)
    marks = [
        {"student_id": one, "school_id": school, "date": day, "status": "absent"}
        for school, one in ids.items()
        for day in WEEK
    ]
    write_csv(folder, "attendance.csv", marks)
    return folder


def test_from_the_first_draft_to_a_school_that_is_dropped(tmp_path: Path) -> None:
    there = ("--data-dir", tmp_path / "data")
    file = tmp_path / "agreement.toml"
    pilot = firstbell("agreement", "init").stdout.replace("2018", "2068")

    file.write_text(pilot.replace('role = "lead"', 'role = "friend"').replace("version = 1", "version = 0"))
    wrong = firstbell("agreement", "check", file, expect=1).stderr.splitlines()
    assert [line.removeprefix(f"{file}:").split(":")[:2] for line in wrong] == [
        ["5", " version"],
        ["21", " party 2 role"],
    ]
    assert firstbell("agreement", "apply", file, *there, expect=1).stderr.count(str(file)) == 2
    file.write_text(pilot)
    firstbell("agreement", "check", file)

    folder = export_of(tmp_path / "export", "dearborn", "winthrop", "king", "elsewhere")
    (folder / "agreement.toml").write_text(pilot)
    refused = firstbell("import", folder, *there, expect=1)
    assert "firstbell agreement apply" in refused.stderr
    rehearsed = firstbell("import", folder, "--dry-run", *there)
    assert "DSA-2016, version 1, of agreement.toml. Nothing runs here" in rehearsed.stderr
    assert firstbell("agreement", "show", *there, expect=1).stderr.count("firstbell agreement init") == 1
    applied = json.loads(firstbell("agreement", "apply", file, "--json", *there).stdout)
    assert (applied["id"], applied["version"], applied["in_force"]) == ("DSA-2016", 1, True)

    with running(tmp_path / "data", agreement=False) as system:
        shown: Json = json.loads(firstbell("agreement", "show", "--json", *there).stdout)
        assert shown == applied
        report = json.loads(firstbell("import", folder, "--json", "-", *there).stdout)
        assert [report[name] for name in ("read", "accepted", "out_of_scope")] == [20, 15, 5]
        kept = "SELECT recipient, school_id, count(*) FROM district.disclosed GROUP BY 1, 2"
        assert system.rows(kept) == [("dsni", "king", 5)]
        assert any("agreement.toml was not applied" in warning for warning in report["warnings"])
        checks = json.loads(firstbell("doctor", "--json", *there).stdout)["checks"]
        assert [one["status"] for one in checks if one["name"] == "agreement"] == ["ok"]

        known = system.bearer("caseworker")
        with httpx.Client(base_url=system.where["casework"], headers=known, timeout=30) as casework:
            alerts = eventually(lambda: len(found := every_alert(casework)) == 2 and found, "both alerts")
            assert isinstance(alerts, list)
            gone = next(alert for alert in alerts if alert["school_id"] == "winthrop")
            file.write_text(pilot.replace("version = 1", "version = 2").replace(', "winthrop"]   #', "]   #"))
            firstbell("agreement", "apply", file, *there)
            began = time.monotonic()
            eventually(lambda: len(every_alert(casework)) == 1, "the dropped school's alert is not shown", AT_ONCE)
            assert casework.get(f"/v1/alerts/{gone['id']}").status_code == 404
            cleared = "SELECT status FROM casework.alerts WHERE id = %s AND status <> 'open'"
            eventually(lambda: system.rows(cleared, gone["id"]), "leaving scope clears the alert")
            assert time.monotonic() - began < 60

        rehearsal = firstbell("import", folder, "--dry-run", "--json", "-", *there)
        found = json.loads(rehearsal.stdout)
        assert [found[name] for name in ("not_consented", "out_of_scope")] == [5, 5]
        assert "DSA-2016, version 2, which is in force here" in rehearsal.stderr
        again = json.loads(firstbell("import", folder, "--json", "-", *there).stdout)
        assert [again[name] for name in ("duplicate", "not_consented", "out_of_scope")] == [10, 5, 5]
