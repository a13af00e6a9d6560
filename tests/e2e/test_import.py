"""`firstbell import` of a small folder whose every row is known, into the running system."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import httpx
import pytest

from tests.e2e.districts import CONSENT, write_csv
from tests.e2e.snapshots import snapshot
from tests.e2e.system import Json, System, eventually, firstbell

REJECTIONS = [
    ("attendance.csv", 9, "status"),
    ("attendance.csv", 10, "date"),
    ("attendance.csv", 11, "student_id"),
    ("attendance.csv", 14, "recorded_at"),
    ("consents.csv", 5, "signed_on"),
    ("enrollments.csv", 4, "exit_date"),
    ("students.csv", 3, "birth_date"),
]
COUNTS = {"read": 16, "accepted": 9, "duplicate": 1, "rejected": 4, "not_consented": 2}


class District(NamedTuple):
    folder: Path
    prefix: str


@pytest.fixture
def district(tmp_path: Path) -> District:
    """Two consented students (`a`, `b`), one whose consent was revoked (`r`) and one without any (`n`)."""
    prefix, folder = f"{uuid4().hex[:8]}-", tmp_path / "district"
    a, b, r, n, school = (prefix + name for name in ("a", "b", "r", "n", "school"))
    people = [(a, "2006-05-01"), (b, "1.5.2006"), (r, ""), (n, "")]
    write_csv(
        folder,
        "students.csv",
        [{"student_id": who, "first_name": "Planted", "last_name": "Name", "birth_date": born} for who, born in people],
    )
    consents = [(a, {}), (b, {}), (r, {"revoked_on": "2016-09-20"}), (a, {"signed_on": "last week"})]
    write_csv(
        folder,
        "consents.csv",
        [{"student_id": who, "revoked_on": "", **CONSENT, **more} for who, more in consents],
    )
    spans = [(a, "2016-09-08", ""), (b, "2016-09-08", "2016-12-09"), (n, "2016-09-08", "2016-09-01")]
    write_csv(
        folder,
        "enrollments.csv",
        [{"student_id": who, "school_id": school, "entry_date": entry, "exit_date": end} for who, entry, end in spans],
    )
    days = {f"2016-12-{day:02}": "false" if day == 8 else "true" for day in (5, 6, 7, 8, 9, 12, 13)}
    write_csv(
        folder,
        "calendar.csv",
        [{"school_id": school, "date": day, "instructional": flag} for day, flag in days.items()],
    )
    lines = [
        "student_id,school_id,date,status,excused,section_id,reason,recorded_at,homeroom",
        f"{a},{school},2016-12-05,absent,true,,illness,,12",
        f"{a},{school},2016-12-06,absent,,period-1,,,12",
        f"{a},{school},2016-12-06,present,,period-2,,,12",
        f'{a},{school},2016-12-07,absent,,,"in two',
        'lines, Planted Name",2016-12-07T09:00:00,12',
        f"{a},{school},2016-12-07,present,,,,2016-12-07T15:00:00,12",
        f"{b},{school},2016-12-08,absent,,,,,12",
        f"{a},{school},2016-12-09,Planted Name,,,,,12",
        f"{a},{school},9.12.2016,absent,,,,,12",
        f",{school},2016-12-09,absent,,,,,12",
        f"{a},{school},2016-12-05,absent,true,,illness,,12",
        f"{n},{school},2016-12-09,absent,,,,,12",
        f"{a},{school},2016-12-09,absent,,,,noon,12",
        f"{r},{school},2016-12-09,absent,,,,,12",
        f"{b},{school},2016-12-12,absent,,,,,12",
        f"{b},{school},2016-12-09,tardy,,,,,12",
        f"{b},{school},2016-12-06,absent,no,,,,12",
    ]
    (folder / "attendance.csv").write_text("\r\n".join(lines) + "\r\n", encoding="utf-8")
    return District(folder, prefix)


def report(system: System, district: District, *options: str, expect: int = 0) -> Json:
    """The document of `import --json -`."""
    where = ("--data-dir", system.data_dir)
    done = firstbell("import", district.folder, "--json", "-", *where, *options, expect=expect)
    document: Json = json.loads(done.stdout)
    return document


def counts(document: Json) -> Json:
    return {name: document[name] for name in COUNTS}


def test_every_row_is_told_once_and_again_as_a_duplicate(
    system: System, district: District, ingest: httpx.Client
) -> None:
    first = report(system, district)

    assert counts(first) == COUNTS
    assert sorted((r["file"], r["line"], r["field"]) for r in first["rejections"]) == REJECTIONS
    text = json.dumps(first)
    for secret in ("Planted", "last week", "noon", "1.5.2006", *(f"{district.prefix}{name}" for name in "abrn")):
        assert f'{secret}"' not in text
        assert f"{secret} " not in text
    school = f"{district.prefix}school"
    warnings = "\n".join(first["warnings"])
    assert warnings.count(f"{school}: 1 marks lie on days that are not instructional") == 1
    assert warnings.count(f"{school}: 1 marks lie outside every enrollment") == 1
    assert warnings.count("homeroom") == 1

    eventually(system.level, "every group is level")
    found = snapshot(system, district.prefix)
    assert set(found.windows) == {"a", "b"}
    facts = ("as_of", "enrolled_days", "absent_days", "excused_days", "tardy_days", "current_streak", "longest_streak")
    assert [found.windows["a"][name] for name in facts] == ["2016-12-12", 5, 2, 1, 0, 0, 2]
    assert [found.windows["b"][name] for name in facts] == ["2016-12-12", 4, 1, 0, 1, 0, 1]
    assert found.windows["a"]["absence_rate"] == pytest.approx(2 / 5)
    assert found.alerts == []

    again = report(system, district)
    assert counts(again) == {**COUNTS, "accepted": 0, "duplicate": COUNTS["accepted"] + COUNTS["duplicate"]}
    assert again["rejections"] == first["rejections"]
    eventually(system.level, "every group is level")
    assert snapshot(system, district.prefix) == found

    late = {"student_id": f"{district.prefix}a", "school_id": school, "date": "2016-12-13", "status": "absent"}
    assert ingest.post("/v1/attendance", json=late).json()["accepted"] == 1
    eventually(lambda: snapshot(system, district.prefix).windows["a"]["current_streak"] == 1, "the next day's mark")


def test_a_dry_run_tells_the_same_and_keeps_nothing_and_strict_says_so(system: System, district: District) -> None:
    rehearsed = report(system, district, "--dry-run", "--strict", expect=4)

    assert counts(rehearsed) == COUNTS
    assert sorted((r["file"], r["line"], r["field"]) for r in rehearsed["rejections"]) == REJECTIONS
    query = "SELECT 1 FROM ingest.students WHERE starts_with(student_id, %s)"
    assert system.rows(query, district.prefix) == []


def test_what_cannot_be_imported_says_why(system: System, tmp_path: Path) -> None:
    there = ("--data-dir", system.data_dir)
    nothing = firstbell("import", tmp_path, *there, expect=1)
    assert nothing.stderr.strip()
    assert "Traceback" not in nothing.stderr
    missing = firstbell("import", tmp_path / "missing", *there, expect=1)
    assert "Traceback" not in missing.stderr
