"""Average daily attendance of the running system: as of the same files, for each reader what is shared with them."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.ingest.ada.reading import AdaQuestion, average_daily_attendance
from services.ingest.ada.schemas import AverageDailyAttendance
from services.ingest.agreement.reading import load_agreement
from services.ingest.app import create_app
from services.ingest.formats import open_sources
from services.ingest.imports.importer import Importer
from services.lab.ada import averages_of
from services.platform.database import make_engine
from tests.identity import Identity
from tests.integration.running import running
from tests.integration.taking import Taken

DISTRICT = Path(__file__).resolve().parents[2] / "examples" / "district"
LAST = date(2026, 11, 25)


async def imported(taken: Taken) -> None:
    await taken.intake.set_replay_day(LAST)
    await taken.apply(load_agreement(DISTRICT / "agreement.toml"))
    await Importer(taken.intake, open_sources([DISTRICT]), lambda _: None).run()


async def found(taken: Taken, asked: AdaQuestion = AdaQuestion()) -> AverageDailyAttendance:  # noqa: B008
    engine = make_engine(taken.settings.require_database(), service="ingest", pool_size=1)
    try:
        return AverageDailyAttendance.of(await average_daily_attendance(engine, asked))
    finally:
        await engine.dispose()


async def test_it_is_that_of_the_files_and_of_whom_consent_is_in_force(taken: Taken) -> None:
    await imported(taken)
    of_files = AverageDailyAttendance.of(averages_of(DISTRICT, None, None, first_day_out=False).averages)
    assert await found(taken) == of_files
    assert [one.students for one in of_files.averages] == [6, 6, 6]

    # Who attends by two disclosures counts while one is left.
    await taken.revoke("S-1002", LAST, "project-hope", agreement_id="EXAMPLE-2026")
    assert [one.students for one in (await found(taken)).averages] == [6, 6, 6]
    await taken.revoke("S-1002", LAST, "dsni", agreement_id="EXAMPLE-2026")
    without = (await found(taken)).averages
    assert [one.students for one in without] == [5, 5, 5]
    assert without[0].attended_days == 5 * 17 - 3


@pytest.mark.parametrize(
    ("role", "agency", "schools", "students"),
    [
        ("steward", None, None, 6),
        ("lead", None, None, 5),
        ("lead", "dsni", None, 5),
        ("lead", "project-hope", None, 6),
        ("supervisor", "project-hope", None, 6),
        ("supervisor", "other", None, None),
        ("steward", None, ["dearborn"], 6),
        ("steward", None, ["elsewhere"], None),
    ],
)
async def test_each_reader_gets_what_is_shared_with_them(
    taken: Taken, identity: Identity, role: Any, agency: str | None, schools: list[str] | None, students: int | None
) -> None:
    await imported(taken)
    async with running(create_app(taken.settings)) as client:
        auth = identity.auth(role, agency=agency, schools=schools)
        answer = await client.get("/v1/average-daily-attendance", auth=auth)
    assert answer.status_code == httpx.codes.OK
    assert answer.headers["Cache-Control"] == "no-store"
    told = [one["students"] for one in answer.json()["averages"]]
    assert told == ([] if students is None else [students] * 3)
    assert "S-100" not in answer.text
