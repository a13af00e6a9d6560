"""What an ODS/API says beside attendance is kept as that of an export set is."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

from tests.integration.taking import Taken
from tests.integration.test_records import agreement, folder_of, imported, kept
from tests.unit.ingest.formats.edfi_record_files import JSON

STUDENT = "S2"  # one with a consent
ODS = json.dumps(JSON).replace('"S1"', f'"{STUDENT}"').replace("2021", "2016").replace("2022", "2017")


async def test_a_student_of_an_ods_has_rows_of_each_kind(taken: Taken, tmp_path: Path) -> None:
    await taken.intake.set_replay_day(date(2017, 6, 30))
    await taken.apply(agreement(1, "255", effective_on=date(2016, 8, 1)))
    folder = folder_of(tmp_path / "ods", {})
    for name, members in json.loads(ODS).items():
        (folder / f"{name}.json").write_text(json.dumps(members))

    report = await imported(taken, folder)
    kinds: Any = report.document()["kinds"]
    assert {name: counts["accepted"] for name, counts in kinds.items() if name not in {"consents", "calendar"}} == {
        "enrollments": 1,
        "terms": 2,
        "demographics": 1,
        "programs": 1,
        "courses": 1,
        "grades": 1,
        "assessments": 1,
        "suspensions": 1,
        "graduations": 2,
    }
    assert not report.rejections
    assert await kept(taken, STUDENT) == {
        "demographics": 1,
        "programs": 1,
        "eligibility": 0,
        "courses": 1,
        "grades": 1,
        "assessments": 1,
        "suspensions": 1,
        "graduations": 2,
    }
