"""What a system has come to: every window and alert of a district, without what differs from run to run."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import httpx

from tests.e2e.system import Json, System

_OF_THE_RUN = {"id", "case_number", "student", "updated_at"}


class Snapshot(NamedTuple):
    """Windows and alerts by the district's student id."""

    windows: dict[str, Json]
    alerts: list[Json]


def differences(found: Snapshot, expected: Snapshot) -> list[str]:
    """What is not as expected, one line each."""
    lines = [f"window of {one}: only once" for one in sorted(found.windows.keys() ^ expected.windows.keys())]
    for student_id in sorted(found.windows.keys() & expected.windows.keys()):
        ours, theirs = found.windows[student_id], expected.windows[student_id]
        lines += [
            f"window of {student_id}, {name}: {ours.get(name)} in place of {theirs.get(name)}"
            for name in sorted(ours.keys() | theirs.keys())
            if ours.get(name) != theirs.get(name)
        ]
    lines += [f"alert that should not be: {alert}" for alert in found.alerts if alert not in expected.alerts]
    lines += [f"missing alert: {alert}" for alert in expected.alerts if alert not in found.alerts]
    return lines


def every_alert(casework: httpx.Client, **filters: str) -> list[Json]:
    """All pages of the history."""
    found: list[Json] = []
    cursor: dict[str, str] = {}
    while True:
        page = casework.get("/v1/alerts", params={"limit": "50", **filters, **cursor}).raise_for_status().json()
        found += page["items"]
        if page["next"] is None:
            return found
        cursor = {"cursor": page["next"]}


def snapshot(system: System, prefix: str = "") -> Snapshot:
    """Windows and alerts of the students whose ids have this prefix, with the prefix taken away."""
    students = system.rows(
        "SELECT student_id, pseudonym FROM ingest.consented_students WHERE starts_with(student_id, %s)", prefix
    )
    known = system.bearer("caseworker")
    with httpx.Client(base_url=system.where["casework"], headers=known, timeout=30) as casework:
        windows = {
            student_id: _plain(casework.get(f"/v1/students/{pseudonym}/window").raise_for_status().json(), prefix)
            for student_id, pseudonym in students
        }
        alerts = [_plain(alert, prefix) for alert in every_alert(casework) if alert["student_id"].startswith(prefix)]
    return Snapshot(
        {student_id.removeprefix(prefix): window for student_id, window in sorted(windows.items())},
        sorted(alerts, key=lambda alert: (alert["student_id"], alert["raised_on"])),
    )


def _plain(document: Json, prefix: str) -> Json:
    kept = {name: value for name, value in document.items() if name not in _OF_THE_RUN}
    plain: dict[str, Any] = json.loads(json.dumps(kept).replace(f'"{prefix}', '"'))
    return plain
