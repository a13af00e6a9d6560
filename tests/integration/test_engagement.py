"""Engagement over the database: as of a folder's files, as it was known on a day, and nothing that is not shared."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Final, NamedTuple

import httpx
import pytest
import pytest_asyncio
from click.testing import CliRunner
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncEngine

from models.engagement.judgement import Engagement
from models.engagement.policy import engagement_policy
from services.casework.app import create_app
from services.casework.settings import CaseworkSettings
from services.cli.simulate import simulate
from services.ingest.agreement.reading import load_agreement
from services.ingest.formats import open_sources
from services.ingest.imports.importer import Importer
from services.ingest.intake import Intake
from services.ingest.rows.parse import ConsentRow
from services.lab.engagement.folder import EngagementQuestion, engagement_of
from services.lab.engagement.live import LiveEngagement, NotLiveError
from services.platform.database import caller_context, make_engine
from services.platform.embedded.endpoints import Stack
from services.platform.erasure.erasing import Erasures
from tests.identity import Identity
from tests.integration.ingest_support import OwnDatabase, ingest_settings, own_database
from tests.integration.taking import Taken

EXAMPLE: Final = Path(__file__).parents[2] / "examples" / "district"
TODAY: Final = date(2026, 11, 25)
HANDED_IN: Final = datetime(2026, 11, 25, 22, tzinfo=UTC)


class System(NamedTuple):
    """An intake on a database of its own, and the database as casework's role."""

    taken: Taken
    database: OwnDatabase

    async def imported(self, folder: Path, as_of: datetime = HANDED_IN) -> None:
        report = await Importer(self.taken.intake, open_sources([folder]), lambda _: None).run(as_of)
        assert not report.rejections

    async def live(self, as_of: date | None = None, *, recipient: str | None = None) -> dict[str, Engagement]:
        """Everybody, as casework's role has them."""
        async with self.asking() as engine:
            found = await LiveEngagement.begin(engine, as_of, recipient, None)
            students: dict[str, Engagement] = {}
            after = ""
            while batch := await found.next(engine, engagement_policy(), after):
                students |= batch.students
                after = batch.last
        return students

    @asynccontextmanager
    async def serving(self, identity: Identity, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
        """Casework's routes, without the rest of it."""
        monkeypatch.setattr(Erasures, "is_whole", property(lambda _: True))  # its comparison does not run
        settings = CaseworkSettings(
            data_dir=self.taken.settings.data_dir,
            kafka=self.taken.settings.kafka,
            database=SecretStr(self.database.of("casework")),
        )
        transport = httpx.ASGITransport(create_app(identity.of(settings)))
        async with httpx.AsyncClient(transport=transport, base_url="http://casework") as client:
            yield client
        await transport.app.state.audit.close()

    @asynccontextmanager
    async def asking(self) -> AsyncIterator[AsyncEngine]:
        engine = make_engine(self.database.of("casework"), service="casework", pool_size=1)
        try:
            yield engine
        finally:
            await engine.dispose()


@pytest_asyncio.fixture(loop_scope="session")
async def system(stack: Stack, tmp_path: Path, identity: Identity) -> AsyncIterator[System]:
    """The example's agreement is in force, and nothing was handed in."""
    async with own_database(stack, agreement=False) as database:
        settings = identity.of(ingest_settings(stack.kafka, database.of("ingest"), tmp_path))
        async with Intake.open(settings) as intake:
            await intake.set_replay_day(TODAY)
            taken = Taken(intake, settings)
            await taken.apply(load_agreement(EXAMPLE / "agreement.toml"))
            yield System(taken, database)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The example, to be changed."""
    return Path(shutil.copytree(EXAMPLE, tmp_path / "district"))


def of_folder(folder: Path, as_of: date) -> dict[str, Engagement]:
    return engagement_of(EngagementQuestion(folder, engagement_policy(), as_of)).students


@pytest.mark.parametrize(
    "as_of", [TODAY, date(2026, 11, 13), date(2026, 11, 12), date(2026, 10, 20), date(2026, 10, 7)]
)
async def test_the_database_says_what_the_folder_says(system: System, as_of: date) -> None:
    await system.imported(EXAMPLE)
    found = await system.live(as_of)
    assert len(found) == 6
    assert found == of_folder(EXAMPLE, as_of)


@pytest.mark.parametrize("world", ["sections", "rural"])
async def test_a_simulated_year_comes_to_the_same(system: System, tmp_path: Path, world: str) -> None:
    folder = tmp_path / world
    argv = ["--students", "80", "--seed", "5", "--world", world, "--year", "2025", "--out", str(folder)]
    assert CliRunner().invoke(simulate, argv).exit_code == 0
    today = engagement_of(EngagementQuestion(folder, engagement_policy())).as_of + timedelta(10)
    await system.taken.intake.set_replay_day(today)
    await system.taken.apply(load_agreement(folder / "agreement.toml"))
    await system.imported(folder, datetime.combine(today, time(22), UTC))
    found = await system.live()
    assert len(found) > 20
    assert found == of_folder(folder, today)


async def test_what_was_said_later_counts_from_when_it_was_said(system: System, folder: Path) -> None:
    await system.imported(EXAMPLE, datetime(2026, 11, 20, 22, tzinfo=UTC))
    edit(folder, "suspensions", "S-1003,2026-10-20,1,false", "S-1001,2026-10-21,1,true")
    edit(folder, "grades", "S-1004,MATH8,2026 Q1,52,0.25", "S-1004,MATH8,2026 Q1,92,0.25")
    late = "".join(f"S-1001,dearborn,2026-11-{day},absent,false\n" for day in (16, 17, 18))
    edit(folder, "attendance", "S-1005,dearborn,2026-11-10", f"{late}S-1005,dearborn,2026-11-10")
    await system.imported(folder, datetime(2026, 11, 23, 22, tzinfo=UTC))

    before, after = await system.live(date(2026, 11, 22)), await system.live(date(2026, 11, 23))
    for found, first, last in ((before, "on_track", "off_track"), (after, "off_track", "off_track")):
        assert found["S-1001"].parts["behaviour"] == first
        assert found["S-1003"].parts["behaviour"] == last  # only a snapshot takes back what it lacks
        assert found["S-1004"].parts["courses"] == ("on_track" if first == "off_track" else "off_track")
    assert (before["S-1001"].parts["attendance"], after["S-1001"].parts["attendance"]) == ("on_track", "sliding")


async def test_a_withdrawal_of_one_kind_leaves_the_others(system: System) -> None:
    await system.imported(EXAMPLE)
    await system.taken.intake.take_consents([withdrawn("S-1004", "grades")])
    found = await system.live()
    assert list(found["S-1004"].parts.values()) == ["on_track", "on_track", "not_shared"]
    await system.taken.intake.take_consents([withdrawn("S-1004", "attendance", "suspensions")])
    assert "S-1004" not in await system.live()


async def test_counts_and_other_purposes_are_no_rows_to_judge(system: System) -> None:
    await system.imported(EXAMPLE)
    given = load_agreement(EXAMPLE / "agreement.toml")
    flows, rows, other = given.disclosure
    counts = rows.model_copy(update={"form": "aggregate"})
    await system.taken.apply(given.model_copy(update={"version": 2, "disclosure": (flows, counts, other)}))
    parts = {student: list(one.parts.values()) for student, one in (await system.live()).items()}
    assert parts["S-1003"] == ["on_track", "not_shared", "not_shared"]
    with pytest.raises(NotLiveError, match="Nothing flows to dsni"):
        await system.live(recipient="dsni")
    with pytest.raises(NotLiveError, match="nothing can be known of a day to come"):
        await system.live(date(2026, 11, 26))


async def test_casework_sees_of_the_records_what_may_be_judged_and_no_more(system: System) -> None:
    await system.imported(EXAMPLE)
    tables = ("district.suspensions", "district.grades", "ingest.taken", "ingest.enrollments")

    async def seen(**caller: str) -> list[int]:
        async with system.asking() as engine, engine.connect() as connection:
            with caller_context("caseworker", **caller):
                await connection.begin()
                counts = [text(f"SELECT count(student) FROM {table}") for table in tables]
                return [int((await connection.execute(count)).scalar_one()) for count in counts]

    assert await seen(agency="project-hope") == [1, 30, 20, 16]
    assert await seen(agency="dsni") == [0, 0, 0, 0]
    async with system.asking() as engine, engine.connect() as connection:
        kinds = await connection.execute(text("SELECT DISTINCT kept_for FROM ingest.students ORDER BY 1"))
        purpose = "homelessness-prevention"
        assert [kind for (kind,) in kinds] == ["", f"grades:{purpose}", f"suspensions:{purpose}"]
    for table in ("demographics", "programs", "assessments", "graduations"):
        async with system.asking() as engine, engine.connect() as connection:
            with pytest.raises(ProgrammingError, match="permission denied"):
                await connection.execute(text(f"SELECT student FROM district.{table}"))


async def test_the_route_and_the_page_tell_the_caller_and_the_audit(
    system: System, identity: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    await system.imported(EXAMPLE)
    async with system.serving(identity, monkeypatch) as client:
        student = (await system.taken.pseudonyms("S-1005"))["project-hope"]
        path = f"/v1/students/{student}/engagement"
        hers = identity.auth("caseworker", agency="project-hope", schools=["dearborn"])
        answer = await client.get(path, params={"as_of": "2026-11-13"}, auth=hers)
        assert answer.status_code == 200, answer.text
        assert answer.headers["Cache-Control"] == "no-store"
        found = answer.json()
        assert (found["student_id"], found["level"], found["as_of"]) == ("S-1005", "sliding", "2026-11-13")
        assert found["parts"] == {"attendance": "sliding", "behaviour": "on_track", "courses": "sliding"}
        assert [area["area"] for area in found["areas"]] == ["attendance", "courses"]
        assert found["thresholds"]["behaviour"]["source"].startswith("Balfanz")

        page = await client.get(f"/students/{student}/engagement", auth=hers)
        assert page.headers["Content-Type"].startswith("text/html")
        assert page.headers["Cache-Control"] == "no-store"
        assert all(said in page.text for said in ("S-1005", "sliding", "34 CFR 99.33", "below 90% is off track"))
        assert "<script" not in page.text

        for auth in (
            identity.auth("caseworker", agency="project-hope", schools=["burke"]),
            identity.auth("caseworker", agency="dsni"),
            identity.auth("caseworker", agency="project-hope", records=["suspensions"]),
        ):
            assert (await client.get(path, auth=auth)).status_code == 404
        for day in ("2026-11-26", "9999-12-31"):
            ahead = await client.get(path, params={"as_of": day}, auth=hers)
            assert (ahead.status_code, ahead.json()["title"]) == (422, "A day to come")
        assert (await client.get(path, params={"as_of": "0001-01-01"}, auth=hers)).status_code == 404
        partly = await client.get(path, auth=identity.auth("caseworker", agency="project-hope", records=["attendance"]))
        assert partly.json()["parts"] == {
            "attendance": "sliding",
            "behaviour": "not_shared",
            "courses": "not_shared",
        }
    looks = await system.taken.rows(
        "SELECT action, outcome, cardinality(students) FROM audit.entries WHERE students @> ARRAY[:id] ORDER BY entry",
        student,
    )
    assert [tuple(look) for look in looks if "engagement" in look[0]] == [
        ("GET /v1/students/{student}/engagement", "allowed", 3),
        ("GET /students/{student}/engagement", "allowed", 3),
        *[("GET /v1/students/{student}/engagement", "denied 404", 1)] * 4,
        ("GET /v1/students/{student}/engagement", "allowed", 1),
    ]


def edit(folder: Path, table: str, old: str, new: str) -> None:
    path = folder / f"{table}.csv"
    content = path.read_text()
    assert old in content
    path.write_text(content.replace(old, new))


def withdrawn(student: str, *records: str) -> ConsentRow:
    return ConsentRow(
        student_id=student,
        agreement_id="EXAMPLE-2026",
        signed_by=None,
        relationship=None,
        signed_on=None,
        method=None,
        records=records,
        purpose=None,
        recipients=(),
        expires_on=None,
        revoked_on=TODAY,
        household_id=None,
    )
