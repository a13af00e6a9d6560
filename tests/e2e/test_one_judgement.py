"""A dry run, an import and a replay of the same files agree on what becomes of their rows."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from uuid import uuid4

import pytest

from tests.e2e.districts import CONSENT, WEEK, write_csv
from tests.e2e.system import Json, System, firstbell

AGREED = ("read", "rejected", "duplicate")
BAD = ("ill", "", "Absent!")


def write_rows(folder: Path, random: Random, prefix: str) -> None:
    """Rows of consented students and others, some of them twice, some bad, some ahead of the clock."""
    students = [f"{prefix}{number}" for number in range(6)]
    school = f"{prefix}school"
    consents = [{**CONSENT, "student_id": student} for student in students[:4]]
    write_csv(folder, "consents.csv", consents)
    spans = [{"student_id": student, "school_id": school, "entry_date": "2016-09-08"} for student in students]
    write_csv(folder, "enrollments.csv", spans)
    if random.random() < 0.5:
        days = [{"school_id": school, "date": day, "instructional": "true"} for day in WEEK]
        write_csv(folder, "calendar.csv", days)
    rows = [_row(random, students, school) for _ in range(80)]
    rows += [random.choice(rows) for _ in range(20)]
    random.shuffle(rows)
    first = _row(random, students[:1], school) | {"date": WEEK[0], "status": "absent", "recorded_at": ""}
    last = _row(random, students[:1], school) | {"date": WEEK[-1], "status": "absent", "recorded_at": ""}
    write_csv(folder, "attendance.csv", [first, *rows, last])


def _row(random: Random, students: list[str], school: str) -> dict[str, str]:
    return {
        "student_id": random.choice(students),
        "school_id": school,
        "date": random.choice((*WEEK, *WEEK, "2016-12-32", "2062-12-05")),
        "status": random.choice(("absent", "present", "tardy", "partial", *BAD)),
        "section_id": random.choice(("", "p1", "p2")),
        "recorded_at": random.choice(("", "", f"{WEEK[1]}T12:00:00", "2062-01-01T00:00:00", "noon")),
    }


def told(*arguments: str | Path) -> Json:
    document: Json = json.loads(firstbell(*arguments, "--json", "-").stdout)
    return document


def agreed(document: Json) -> dict[str, int]:
    return {name: document[name] for name in AGREED}


@pytest.mark.parametrize("seed", range(3))
def test_a_dry_run_and_an_import_agree(system: System, tmp_path: Path, seed: int) -> None:
    write_rows(tmp_path / "export", Random(seed), f"{uuid4().hex[:8]}-")
    where = ("--data-dir", system.data_dir)
    rehearsed = told("import", tmp_path / "export", "--dry-run", *where)
    imported = told("import", tmp_path / "export", *where)

    for name in (*AGREED, "accepted", "not_consented", "not_consented_by", "rejected_by", "reference"):
        assert imported[name] == rehearsed[name], name
    assert sorted(imported["warnings"]) == sorted(rehearsed["warnings"])


def test_a_replay_agrees_with_them(tmp_path: Path) -> None:
    write_rows(tmp_path / "export", Random(7), "r-")
    rehearsed = told("import", tmp_path / "export", "--dry-run", "--data-dir", tmp_path / "data")
    replayed = told("replay", tmp_path / "export")

    assert agreed(replayed["marks"]) == agreed(rehearsed)
