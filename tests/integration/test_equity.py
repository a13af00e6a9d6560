"""Groups of students whose cases were closed come from the demographics that consent covers, and from nothing else."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from services.contracts.cases import Outcome
from services.ingest.agreement.reading import load_agreement
from services.ingest.formats import FormatError, open_sources
from services.ingest.imports.importer import Importer
from services.ingest.store.demographics import described_among
from services.lab.equity import of_cases, of_counts
from services.lab.labels import ClosedCase
from services.platform.database import make_engine
from tests.integration.taking import Taken

DISTRICT = Path(__file__).resolve().parents[2] / "examples" / "district"
DAY = date(2026, 11, 25)
STUDENTS = [f"S-100{number}" for number in range(1, 8)]


async def described(taken: Taken) -> dict[str, dict[str, str]]:
    engine = make_engine(taken.settings.require_database(), service="ingest", pool_size=1)
    try:
        async with engine.connect() as connection:
            return await described_among(connection, STUDENTS)
    finally:
        await engine.dispose()


async def test_groups_are_of_whose_consent_covers_demographics_now(taken: Taken) -> None:
    await taken.intake.set_replay_day(DAY)
    await taken.apply(load_agreement(DISTRICT / "agreement.toml"))
    await Importer(taken.intake, open_sources([DISTRICT]), lambda _: None).run()
    found = await described(taken)
    assert sorted(found) == STUDENTS[:5]
    assert found["S-1002"] == {
        "gender": "Male",
        "race_ethnicity": "Black or African American",
        "english_learner": "false",
        "special_education": "true",
    }
    endings: list[Outcome] = ["not_homeless"] * 4 + ["housing_crisis", "not_homeless", "could_not_reach"]
    cases = [ClosedCase(one, DAY, outcome) for one, outcome in zip(STUDENTS, endings, strict=True)]
    figures = of_cases([*cases, ClosedCase("S-1001", DAY, "homelessness_identified")], found, small_cell=1)
    assert figures.students == 6  # of one nobody could tell
    genders = figures.groups["gender"]
    assert {value: (cell.students, cell.false_alerts) for value, cell in genders.items()} == {
        "": (1, 1),
        "Female": (3, 1),
        "Male": (2, 2),
    }
    assert of_cases(cases, found, small_cell=10).document()["students"] is None

    await taken.revoke("S-1002", DAY, "dsni", records=("demographics",), agreement_id="EXAMPLE-2026")
    assert sorted(await described(taken)) == [one for one in STUDENTS[:5] if one != "S-1002"]


def test_counts_of_the_district_are_judged_alike_and_small_ones_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "counts.csv"
    path.write_text("group,value,students,false_alerts\ngender,F,40,10\ngender,M,20,10\n")
    assert of_counts(path, 10).document()["widest_gap"] == {"gender": 0.25}
    path.write_text("group,value,students,false_alerts\ngender,F,40,10\ngender,X,3,1\n")
    with pytest.raises(FormatError, match=r"counts\.csv, line 3: students: expected 10 or more, or nothing"):
        of_counts(path, 10)
    path.write_text("group,value,students,false_alerts\ngender,F,40,10\ngender, F ,20,10\n")
    with pytest.raises(FormatError, match=r"counts\.csv: a value of a group comes twice"):
        of_counts(path, 10)
